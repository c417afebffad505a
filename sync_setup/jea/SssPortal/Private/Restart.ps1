# Restart-SssService. A service that started at or after the given moment is left alone: so a second
# call after a lost answer restarts nothing. No process is ever killed.

function Restart-SssNamed {
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Run
    )
    $since = ConvertFrom-SssInstant -Text $Run.Call.OnlyIfStartedBeforeUtc
    if ($null -eq $since) {
        Deny-SssCall -Code 'BadParameter' -Message 'OnlyIfStartedBeforeUtc is no instant of the form 2026-11-23T08:15:00.123Z.'
    }
    $deadline = [System.DateTime]::UtcNow.AddSeconds($Run.Call.TimeoutSeconds)
    $current = Get-SssRunning -Service $Run.Call.Service
    if ($null -eq $current -or $current.StartMode -ceq 'Disabled') {
        Deny-SssCall -Code 'ServiceMissing' -Message ('{0} is not on this server, or it is disabled.' -f $Run.Call.Service)
    }
    $Run.Before = Get-SssRunningFacts -Running $current
    $Run.After = $Run.Before
    if (Test-SssStartedSince -Running $current -Since $since) {
        return
    }
    $Run.Touched = $true
    if ($Run.Call.Service -ceq 'WebApplicationPool') {
        Restart-SssPool -Run $Run -Current $current -Deadline $deadline
    }
    else {
        Restart-SssWindowsService -Run $Run -Current $current -Deadline $deadline
    }
    $Run.After = Get-SssRunningFacts -Running (Get-SssRunning -Service $Run.Call.Service)
    $Run.Changed = $true
}

function ConvertFrom-SssInstant {
    # ISO text with Z, or nothing where it is none. A [datetime] parameter would turn it into local time.
    param(
        [AllowEmptyString()]
        [string] $Text
    )
    $invariant = [System.Globalization.CultureInfo]::InvariantCulture
    $styles = [System.Globalization.DateTimeStyles]::AssumeUniversal -bor [System.Globalization.DateTimeStyles]::AdjustToUniversal
    $instant = [System.DateTime]::MinValue
    if (-not [System.DateTime]::TryParseExact($Text, "yyyy-MM-dd'T'HH:mm:ss.fff'Z'", $invariant, $styles, [ref] $instant)) {
        return $null
    }
    return $instant
}

function Get-SssRunning {
    # The service or application pool by the contract's word, or nothing.
    param(
        [Parameter(Mandatory = $true)]
        [string] $Service
    )
    if ($Service -ceq 'WebApplicationPool') {
        return (Get-SssAppPool -Name $script:SssAppPoolName)
    }
    return (Get-SssWindowsService -Name $script:SssServiceNames[$Service])
}

function Get-SssRunningFacts {
    param(
        [AllowNull()]
        [hashtable] $Running
    )
    if ($null -eq $Running) {
        Deny-SssCall -Code 'ServiceMissing' -Changed 'Unknown' -Message 'The service is gone.'
    }
    return [ordered]@{
        Name = $Running.Name
        State = $Running.State
        StartedAtUtc = $Running.StartedAtUtc
        ProcessId = $Running.ProcessId
    }
}

function Test-SssStartedSince {
    # Whether everything that runs started at or after the moment.
    [OutputType([bool])]
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Running,

        [datetime] $Since
    )
    if ($Running.State -cne 'Running') {
        return $false
    }
    if ($null -eq $Running.StartedAtUtc) {
        # A pool without a worker process holds nothing old; a service always has a start.
        return ($Running.ProcessId -eq 0 -and $Running.IsPool)
    }
    return ($Running.StartedAtUtc.ToUniversalTime() -ge $Since)
}

function Restart-SssWindowsService {
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Run,

        [Parameter(Mandatory = $true)]
        [hashtable] $Current,

        [datetime] $Deadline
    )
    if ($Current.State -ceq 'StartPending') {
        Wait-SssService -Name $Current.Name -State 'Running' -Deadline $Deadline
    }
    if ($Current.State -cne 'Stopped' -and $Current.State -cne 'StopPending') {
        Stop-SssWindowsService -Name $Current.Name
    }
    Wait-SssService -Name $Current.Name -State 'Stopped' -Deadline $Deadline
    Start-SssWindowsService -Name $Current.Name
    Wait-SssService -Name $Current.Name -State 'Running' -Deadline $Deadline
}

function Wait-SssService {
    param(
        [Parameter(Mandatory = $true)]
        [string] $Name,

        [Parameter(Mandatory = $true)]
        [string] $State,

        [datetime] $Deadline
    )
    while ($true) {
        $now = Get-SssWindowsService -Name $Name
        $word = 'Missing'
        if ($null -ne $now) {
            $word = $now.State
        }
        if ($word -ceq $State) {
            return
        }
        if ([System.DateTime]::UtcNow -ge $Deadline) {
            Deny-SssCall -Code 'ServiceTimeout' -Changed 'Unknown' -Message ('{0} is {1} and did not become {2} in time. A person must look; nothing was killed.' -f $Name, $word, $State)
        }
        Wait-SssMoment -Milliseconds 500
    }
}

function Restart-SssPool {
    # Recycling starts a new worker beside the old one. Done when no worker from before is left.
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Run,

        [Parameter(Mandatory = $true)]
        [hashtable] $Current,

        [datetime] $Deadline
    )
    $moment = [System.DateTime]::UtcNow
    if ($Current.State -ceq 'Running') {
        Restart-SssAppPool -Name $Current.Name
    }
    else {
        Start-SssAppPool -Name $Current.Name
    }
    while ($true) {
        $now = Get-SssAppPool -Name $Current.Name
        if ($null -ne $now -and (Test-SssStartedSince -Running $now -Since $moment)) {
            return
        }
        if ([System.DateTime]::UtcNow -ge $Deadline) {
            Deny-SssCall -Code 'ServiceTimeout' -Changed 'Unknown' -Message ('{0}: a worker process from before the recycle is still there. A person must look; nothing was killed.' -f $Current.Name)
        }
        Wait-SssMoment -Milliseconds 500
    }
}
