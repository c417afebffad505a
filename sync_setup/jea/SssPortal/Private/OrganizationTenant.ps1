# Set-SssOrganizationTenant: which Exchange Online tenant an organization syncs with.

function Update-SssOrganizationTenant {
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Run
    )
    $call = $Run.Call
    $wanted = $call.TenantId
    if ($call.RestoreOperationId -cne '') {
        $kept = Get-SssRestorable -OperationId $call.RestoreOperationId -Function $Run.Function
        if ($kept['OrganizationId'] -cne $call.OrganizationId) {
            Deny-SssCall -Code 'NotOurs' -Message 'That operation changed another organization.'
        }
        $wanted = $kept['S2STenantId']
    }
    $crm = Open-SssCrm -Credential $Run.Secret.DeploymentCredential
    try {
        Assert-SssOrganization -Run $Run -Crm $crm
        $current = [string] (Read-SssTenant -Crm $crm -OrganizationId $call.OrganizationId)
        $Run.Before = Get-SssTenantFacts -Run $Run -Tenant $current
        $Run.After = $Run.Before
        $Run.Restorable = @{ OrganizationId = $call.OrganizationId; S2STenantId = $current }
        if ($current -ceq $wanted) {
            return
        }
        if ($current -cne $call.ExpectTenantId) {
            Deny-SssCall -Code 'UnexpectedState' -Message ('The tenant id is "{0}", not "{1}" as expected.' -f $current, $call.ExpectTenantId)
        }
        $Run.Touched = $true
        # GUESS: empty text unsets a value that was never set before.
        $null = Invoke-SssCrm -Crm $crm -Command 'Set-CrmAdvancedSetting' -Parameters ([ordered]@{
                Id = [guid] $call.OrganizationId
                ConfigurationEntityName = 'Organization'
                Setting = 'S2STenantId'
                Value = $wanted
            })
        $after = [string] (Read-SssTenant -Crm $crm -OrganizationId $call.OrganizationId)
        $Run.After = Get-SssTenantFacts -Run $Run -Tenant $after
        if ($after -cne $wanted) {
            Deny-SssCall -Code 'UnexpectedState' -Changed 'Unknown' -Message ('The tenant id was to become "{0}"; read back, it is "{1}".' -f $wanted, $after)
        }
        $Run.Changed = $true
    }
    finally {
        Close-SssCrm -Crm $crm
    }
}

function Assert-SssOrganization {
    # Id and unique name must name the same organization, letter for letter: names differ in case between
    # deployments, and a copied organization keeps its name.
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Run,

        [Parameter(Mandatory = $true)]
        [hashtable] $Crm
    )
    foreach ($organization in @(Invoke-SssCrm -Crm $Crm -Command 'Get-CrmOrganization')) {
        $id = Get-SssGuidText -Value (Get-SssProperty -InputObject $organization -Name 'Id')
        if ($id -cne $Run.Call.OrganizationId) {
            continue
        }
        $name = [string] (Get-SssProperty -InputObject $organization -Name 'UniqueName')
        if (-not [string]::Equals($name, $Run.Call.UniqueName, [System.StringComparison]::Ordinal)) {
            Deny-SssCall -Code 'OrganizationNotFound' -Message ('The organization with this id is named "{0}".' -f $name)
        }
        $state = [string] (Get-SssProperty -InputObject $organization -Name 'State')
        if ($state -cne 'Enabled') {
            Deny-SssCall -Code 'OrganizationDisabled' -Message ('The organization is {0}. Enable it first.' -f $state)
        }
        return
    }
    Deny-SssCall -Code 'OrganizationNotFound' -Message ('The deployment has no organization with the id {0}.' -f $Run.Call.OrganizationId)
}

function Get-SssTenantFacts {
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Run,

        [AllowEmptyString()]
        [string] $Tenant
    )
    $value = $null
    if ($Tenant -cne '') {
        $value = $Tenant
    }
    return [ordered]@{
        OrganizationId = $Run.Call.OrganizationId
        UniqueName = $Run.Call.UniqueName
        S2STenantId = $value
    }
}
