# What the contract fixes: its version, the cloud table, the names of the services.

$script:SssContractVersion = '1.0'
$script:SssModuleVersion = '1.0.0'
$script:SssModuleRoot = [System.IO.Path]::GetDirectoryName($PSScriptRoot)

# The only authorization servers and hosts this module knows. No caller can name another one.
# Source: learn.microsoft.com, "Connect Dynamics 365 (on-premises) to Exchange Online".
$script:SssClouds = @{
    Global = @{
        PrincipalId = '00000001-0000-0000-c000-000000000000'
        MetadataUrl = 'https://accounts.accesscontrol.windows.net/metadata/json/1'
        EgressHosts = @(
            'accounts.accesscontrol.windows.net'
            'outlook.office365.com'
            'login.microsoftonline.com'
        )
    }
    GccHigh = @{
        PrincipalId = '00000001-0000-0000-c000-000000000000'
        MetadataUrl = 'https://login.microsoftonline.us/metadata/json/1'
        EgressHosts = @(
            'login.microsoftonline.us'
            'outlook.office365.us'
        )
    }
}

$script:SssServiceNames = @{
    Async = 'MSCRMAsyncService'
    AsyncMaintenance = 'MSCRMAsyncService$maintenance'
}
$script:SssAppPoolName = 'CRMAppPool'
$script:SssSnapInName = 'Microsoft.Crm.PowerShell'

# Microsoft's own name of the certificate type that signs tokens for Exchange Online.
$script:SssIssuerType = 'S2STokenIssuer'
$script:SssFindType = 'FindBySubjectDistinguishedName'

# HKLM paths. The installer writes PortalId and ContractVersion; the module writes the rest.
$script:SssRegistryPath = 'SOFTWARE\SssPortal'
$script:SssFencesPath = 'SOFTWARE\SssPortal\Fences'
$script:SssInstalledPath = 'SOFTWARE\SssPortal\Installed'
$script:SssReadersPath = 'SOFTWARE\SssPortal\Readers'

# SYSTEM and Administrators: never given to or taken from a key by this module.
$script:SssUntouchableSids = @('S-1-5-18', 'S-1-5-32-544')
