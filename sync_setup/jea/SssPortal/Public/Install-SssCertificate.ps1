# Install-SssCertificate: a certificate with its key into LocalMachine\My, readable by the services.

function Install-SssCertificate {
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)]
        [guid] $PortalId,

        [Parameter(Mandatory = $true)]
        [ValidateRange(0, 9223372036854775807)]
        [long] $Epoch,

        [Parameter(Mandatory = $true)]
        [ValidateRange(0, 9223372036854775807)]
        [long] $Fence,

        [Parameter(Mandatory = $true)]
        [guid] $OperationId,

        [Parameter(Mandatory = $true)]
        [ValidatePattern('^J-[0-9]{1,9}\z', Options = 'None')]
        [string] $Job,

        [Parameter(Mandatory = $true)]
        [ValidateCount(1, 102400)]
        [byte[]] $PfxBytes,

        [Parameter(Mandatory = $true)]
        [System.Security.SecureString] $TransportPassword,

        [Parameter(Mandatory = $true)]
        [ValidatePattern('^[0-9A-F]{40}\z', Options = 'None')]
        [string] $Thumbprint,

        [Parameter(Mandatory = $true)]
        [ValidatePattern('^[0-9A-F]{64}\z', Options = 'None')]
        [string] $Sha256,

        [Parameter(Mandatory = $true)]
        [AllowEmptyCollection()]
        [ValidateCount(0, 2)]
        [ValidateSet('AsyncService', 'WebApplication', IgnoreCase = $false)]
        [string[]] $GrantRead,

        [ValidateSet('Import', 'ProductScript', IgnoreCase = $false)]
        [string] $Method = 'Import',

        [switch] $AllowSameSubject
    )
    $run = New-SssRun -Function 'Install-SssCertificate' -Call ([ordered]@{
            Thumbprint = $Thumbprint
            Sha256 = $Sha256
            GrantRead = @($GrantRead)
            Method = $Method
            AllowSameSubject = [bool] $AllowSameSubject
        }) -Secret @{
        PfxBytes = $PfxBytes
        TransportPassword = $TransportPassword
    }
    $gate = @{
        PortalId = $PortalId
        Epoch = $Epoch
        Fence = $Fence
        OperationId = $OperationId
        Job = $Job
    }
    Invoke-SssChange -Run $run -Gate $gate -Resource 'server' -Work 'Install-SssKey'
}
