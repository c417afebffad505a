# Stub cmdlets under the names of the snap-in Microsoft.Crm.PowerShell. They run in the private runspace
# of the tests, where $StubCrm is the deployment in memory.

function Get-CrmServer {
    param($DwsServerUrl, $Credential)
    Assert-StubCrm -Credential $Credential
    $StubCrm.Servers.ToArray()
}

function Get-CrmOrganization {
    param($DwsServerUrl, $Credential)
    Assert-StubCrm -Credential $Credential
    $StubCrm.Organizations.ToArray()
}

function Get-CrmCertificate {
    param($DwsServerUrl, $Credential)
    Assert-StubCrm -Credential $Credential
    $StubCrm.Certificates.ToArray()
}

function Set-CrmCertificate {
    param($CertificateType, $StoreName, $StoreLocation, $StoreFindType, $DataFile, $DwsServerUrl, $Credential)
    Assert-StubCrm -Credential $Credential
    $StubCrm.Calls.Add('Set-CrmCertificate')
    if ($StubCrm.IgnoresCertificate) {
        return
    }
    $data = [System.Convert]::ToBase64String([System.IO.File]::ReadAllBytes($DataFile))
    $StubCrm.Certificates.Clear()
    $StubCrm.Certificates.Add([pscustomobject]@{
            Id = [guid] 'c0f5c1b4-8a53-4f0e-a2a8-2f6d1c9b0e11'
            Name = 'S2STokenIssuer'
            CertificateType = $CertificateType
            StoreName = $StoreName
            StoreLocation = $StoreLocation
            StoreFindType = $StoreFindType
            Data = $data
        })
}

function Remove-CrmCertificate {
    param($Id, $DwsServerUrl, $Credential)
    Assert-StubCrm -Credential $Credential
    $StubCrm.Calls.Add('Remove-CrmCertificate')
    $StubCrm.Certificates.Clear()
}

function Get-CrmAdvancedSetting {
    param($ConfigurationEntityName, $Id, $Setting, $DwsServerUrl, $Credential)
    Assert-StubCrm -Credential $Credential
    $values = $StubCrm.ServerSettings
    if ($ConfigurationEntityName -eq 'Organization') {
        $values = @{ S2STenantId = $StubCrm.Tenants[[string] $Id] }
    }
    $list = New-Object -TypeName 'System.Collections.Generic.List[object]'
    foreach ($name in @($values.Keys)) {
        $list.Add([pscustomobject]@{ Key = $name; Value = $values[$name] })
    }
    [pscustomobject]@{ LogicalName = $ConfigurationEntityName; Attributes = $list }
}

function Set-CrmAdvancedSetting {
    param($Entity, $ConfigurationEntityName, $Id, $Setting, $Value, $DwsServerUrl, $Credential)
    Assert-StubCrm -Credential $Credential
    $StubCrm.Calls.Add('Set-CrmAdvancedSetting')
    if ($null -ne $Entity) {
        foreach ($attribute in $Entity.Attributes) {
            $StubCrm.ServerSettings[$attribute.Key] = $attribute.Value
        }
        return
    }
    $StubCrm.Tenants[[string] $Id] = $Value
}

function Get-CrmSetting {
    param($SettingType, $DwsServerUrl, $Credential)
    Assert-StubCrm -Credential $Credential
    [pscustomobject]@{ Enabled = ($SettingType -ne 'OAuthClaimsSettings') }
}

function Assert-StubCrm {
    param($Credential)
    if ($null -ne $Credential) {
        $StubCrm.Calls.Add('as ' + $Credential.UserName)
    }
    if ($StubCrm.Refuses) {
        throw (New-Object -TypeName 'System.UnauthorizedAccessException' -ArgumentList 'The caller is no administrator.')
    }
}
