# Get-SssDeployment: the deployment as its web service tells it.

function Read-SssDeployment {
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Run
    )
    $crm = Open-SssCrm -Credential $Run.Secret.DeploymentCredential
    try {
        $issuers = @(Read-SssTokenIssuers -Crm $crm)
        $issuer = $null
        if ($issuers.Count -gt 0) {
            $issuer = $issuers[0]
        }
        $server = Read-SssAuthorizationServer -Crm $crm
        $who = (Get-SssIdentity).Name
        if ($null -ne $crm.Credential) {
            $who = $crm.Credential.UserName
        }
        $Run.Result = [ordered]@{
            Deployment = [ordered]@{
                DeploymentServiceUrl = $crm.Url
                RunAsIdentity = $who
                Servers = @(Read-SssCrmServers -Crm $crm)
                Organizations = @(Read-SssOrganizations -Crm $crm -OrganizationId $Run.Call.OrganizationId)
                TokenIssuer = $issuer
                TokenIssuerCount = $issuers.Count
                S2SDefaultAuthorizationServerPrincipalId = $server.S2SDefaultAuthorizationServerPrincipalId
                S2SDefaultAuthorizationServerMetadataUrl = $server.S2SDefaultAuthorizationServerMetadataUrl
                ClaimsEnabled = (Read-SssSwitch -Crm $crm -SettingType 'ClaimsSettings')
                IfdEnabled = (Read-SssSwitch -Crm $crm -SettingType 'IfdSettings')
                OAuthEnabled = (Read-SssSwitch -Crm $crm -SettingType 'OAuthClaimsSettings')
            }
        }
    }
    finally {
        Close-SssCrm -Crm $crm
    }
}

function Read-SssCrmServers {
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Crm
    )
    foreach ($server in @(Invoke-SssCrm -Crm $Crm -Command 'Get-CrmServer')) {
        [ordered]@{
            Id = (Get-SssGuidText -Value (Get-SssProperty -InputObject $server -Name 'Id'))
            Name = [string] (Get-SssProperty -InputObject $server -Name 'Name')
            Roles = @(Get-SssRoleWords -Roles (Get-SssProperty -InputObject $server -Name 'Roles'))
            State = [string] (Get-SssProperty -InputObject $server -Name 'State')
            Version = [string] (Get-SssProperty -InputObject $server -Name 'Version')
        }
    }
}

function Get-SssRoleWords {
    # The contract's words for CRM's server roles, each once.
    # GUESS: the role names are flags that print as "A, B"; the words below are parts of Microsoft's
    # names. A role that fits none is Other.
    param(
        [AllowNull()]
        $Roles
    )
    $words = [System.Collections.Generic.List[string]]::new()
    foreach ($role in ([string] $Roles).Split([char[]] @(',', ' ', ';'), [System.StringSplitOptions]::RemoveEmptyEntries)) {
        $word = 'Other'
        if ($role -match 'async') {
            $word = 'Async'
        }
        elseif ($role -match 'mail') {
            $word = 'EmailIntegration'
        }
        elseif ($role -match 'tools') {
            $word = 'DeploymentTools'
        }
        elseif ($role -match 'app') {
            $word = 'WebApplication'
        }
        if (-not $words.Contains($word)) {
            $words.Add($word)
        }
    }
    return $words.ToArray()
}

function Read-SssOrganizations {
    # The tenant id is read for the organization asked for and for no other: it is a call of its own.
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Crm,

        [AllowEmptyString()]
        [string] $OrganizationId
    )
    $asked = $false
    foreach ($organization in @(Invoke-SssCrm -Crm $Crm -Command 'Get-CrmOrganization')) {
        $id = Get-SssGuidText -Value (Get-SssProperty -InputObject $organization -Name 'Id')
        $tenant = $null
        if ($id -ceq $OrganizationId) {
            $asked = $true
            $tenant = Read-SssTenant -Crm $Crm -OrganizationId $id
        }
        [ordered]@{
            Id = $id
            UniqueName = [string] (Get-SssProperty -InputObject $organization -Name 'UniqueName')
            FriendlyName = [string] (Get-SssProperty -InputObject $organization -Name 'FriendlyName')
            State = [string] (Get-SssProperty -InputObject $organization -Name 'State')
            Version = [string] (Get-SssProperty -InputObject $organization -Name 'Version')
            S2STenantId = $tenant
        }
    }
    if ($OrganizationId -cne '' -and -not $asked) {
        Deny-SssCall -Code 'OrganizationNotFound' -Message ('The deployment has no organization with the id {0}.' -f $OrganizationId)
    }
}

function Read-SssTenant {
    # S2STenantId, or nothing where it is not set.
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Crm,

        [Parameter(Mandatory = $true)]
        [string] $OrganizationId
    )
    $where = @{
        ConfigurationEntityName = 'Organization'
        Id = [guid] $OrganizationId
        Setting = 'S2STenantId'
    }
    $tenant = Get-SssGuidText -Value (Read-SssAdvancedSetting -Crm $Crm -Where $where -Setting 'S2STenantId')
    # GUESS: an unset GUID may come as nothing or as all zeros.
    if ($tenant -ceq '' -or $tenant -ceq [guid]::Empty.ToString('D')) {
        return $null
    }
    return $tenant
}

function Read-SssSwitch {
    # Whether claims, IFD or OAuth are on.
    [OutputType([bool])]
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Crm,

        [Parameter(Mandatory = $true)]
        [string] $SettingType
    )
    foreach ($setting in @(Invoke-SssCrm -Crm $Crm -Command 'Get-CrmSetting' -Parameters @{ SettingType = $SettingType })) {
        return [bool] (Get-SssProperty -InputObject $setting -Name 'Enabled')
    }
    return $false
}
