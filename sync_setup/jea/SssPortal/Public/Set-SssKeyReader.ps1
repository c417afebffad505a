# Set-SssKeyReader: gives or takes Read on a private key for a role of this server.

function Set-SssKeyReader {
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
        [ValidateCount(1, 2)]
        [ValidateSet('AsyncService', 'WebApplication', IgnoreCase = $false)]
        [string[]] $Role,

        [Parameter(Mandatory = $true)]
        [ValidateSet('Read', 'None', IgnoreCase = $false)]
        [string] $Access
    )
    $run = New-SssRun -Function 'Set-SssKeyReader' -Call ([ordered]@{
            Thumbprint = $Thumbprint
            Role = @($Role)
            Access = $Access
        })
    $gate = @{
        PortalId = $PortalId
        Epoch = $Epoch
        Fence = $Fence
        OperationId = $OperationId
        Job = $Job
    }
    Invoke-SssChange -Run $run -Gate $gate -Resource 'server' -Work 'Update-SssKeyReader'
}
