@{
    RootModule = 'SssPortal.psm1'
    ModuleVersion = '1.0.0'
    GUID = 'e4c5b7d1-52c6-4f4e-9d0e-6a2d5b8f1c30'
    Author = 'SSS Portal'
    CompanyName = 'SSS Portal'
    Copyright = 'The SSS Portal project'
    Description = 'What SSS Portal may look at and change on a Dynamics 365 server, contract 1.0.'
    PowerShellVersion = '5.1'
    FunctionsToExport = @(
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
    CmdletsToExport = @()
    VariablesToExport = @()
    AliasesToExport = @()
}
