# Get-SssCertificate: certificates of LocalMachine\My that have a private key, or the one with a thumbprint.

function Get-SssCertificate {
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [ValidatePattern('^[0-9A-F]{40}\z', Options = 'None')]
        [string] $Thumbprint
    )
    $run = New-SssRun -Function 'Get-SssCertificate' -Call ([ordered]@{
            Thumbprint = [string] $Thumbprint
        })
    Invoke-SssLook -Run $run -Work 'Find-SssCertificates'
}
