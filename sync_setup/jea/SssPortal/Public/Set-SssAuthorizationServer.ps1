# Set-SssAuthorizationServer: whom the deployment trusts as authorization server.

function Set-SssAuthorizationServer {
    [CmdletBinding(DefaultParameterSetName = 'Cloud')]
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

        [Parameter(Mandatory = $true, ParameterSetName = 'Cloud')]
        [ValidateSet('Global', 'GccHigh', IgnoreCase = $false)]
        [string] $Cloud,

        [Parameter(Mandatory = $true, ParameterSetName = 'Restore')]
        [guid] $RestoreOperationId,

        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [ValidateLength(0, 200)]
        [string] $ExpectPrincipalId,

        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [ValidateLength(0, 500)]
        [string] $ExpectMetadataUrl,

        [System.Management.Automation.PSCredential] $DeploymentCredential
    )
    $restore = ''
    if ($PSCmdlet.ParameterSetName -ceq 'Restore') {
        $restore = $RestoreOperationId.ToString('D')
    }
    $run = New-SssRun -Function 'Set-SssAuthorizationServer' -Call ([ordered]@{
            Cloud = [string] $Cloud
            RestoreOperationId = $restore
            ExpectPrincipalId = $ExpectPrincipalId
            ExpectMetadataUrl = $ExpectMetadataUrl
        }) -Secret @{
        DeploymentCredential = $DeploymentCredential
    }
    $gate = @{
        PortalId = $PortalId
        Epoch = $Epoch
        Fence = $Fence
        OperationId = $OperationId
        Job = $Job
    }
    Invoke-SssChange -Run $run -Gate $gate -Resource 'deployment' -Work 'Update-SssAuthorizationServer'
}
