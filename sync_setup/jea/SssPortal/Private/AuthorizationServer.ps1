# The two ServerSettings that name whom the deployment trusts as authorization server.

function Read-SssAuthorizationServer {
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Crm
    )
    $where = @{ ConfigurationEntityName = 'ServerSettings' }
    $principal = Read-SssAdvancedSetting -Crm $Crm -Where $where -Setting 'S2SDefaultAuthorizationServerPrincipalId'
    $asGuid = Get-SssGuidText -Value $principal
    if ($asGuid -cne '') {
        $principal = $asGuid
    }
    return [ordered]@{
        S2SDefaultAuthorizationServerPrincipalId = $principal
        S2SDefaultAuthorizationServerMetadataUrl = (Read-SssAdvancedSetting -Crm $Crm -Where $where -Setting 'S2SDefaultAuthorizationServerMetadataUrl')
    }
}

function Update-SssAuthorizationServer {
    # Set-SssAuthorizationServer: a value of the closed cloud table, or what this server recorded before
    # a change of its own. An address from outside is never written.
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Run
    )
    if ($Run.Call.RestoreOperationId -cne '') {
        $kept = Get-SssRestorable -OperationId $Run.Call.RestoreOperationId -Function $Run.Function
        $principal = $kept['S2SDefaultAuthorizationServerPrincipalId']
        $url = $kept['S2SDefaultAuthorizationServerMetadataUrl']
    }
    else {
        $principal = $script:SssClouds[$Run.Call.Cloud].PrincipalId
        $url = $script:SssClouds[$Run.Call.Cloud].MetadataUrl
    }
    $crm = Open-SssCrm -Credential $Run.Secret.DeploymentCredential
    try {
        $before = Read-SssAuthorizationServer -Crm $crm
        $Run.Before = $before
        $Run.After = $before
        $Run.Restorable = @{
            S2SDefaultAuthorizationServerPrincipalId = $before.S2SDefaultAuthorizationServerPrincipalId
            S2SDefaultAuthorizationServerMetadataUrl = $before.S2SDefaultAuthorizationServerMetadataUrl
        }
        if (Test-SssAuthorizationServer -Facts $before -Principal $principal -Url $url) {
            return
        }
        if (-not (Test-SssAuthorizationServer -Facts $before -Principal $Run.Call.ExpectPrincipalId -Url $Run.Call.ExpectMetadataUrl)) {
            Deny-SssCall -Code 'UnexpectedState' -Message ('The authorization server is "{0}" at "{1}", not as expected.' -f $before.S2SDefaultAuthorizationServerPrincipalId, $before.S2SDefaultAuthorizationServerMetadataUrl)
        }
        $Run.Touched = $true
        Write-SssAuthorizationServer -Crm $crm -Principal $principal -Url $url
        $after = Read-SssAuthorizationServer -Crm $crm
        $Run.After = $after
        if (-not (Test-SssAuthorizationServer -Facts $after -Principal $principal -Url $url)) {
            Deny-SssCall -Code 'UnexpectedState' -Changed 'Unknown' -Message ('Read back, the authorization server is "{0}" at "{1}".' -f $after.S2SDefaultAuthorizationServerPrincipalId, $after.S2SDefaultAuthorizationServerMetadataUrl)
        }
        $Run.Changed = $true
    }
    finally {
        Close-SssCrm -Crm $crm
    }
}

function Test-SssAuthorizationServer {
    [OutputType([bool])]
    param(
        [Parameter(Mandatory = $true)]
        [System.Collections.IDictionary] $Facts,

        [AllowEmptyString()]
        [string] $Principal,

        [AllowEmptyString()]
        [string] $Url
    )
    $samePrincipal = $Facts.S2SDefaultAuthorizationServerPrincipalId -ieq $Principal
    return ($samePrincipal -and $Facts.S2SDefaultAuthorizationServerMetadataUrl -ceq $Url)
}

function Write-SssAuthorizationServer {
    # Both attributes in one entity and one call, as Microsoft's own script does it: no moment with one
    # of them old and one new.
    # Source: microsoft/PowerApps-Samples, ConfigureCrmServerSideSync.ps1.
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Crm,

        [AllowEmptyString()]
        [string] $Principal,

        [AllowEmptyString()]
        [string] $Url
    )
    $entity = New-SssConfigurationEntity -LogicalName 'ServerSettings' -Attributes ([ordered]@{
            # GUESS: empty text unsets a value that was never set before.
            S2SDefaultAuthorizationServerPrincipalId = $Principal
            S2SDefaultAuthorizationServerMetadataUrl = $Url
        })
    $null = Invoke-SssCrm -Crm $Crm -Command 'Set-CrmAdvancedSetting' -Parameters @{ Entity = $entity }
}
