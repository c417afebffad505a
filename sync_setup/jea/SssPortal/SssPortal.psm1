# SssPortal: the JEA endpoint of SSS Portal on a CRM server. The contract it keeps is
# docs/crm-server-contract.md of the portal, version 1.0.
#
# Order: Private (rules), Private/Windows (all access to the machine), Public (the contract).
#
# Only language, .NET and Microsoft.PowerShell.Core are used in the session's own runspace: a module
# or snap-in that is loaded there makes its commands visible past the role capability
# (PowerShell/PowerShell issue 4187). What needs a cmdlet runs it in a private runspace.

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

foreach ($folder in @('Private', 'Private/Windows', 'Public')) {
    $path = [System.IO.Path]::Combine($PSScriptRoot, $folder)
    foreach ($file in [System.IO.Directory]::GetFiles($path, '*.ps1')) {
        . $file
    }
}

Export-ModuleMember -Function @(
    'Get-SssServer'
    'Get-SssCertificate'
    'Get-SssDeployment'
    'Test-SssEgress'
    'Get-SssOperation'
    'Install-SssCertificate'
    'Set-SssKeyReader'
    'Set-SssCertificateState'
    'Set-SssTokenIssuer'
    'Set-SssAuthorizationServer'
    'Set-SssOrganizationTenant'
    'Restart-SssService'
    'Clear-SssTransferFile'
)
