# Windows services. Start name, start mode and process come from WMI; control from the service manager.

function Get-SssWindowsService {
    # Facts of one service, or nothing.
    param(
        [Parameter(Mandatory = $true)]
        [string] $Name
    )
    # The name is one of this module's own constants; nothing from a caller comes into the query.
    $query = "SELECT Name, State, StartMode, StartName, ProcessId FROM Win32_Service WHERE Name='" + $Name + "'"
    $searcher = [System.Management.ManagementObjectSearcher]::new($query)
    try {
        foreach ($row in $searcher.Get()) {
            $processId = [int] $row['ProcessId']
            return @{
                Name = [string] $row['Name']
                State = (Get-SssServiceStateWord -State ([string] $row['State']))
                StartMode = [string] $row['StartMode']
                Account = [string] $row['StartName']
                ProcessId = $processId
                StartedAtUtc = (Get-SssProcessStart -ProcessId $processId)
                IsPool = $false
            }
        }
    }
    finally {
        $searcher.Dispose()
    }
    return $null
}

function Get-SssServiceStateWord {
    # WMI says "Stop Pending", the contract StopPending.
    [OutputType([string])]
    param(
        [AllowEmptyString()]
        [string] $State
    )
    $word = $State.Replace(' ', '')
    if ($word -ceq '') {
        return 'Unknown'
    }
    if ($word -ceq 'ContinuePending' -or $word -ceq 'PausePending' -or $word -ceq 'Paused' -or
        $word -ceq 'Running' -or $word -ceq 'StartPending' -or $word -ceq 'StopPending' -or
        $word -ceq 'Stopped') {
        return $word
    }
    return 'Unknown'
}

function Get-SssProcessStart {
    # UTC, or nothing for process 0 and for one that has just ended.
    param(
        [int] $ProcessId
    )
    if ($ProcessId -eq 0) {
        return $null
    }
    try {
        return [System.Diagnostics.Process]::GetProcessById($ProcessId).StartTime.ToUniversalTime()
    }
    catch {
        return $null
    }
}

function Get-SssServiceName {
    # Names of the services that begin with a word.
    param(
        [Parameter(Mandatory = $true)]
        [string] $Prefix
    )
    foreach ($service in [System.ServiceProcess.ServiceController]::GetServices()) {
        if ($service.ServiceName.StartsWith($Prefix, [System.StringComparison]::OrdinalIgnoreCase)) {
            $service.ServiceName
        }
        $service.Dispose()
    }
}

function Stop-SssWindowsService {
    # Asks the service to stop and returns at once.
    param(
        [Parameter(Mandatory = $true)]
        [string] $Name
    )
    $service = [System.ServiceProcess.ServiceController]::new($Name)
    try {
        $service.Stop()
    }
    finally {
        $service.Dispose()
    }
}

function Start-SssWindowsService {
    param(
        [Parameter(Mandatory = $true)]
        [string] $Name
    )
    $service = [System.ServiceProcess.ServiceController]::new($Name)
    try {
        $service.Start()
    }
    finally {
        $service.Dispose()
    }
}
