# Set-SssCertificateState: archives, brings back or removes a certificate.

function Set-SssCertificateState {
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
        [ValidatePattern('^[0-9A-F]{40}\z', Options = 'None')]
        [string] $Thumbprint,

        [Parameter(Mandatory = $true)]
        [ValidateSet('Active', 'Archived', 'Absent', IgnoreCase = $false)]
        [string] $State,

        [Parameter(Mandatory = $true)]
        [ValidateSet('Active', 'Archived', 'Absent', IgnoreCase = $false)]
        [string] $ExpectState
    )
    $run = New-SssRun -Function 'Set-SssCertificateState' -Call ([ordered]@{
            Thumbprint = $Thumbprint
            State = $State
            ExpectState = $ExpectState
        })
    $gate = @{
        PortalId = $PortalId
        Epoch = $Epoch
        Fence = $Fence
        OperationId = $OperationId
        Job = $Job
    }
    Invoke-SssChange -Run $run -Gate $gate -Resource 'server' -Work 'Update-SssCertificateState'
}
