# The work of the small functions: egress, operation, transfer files.

function Test-SssCloud {
    # Test-SssEgress: can this server reach what server-side synchronization talks to? A TLS handshake
    # and nothing more: no request, no credential, no token.
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Run
    )
    if (-not $script:SssClouds.ContainsKey($Run.Call.Cloud)) {
        Deny-SssCall -Code 'BadParameter' -Message 'This cloud is not in the table.'
    }
    $hosts = $script:SssClouds[$Run.Call.Cloud].EgressHosts
    $endpoints = [System.Collections.Generic.List[object]]::new()
    foreach ($name in $hosts) {
        $endpoints.Add((Test-SssEndpoint -HostName $name -Port 443))
    }
    $Run.Result = [ordered]@{
        RunAsIdentity = (Get-SssIdentity).Name
        Proxy = (Get-SssProxy -HostName $hosts[0])
        Endpoints = $endpoints
    }
}

function Find-SssOperation {
    # Get-SssOperation. Running only while the process that runs it lives; one that died without a word
    # shows as Failed with Changed Unknown, so that somebody looks.
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Run
    )
    $record = Read-SssOperation -OperationId $Run.Call.OperationId
    if ($null -eq $record) {
        $Run.Result = [ordered]@{
            State = 'Unknown'
            FunctionName = $null
            StartedAtUtc = $null
            EndedAtUtc = $null
            Error = $null
            StoredResult = $null
        }
        return
    }
    $failure = $null
    $stored = $null
    $ended = $null
    $state = $record.State
    if ($record.EndedAtUtc -cne '') {
        $ended = $record.EndedAtUtc
    }
    if ($record.Error -cne '') {
        $failure = New-SssRawJson -Json $record.Error
    }
    if ($state -ceq 'Done') {
        $stored = Get-SssStoredResult -Record $record -Replayed $false
    }
    if ($state -ceq 'Running' -and -not (Test-SssRecordAlive -Record $record)) {
        $state = 'Failed'
        $failure = [ordered]@{
            Code = 'Internal'
            Message = 'The process that carried this out ended before it recorded an outcome.'
            Changed = 'Unknown'
        }
    }
    $Run.Result = [ordered]@{
        State = $state
        FunctionName = $record.Function
        StartedAtUtc = $record.StartedAtUtc
        EndedAtUtc = $ended
        Error = $failure
        StoredResult = $stored
    }
}

function Test-SssRecordAlive {
    # The same process, not a later one with its number.
    [OutputType([bool])]
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Record
    )
    try {
        $process = [System.Diagnostics.Process]::GetProcessById([int] $Record.ProcessId)
        $started = $process.StartTime.ToUniversalTime()
    }
    catch {
        return $false
    }
    $recorded = ConvertFrom-SssInstant -Text $Record.ProcessStartedAtUtc
    if ($null -eq $recorded) {
        return $false
    }
    return ([math]::Abs(($started - $recorded).TotalSeconds) -lt 2)
}

function Get-SssTransferFile {
    # What a killed run left in the transfer folder.
    foreach ($path in [System.IO.Directory]::GetFiles((Get-SssStateFolder -Name 'Transfer'))) {
        $path
    }
}

function Clear-SssTransferFolder {
    # Clear-SssTransferFile. The mutex is held, so no run of ours is using a file.
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Run
    )
    $files = @(Get-SssTransferFile)
    $Run.Before = [ordered]@{ Files = $files.Count }
    $Run.After = $Run.Before
    if ($files.Count -eq 0) {
        return
    }
    $Run.Touched = $true
    foreach ($file in $files) {
        [System.IO.File]::Delete($file)
    }
    $Run.After = [ordered]@{ Files = @(Get-SssTransferFile).Count }
    $Run.Changed = $true
}
