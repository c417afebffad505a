# How a changing function runs: identity, portal, mutex, fence, operation, work, record.

function Invoke-SssChange {
    # Gate holds the five parameters of every change: PortalId, Epoch, Fence, OperationId, Job.
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Run,

        [Parameter(Mandatory = $true)]
        [hashtable] $Gate,

        [Parameter(Mandatory = $true)]
        [ValidateSet('server', 'deployment')]
        [string] $Resource,

        [Parameter(Mandatory = $true)]
        [string] $Work
    )
    $failure = $null
    $result = $null
    try {
        Assert-SssHost
        Assert-SssPortal -PortalId $Gate.PortalId
        $mutex = Enter-SssMutex
        if ($null -eq $mutex) {
            Deny-SssCall -Code 'Busy' -Message 'Another change is under way on this server.'
        }
        try {
            Update-SssFence -Resource $Resource -Epoch $Gate.Epoch -Fence $Gate.Fence
            $result = Invoke-SssOperation -Run $Run -Gate $Gate -Work $Work
        }
        finally {
            Exit-SssMutex -Mutex $mutex
        }
    }
    catch {
        $failure = ConvertTo-SssFailure -Exception $_.Exception -Run $Run
        $result = $null
    }
    return (Format-SssAnswer -Run $Run -Result $result -Failure $failure)
}

function Assert-SssPortal {
    # Only the portal that the installer named may change anything here.
    param(
        [Parameter(Mandatory = $true)]
        [guid] $PortalId
    )
    $installed = Read-SssRegistry -Path $script:SssRegistryPath -Name 'ContractVersion'
    if ($installed -cne $script:SssContractVersion) {
        Deny-SssCall -Code 'ContractMismatch' -Message ('This server was set up for contract "{0}"; the module is of contract {1}. Run Install-SssPortal.ps1 again.' -f $installed, $script:SssContractVersion)
    }
    $mine = Read-SssRegistry -Path $script:SssRegistryPath -Name 'PortalId'
    $known = [guid]::Empty
    if (-not [guid]::TryParse([string] $mine, [ref] $known) -or $known -ne $PortalId) {
        Deny-SssCall -Code 'WrongPortal' -Message 'This server belongs to another portal. Run Install-SssPortal.ps1 with -PortalId to change that.'
    }
}

function Update-SssFence {
    # Refuses whoever is older than the newest holder seen for this resource, then remembers the new one.
    # A restore of the portal's database raises the epoch, so its smaller fences are newer all the same.
    param(
        [Parameter(Mandatory = $true)]
        [string] $Resource,

        [Parameter(Mandatory = $true)]
        [long] $Epoch,

        [Parameter(Mandatory = $true)]
        [long] $Fence
    )
    # One value for both numbers: two writes could be torn apart by a crash.
    $stored = Read-SssRegistry -Path $script:SssFencesPath -Name $Resource
    if ($null -ne $stored) {
        $parts = ([string] $stored).Split(' ')
        $oldEpoch = [long]::Parse($parts[0], [System.Globalization.CultureInfo]::InvariantCulture)
        $oldFence = [long]::Parse($parts[1], [System.Globalization.CultureInfo]::InvariantCulture)
        if ($Epoch -lt $oldEpoch -or ($Epoch -eq $oldEpoch -and $Fence -lt $oldFence)) {
            Deny-SssCall -Code 'StaleFence' -Message ('A newer holder ({0}, {1}) has been here; ({2}, {3}) is out of date.' -f $oldEpoch, $oldFence, $Epoch, $Fence)
        }
        if ($Epoch -eq $oldEpoch -and $Fence -eq $oldFence) {
            return
        }
    }
    Write-SssRegistry -Path $script:SssFencesPath -Name $Resource -Value ('{0} {1}' -f $Epoch, $Fence)
}

function Invoke-SssOperation {
    # Runs the work once per OperationId. The record is written before and after the work.
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Run,

        [Parameter(Mandatory = $true)]
        [hashtable] $Gate,

        [Parameter(Mandatory = $true)]
        [string] $Work
    )
    $hash = Get-SssParameterHash -Run $Run
    $known = Read-SssOperation -OperationId $Gate.OperationId
    if ($null -ne $known) {
        if ($known.Function -cne $Run.Function -or $known.ParameterHash -cne $hash) {
            Deny-SssCall -Code 'OperationMismatch' -Message 'This operation id was used for another call.'
        }
        if ($known.State -ceq 'Done') {
            return (Get-SssStoredResult -Record $known -Replayed $true)
        }
        # The mutex is ours, so a record that says Running was left by a process that died.
    }
    $record = New-SssOperation -Run $Run -Gate $Gate -ParameterHash $hash
    Write-SssOperation -Record $record
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    $recorded = $false
    try {
        $null = & $Work -Run $Run
        Complete-SssOperation -Record $record -Run $Run -Seconds $watch.Elapsed.TotalSeconds
        $recorded = $true
        return (Get-SssStoredResult -Record $record -Replayed $false)
    }
    catch {
        $failure = ConvertTo-SssFailure -Exception $_.Exception -Run $Run
        Stop-SssOperation -Record $record -Failure $failure
        $recorded = $true
        throw
    }
    finally {
        # A stopped pipeline comes by here and not through catch.
        if (-not $recorded) {
            $changed = 'No'
            if ($Run.Touched) {
                $changed = 'Unknown'
            }
            Stop-SssOperation -Record $record -Failure ([ordered]@{
                    Code = 'Internal'
                    Message = 'The call was stopped before it ended.'
                    Changed = $changed
                })
        }
    }
}
