# The envelope of every answer, and how a look function runs.

function New-SssRun {
    # One call under way. Work functions read Call and Secret, and write Before, After, Changed,
    # Restorable, Restored and Warnings; they set Touched just before their first effect.
    param(
        [Parameter(Mandatory = $true)]
        [string] $Function,

        [System.Collections.IDictionary] $Call = ([ordered]@{}),

        [hashtable] $Secret = @{}
    )
    $holdsSecret = $false
    foreach ($value in $Secret.Values) {
        if ($null -ne $value) {
            $holdsSecret = $true
        }
    }
    return @{
        Function = $Function
        Call = $Call
        Secret = $Secret
        HoldsSecret = $holdsSecret
        Touched = $false
        Changed = $false
        Before = $null
        After = $null
        Restorable = @{}
        Restored = [System.Collections.Generic.List[object]]::new()
        Warnings = [System.Collections.Generic.List[string]]::new()
        Result = $null
    }
}

function Format-SssAnswer {
    # The one string that a function writes.
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Run,

        [AllowNull()]
        $Result,

        [AllowNull()]
        $Failure
    )
    $answer = [ordered]@{
        ContractVersion = $script:SssContractVersion
        Function = $Run.Function
        ServerName = (Get-SssMachine).Name
        ServerTimeUtc = [System.DateTime]::UtcNow
        Ok = ($null -eq $Failure)
        Error = $Failure
        Result = $Result
        Warnings = $Run.Warnings
    }
    return (ConvertTo-SssJson -Value $answer)
}

function Assert-SssHost {
    # 32-bit PowerShell sees another registry and another key store.
    $identity = Get-SssIdentity
    if (-not $identity.Is64Bit) {
        Deny-SssCall -Code 'Not64Bit' -Message 'The endpoint runs in 32-bit PowerShell. Register it from 64-bit Windows PowerShell 5.1.'
    }
    if (-not $identity.Elevated) {
        Deny-SssCall -Code 'NotElevated' -Message ('{0} is not a local administrator of this server.' -f $identity.Name)
    }
}

function Invoke-SssLook {
    # Runs a work function that only reads. It sets $Run.Result.
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Run,

        [Parameter(Mandatory = $true)]
        [string] $Work
    )
    $failure = $null
    try {
        Assert-SssHost
        $null = & $Work -Run $Run
    }
    catch {
        $failure = ConvertTo-SssFailure -Exception $_.Exception -Run $Run
        $Run.Result = $null
    }
    return (Format-SssAnswer -Run $Run -Result $Run.Result -Failure $failure)
}
