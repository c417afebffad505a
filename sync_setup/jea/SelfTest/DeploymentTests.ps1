# The functions of the Deployment Tools server.

function Get-IssuerCall {
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Pfx,

        [string] $Expect = ''
    )
    return (Join-Table -First (New-Gate) -Second @{
            CertificateBytes = $Pfx.Certificate.RawData
            ExpectThumbprint = $Expect
        })
}

function Get-TenantCall {
    param(
        [string] $UniqueName = 'ContosoSales',
        [string] $Expect = ''
    )
    return (Join-Table -First (New-Gate) -Second @{
            OrganizationId = [guid] '5b0c2c5e-6a0d-4f0a-9d35-1f6f3f1d7a01'
            UniqueName = $UniqueName
            TenantId = [guid] 'aaaaaaaa-0000-4000-8000-000000000001'
            ExpectTenantId = $Expect
        })
}

Add-SelfTest -Name 'Get-SssDeployment tells servers, organizations and settings' -Body {
    param($world)
    $deployment = (Invoke-Function -Function 'Get-SssDeployment').Deployment
    Assert-Equal -Found $deployment.Servers[0].Name -Wanted 'CRM-APP01' -What 'server'
    Assert-Equal -Found ([string]::Join(',', $deployment.Servers[0].Roles)) -Wanted 'WebApplication,Async,DeploymentTools' -What 'Roles'
    Assert-Equal -Found $deployment.Organizations[0].UniqueName -Wanted 'ContosoSales' -What 'organization'
    Assert-That -Condition ($null -eq $deployment.TokenIssuer) -Because 'there is no issuer yet'
    Assert-Equal -Found $deployment.S2SDefaultAuthorizationServerPrincipalId -Wanted '' -What 'principal'
    Assert-Equal -Found $deployment.ClaimsEnabled -Wanted $true -What 'ClaimsEnabled'
    Assert-Equal -Found $deployment.OAuthEnabled -Wanted $false -What 'OAuthEnabled'
}

Add-SelfTest -Name 'an unknown organization id is refused' -Body {
    param($world)
    Assert-Refused -Function 'Get-SssDeployment' -Code 'OrganizationNotFound' -With @{ OrganizationId = [guid]::NewGuid() }
}

Add-SelfTest -Name 'no Deployment Tools, virtual account, refused caller: each has its code' -Body {
    param($world)
    $world.Crm.Refuses = $true
    Assert-Refused -Function 'Get-SssDeployment' -Code 'NotDeploymentAdministrator'
    $world.Crm.Refuses = $false
    $world.Identity.Kind = 'VirtualAccount'
    Assert-Refused -Function 'Get-SssDeployment' -Code 'NotDeploymentAdministrator'
    $world.SnapIn = $false
    Assert-Refused -Function 'Get-SssDeployment' -Code 'NotDeploymentTools'
}

Add-SelfTest -Name 'a DeploymentCredential is used for every cmdlet' -Body {
    param($world)
    $world.Identity.Kind = 'VirtualAccount'
    $credential = [System.Management.Automation.PSCredential]::new('CONTOSO\crmadmin', (ConvertTo-TestSecret -Text 'x'))
    $deployment = (Invoke-Function -Function 'Get-SssDeployment' -With @{ DeploymentCredential = $credential }).Deployment
    Assert-Equal -Found $deployment.RunAsIdentity -Wanted 'CONTOSO\crmadmin' -What 'RunAsIdentity'
    Assert-That -Condition ($world.Crm.Calls.Count -ge 7) -Because 'a cmdlet ran without the credential'
}

Add-SelfTest -Name 'the token issuer is set, read back, and put back to none' -Body {
    param($world)
    $pfx = New-TestPfx
    Assert-Refused -Function 'Set-SssTokenIssuer' -Code 'CertificateNotFound' -With (Get-IssuerCall -Pfx $pfx)
    $null = Invoke-Function -Function 'Install-SssCertificate' -With (Get-InstallCall -Pfx $pfx)
    $result = Invoke-Function -Function 'Set-SssTokenIssuer' -With (Get-IssuerCall -Pfx $pfx)
    Assert-Equal -Found $result.After.TokenIssuer.Thumbprint -Wanted $pfx.Thumbprint -What 'issuer'
    Assert-Equal -Found $result.After.TokenIssuer.StoreFindType -Wanted 'FindBySubjectDistinguishedName' -What 'StoreFindType'
    $same = Invoke-Function -Function 'Set-SssTokenIssuer' -With (Get-IssuerCall -Pfx $pfx)
    Assert-Equal -Found $same.Changed -Wanted $false -What 'Changed'
    $state = Join-Table -First (New-Gate) -Second @{ Thumbprint = $pfx.Thumbprint; State = 'Archived'; ExpectState = 'Active' }
    Assert-Refused -Function 'Set-SssCertificateState' -Code 'InUse' -With $state
    $none = Join-Table -First (New-Gate) -Second @{ Absent = $true; ExpectThumbprint = $pfx.Thumbprint }
    Assert-That -Condition ($null -eq (Invoke-Function -Function 'Set-SssTokenIssuer' -With $none).After.TokenIssuer) -Because 'an issuer is left'
    Assert-Equal -Found ([System.IO.Directory]::GetFiles([System.IO.Path]::Combine($world.Folder, 'Transfer'))).Count -Wanted 0 -What 'files'
}

Add-SelfTest -Name 'an issuer other than expected is left alone' -Body {
    param($world)
    $pfx = New-TestPfx
    $null = Invoke-Function -Function 'Install-SssCertificate' -With (Get-InstallCall -Pfx $pfx)
    Assert-Refused -Function 'Set-SssTokenIssuer' -Code 'UnexpectedState' -With (Get-IssuerCall -Pfx $pfx -Expect ('A' * 40))
    Assert-Equal -Found $world.Crm.Calls.Count -Wanted 0 -What 'CRM writes'
}

Add-SelfTest -Name 'a Set-CrmCertificate that does nothing is noticed' -Body {
    param($world)
    $pfx = New-TestPfx
    $null = Invoke-Function -Function 'Install-SssCertificate' -With (Get-InstallCall -Pfx $pfx)
    $world.Crm.IgnoresCertificate = $true
    Assert-Refused -Function 'Set-SssTokenIssuer' -Code 'UnexpectedState' -With (Get-IssuerCall -Pfx $pfx)
}

Add-SelfTest -Name 'bytes that are no public certificate are BadParameter' -Body {
    param($world)
    $call = Join-Table -First (New-Gate) -Second @{ CertificateBytes = [byte[]] @(1, 2, 3); ExpectThumbprint = '' }
    Assert-Refused -Function 'Set-SssTokenIssuer' -Code 'BadParameter' -With $call
}

Add-SelfTest -Name 'the authorization server is set from the table and restored from the record' -Body {
    param($world)
    $world.Crm.ServerSettings['S2SDefaultAuthorizationServerPrincipalId'] = '00000001-0000-0000-C000-000000000000'
    $world.Crm.ServerSettings['S2SDefaultAuthorizationServerMetadataUrl'] = 'https://old.example/metadata'
    $call = Join-Table -First (New-Gate) -Second @{
        Cloud = 'Global'
        ExpectPrincipalId = '00000001-0000-0000-c000-000000000000'
        ExpectMetadataUrl = 'https://old.example/metadata'
    }
    $result = Invoke-Function -Function 'Set-SssAuthorizationServer' -With $call
    $url = 'https://accounts.accesscontrol.windows.net/metadata/json/1'
    Assert-Equal -Found $result.After.S2SDefaultAuthorizationServerMetadataUrl -Wanted $url -What 'url'
    $back = Join-Table -First (New-Gate) -Second @{
        RestoreOperationId = $call.OperationId
        ExpectPrincipalId = '00000001-0000-0000-c000-000000000000'
        ExpectMetadataUrl = $url
    }
    $restored = Invoke-Function -Function 'Set-SssAuthorizationServer' -With $back
    Assert-Equal -Found $restored.After.S2SDefaultAuthorizationServerMetadataUrl -Wanted 'https://old.example/metadata' -What 'restored'
    $foreign = Join-Table -First $back -Second @{ OperationId = [guid]::NewGuid(); RestoreOperationId = [guid]::NewGuid() }
    Assert-Refused -Function 'Set-SssAuthorizationServer' -Code 'NotOurs' -With $foreign
}

Add-SelfTest -Name 'the tenant id is set for the organization that id and name agree on' -Body {
    param($world)
    Assert-Refused -Function 'Set-SssOrganizationTenant' -Code 'OrganizationNotFound' -With (Get-TenantCall -UniqueName 'contososales')
    $call = Get-TenantCall
    $result = Invoke-Function -Function 'Set-SssOrganizationTenant' -With $call
    Assert-That -Condition ($null -eq $result.Before.S2STenantId) -Because 'it was not set'
    Assert-Equal -Found $result.After.S2STenantId -Wanted 'aaaaaaaa-0000-4000-8000-000000000001' -What 'tenant'
    $back = Join-Table -First (New-Gate) -Second @{
        OrganizationId = $call.OrganizationId
        UniqueName = 'ContosoSales'
        RestoreOperationId = $call.OperationId
        ExpectTenantId = 'aaaaaaaa-0000-4000-8000-000000000001'
    }
    Assert-That -Condition ($null -eq (Invoke-Function -Function 'Set-SssOrganizationTenant' -With $back).After.S2STenantId) -Because 'the tenant id is still set'
}

Add-SelfTest -Name 'a disabled organization and a foreign tenant id are left alone' -Body {
    param($world)
    $world.Crm.Tenants['5b0c2c5e-6a0d-4f0a-9d35-1f6f3f1d7a01'] = 'bbbbbbbb-0000-4000-8000-000000000002'
    Assert-Refused -Function 'Set-SssOrganizationTenant' -Code 'UnexpectedState' -With (Get-TenantCall)
    $world.Crm.Organizations[0].State = 'Disabled'
    Assert-Refused -Function 'Set-SssOrganizationTenant' -Code 'OrganizationDisabled' -With (Get-TenantCall)
    Assert-Equal -Found $world.Crm.Calls.Count -Wanted 0 -What 'CRM writes'
}

Add-SelfTest -Name 'organization names with quotes, newlines and metacharacters do not bind' -Body {
    param($world)
    foreach ($bad in @("Contoso'Sales", "ContosoSales`n", 'Contoso;Sales', '$(calc)', ('A' * 65), '')) {
        Assert-NotBound -Function 'Set-SssOrganizationTenant' -With (Get-TenantCall -UniqueName $bad)
    }
}
