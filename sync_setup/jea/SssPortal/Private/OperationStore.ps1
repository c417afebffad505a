# One file per operation, SYSTEM and Administrators only, no secret in it. Lines of name=value; a
# value is plain, base64 of UTF-8, or one line of JSON that is copied into answers as it stands.

function Get-SssOperationPath {
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)]
        [guid] $OperationId
    )
    return [System.IO.Path]::Combine((Get-SssStateFolder -Name 'Operations'), $OperationId.ToString('D') + '.operation')
}

function Get-SssParameterHash {
    # Of everything that makes two calls the same: the function and its own parameters. Secrets are
    # left out (the PFX is wrapped anew for every call), and so are the five parameters of every change
    # (a job that is resumed comes with a newer fence).
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Run
    )
    $json = ConvertTo-SssJson -Value ([ordered]@{ Function = $Run.Function; Call = $Run.Call })
    return (Get-SssSha256 -Bytes ([System.Text.Encoding]::UTF8.GetBytes($json)))
}

function New-SssOperation {
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Run,

        [Parameter(Mandatory = $true)]
        [hashtable] $Gate,

        [Parameter(Mandatory = $true)]
        [string] $ParameterHash
    )
    $process = [System.Diagnostics.Process]::GetCurrentProcess()
    return @{
        OperationId = $Gate.OperationId.ToString('D')
        Function = $Run.Function
        ParameterHash = $ParameterHash
        Job = $Gate.Job
        Epoch = [string] $Gate.Epoch
        Fence = [string] $Gate.Fence
        State = 'Running'
        StartedAtUtc = (Format-SssInstant -Instant ([System.DateTime]::UtcNow))
        EndedAtUtc = ''
        ProcessId = [string] $process.Id
        ProcessStartedAtUtc = (Format-SssInstant -Instant $process.StartTime)
        Changed = ''
        Seconds = ''
        Before = ''
        After = ''
        Error = ''
        Restorable = @{}
    }
}

function Complete-SssOperation {
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Record,

        [Parameter(Mandatory = $true)]
        [hashtable] $Run,

        [double] $Seconds
    )
    $Record.State = 'Done'
    $Record.EndedAtUtc = Format-SssInstant -Instant ([System.DateTime]::UtcNow)
    $Record.Changed = ConvertTo-SssJson -Value ([bool] $Run.Changed)
    $Record.Seconds = ConvertTo-SssJson -Value ([math]::Round($Seconds, 3))
    $Record.Before = ConvertTo-SssJson -Value $Run.Before
    $Record.After = ConvertTo-SssJson -Value $Run.After
    $Record.Restorable = $Run.Restorable
    Write-SssOperation -Record $Record
    # A restart changes no setting: were it counted, no restart could ever be newer than the last change.
    $counts = $Run.Function -cne 'Restart-SssService' -and $Run.Function -cne 'Clear-SssTransferFile'
    if ($Run.Changed -and $counts) {
        Write-SssRegistry -Path $script:SssRegistryPath -Name 'LastChangeUtc' -Value $Record.EndedAtUtc
    }
}

function Stop-SssOperation {
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Record,

        [Parameter(Mandatory = $true)]
        [System.Collections.IDictionary] $Failure
    )
    $Record.State = 'Failed'
    $Record.EndedAtUtc = Format-SssInstant -Instant ([System.DateTime]::UtcNow)
    $Record.Error = ConvertTo-SssJson -Value $Failure
    Write-SssOperation -Record $Record
}

function Write-SssOperation {
    # Whole or not at all: written beside the old file, flushed to the disk, then put in its place.
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Record
    )
    $lines = [System.Collections.Generic.List[string]]::new()
    $lines.Add('Contract=' + $script:SssContractVersion)
    foreach ($name in $script:SssOperationFields) {
        $lines.Add($name + '=' + [string] $Record[$name])
    }
    foreach ($name in $Record.Restorable.Keys) {
        $bytes = [System.Text.Encoding]::UTF8.GetBytes([string] $Record.Restorable[$name])
        $lines.Add('Restorable.' + $name + '=' + [System.Convert]::ToBase64String($bytes))
    }
    $path = Get-SssOperationPath -OperationId ([guid] $Record.OperationId)
    $content = [System.Text.Encoding]::UTF8.GetBytes([string]::Join("`n", $lines.ToArray()) + "`n")
    $fresh = $path + '.new'
    $stream = [System.IO.FileStream]::new($fresh, [System.IO.FileMode]::Create, [System.IO.FileAccess]::Write, [System.IO.FileShare]::None)
    try {
        $stream.Write($content, 0, $content.Length)
        $stream.Flush($true)
    }
    finally {
        $stream.Dispose()
    }
    if ([System.IO.File]::Exists($path)) {
        [System.IO.File]::Replace($fresh, $path, [System.Management.Automation.Language.NullString]::Value)
    }
    else {
        [System.IO.File]::Move($fresh, $path)
    }
}

$script:SssOperationFields = @(
    'OperationId', 'Function', 'ParameterHash', 'Job', 'Epoch', 'Fence', 'State', 'StartedAtUtc',
    'EndedAtUtc', 'ProcessId', 'ProcessStartedAtUtc', 'Changed', 'Seconds', 'Before', 'After', 'Error'
)

function Read-SssOperation {
    # The record, or nothing where there is none. Never a half-written one.
    param(
        [Parameter(Mandatory = $true)]
        [guid] $OperationId
    )
    $path = Get-SssOperationPath -OperationId $OperationId
    if (-not [System.IO.File]::Exists($path)) {
        return $null
    }
    $record = @{ Contract = ''; Restorable = @{} }
    foreach ($name in $script:SssOperationFields) {
        $record[$name] = ''
    }
    foreach ($line in [System.IO.File]::ReadAllLines($path, [System.Text.Encoding]::UTF8)) {
        $at = $line.IndexOf('=')
        if ($at -lt 1) {
            continue
        }
        $name = $line.Substring(0, $at)
        $value = $line.Substring($at + 1)
        if ($name.StartsWith('Restorable.', [System.StringComparison]::Ordinal)) {
            $bytes = [System.Convert]::FromBase64String($value)
            $record.Restorable[$name.Substring(11)] = [System.Text.Encoding]::UTF8.GetString($bytes)
        }
        else {
            $record[$name] = $value
        }
    }
    if ($record.Contract -cne $script:SssContractVersion) {
        Deny-SssCall -Code 'ContractMismatch' -Message ('The record of this operation was written under contract "{0}".' -f $record.Contract)
    }
    return $record
}

function Get-SssStoredResult {
    # The change result of a record that is Done.
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Record,

        [bool] $Replayed
    )
    return [ordered]@{
        OperationId = $Record.OperationId
        Changed = (New-SssRawJson -Json $Record.Changed)
        Replayed = $Replayed
        Seconds = (New-SssRawJson -Json $Record.Seconds)
        Before = (New-SssRawJson -Json $Record.Before)
        After = (New-SssRawJson -Json $Record.After)
    }
}

function Get-SssRestorable {
    # What this server recorded before a change of its own, or NotOurs.
    param(
        [Parameter(Mandatory = $true)]
        [guid] $OperationId,

        [Parameter(Mandatory = $true)]
        [string] $Function
    )
    $record = Read-SssOperation -OperationId $OperationId
    if ($null -eq $record -or $record.Function -cne $Function -or $record.State -cne 'Done') {
        Deny-SssCall -Code 'NotOurs' -Message ('This server has no record of a finished {0} with that operation id, so there is nothing it may restore.' -f $Function)
    }
    return $record.Restorable
}
