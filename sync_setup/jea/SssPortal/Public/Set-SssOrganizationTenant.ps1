# Set-SssOrganizationTenant: which Exchange Online tenant an organization syncs with.

function Set-SssOrganizationTenant {
    [CmdletBinding(DefaultParameterSetName = 'Tenant')]
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
        [guid] $OrganizationId,

        [Parameter(Mandatory = $true)]
        [ValidatePattern('^[A-Za-z0-9_-]{1,64}\z', Options = 'None')]
        [string] $UniqueName,

        [Parameter(Mandatory = $true, ParameterSetName = 'Tenant')]
        [guid] $TenantId,

        [Parameter(Mandatory = $true, ParameterSetName = 'Restore')]
        [guid] $RestoreOperationId,

        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [ValidatePattern('^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})?\z', Options = 'None')]
        [string] $ExpectTenantId,

        [System.Management.Automation.PSCredential] $DeploymentCredential
    )
    $tenant = ''
    if ($PSCmdlet.ParameterSetName -ceq 'Tenant') {
        $tenant = $TenantId.ToString('D')
    }
    $restore = ''
    if ($PSCmdlet.ParameterSetName -ceq 'Restore') {
        $restore = $RestoreOperationId.ToString('D')
    }
    $run = New-SssRun -Function 'Set-SssOrganizationTenant' -Call ([ordered]@{
            OrganizationId = $OrganizationId.ToString('D')
            UniqueName = $UniqueName
            TenantId = $tenant
            RestoreOperationId = $restore
            ExpectTenantId = $ExpectTenantId
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
    Invoke-SssChange -Run $run -Gate $gate -Resource 'deployment' -Work 'Update-SssOrganizationTenant'
}
