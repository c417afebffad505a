# Get-SssDeployment: servers, organizations, token issuer and settings of the deployment.

function Get-SssDeployment {
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [guid] $OrganizationId,

        [System.Management.Automation.PSCredential] $DeploymentCredential
    )
    $asked = ''
    if ($PSBoundParameters.ContainsKey('OrganizationId')) {
        $asked = $OrganizationId.ToString('D')
    }
    $run = New-SssRun -Function 'Get-SssDeployment' -Call ([ordered]@{
            OrganizationId = $asked
        }) -Secret @{
        DeploymentCredential = $DeploymentCredential
    }
    Invoke-SssLook -Run $run -Work 'Read-SssDeployment'
}
