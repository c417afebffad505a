# A CRM server in memory, in place of SssPortal/Private/Windows, for Test-SssPortal.ps1. Nothing here
# touches the machine but a folder below the temporary one.

function New-SssWorld {
    # A fresh server: Deployment Tools, async and web role, no certificate, one organization.
    param(
        [Parameter(Mandatory = $true)]
        [string] $Folder
    )
    $script:SssWorld = @{
        Folder = $Folder
        Registry = @{
            'SOFTWARE\SssPortal|PortalId' = '11111111-2222-3333-4444-555555555555'
            'SOFTWARE\SssPortal|ContractVersion' = '1.0'
            'SOFTWARE\Microsoft\MSCRM|CRM_Server_Version' = '9.1.31.21'
        }
        RegistryKeys = @{}
        Identity = @{
            Name = 'CONTOSO\gmsa-sss$'
            Sid = 'S-1-5-21-1-2-3-1001'
            Kind = 'GroupManagedServiceAccount'
            Elevated = $true
            Is64Bit = $true
        }
        Accounts = @{
            'CONTOSO\svc-crmasync' = 'S-1-5-21-1-2-3-1131'
            'CONTOSO\svc-crmweb' = 'S-1-5-21-1-2-3-1132'
            'NT AUTHORITY\SYSTEM' = 'S-1-5-18'
            'BUILTIN\Administrators' = 'S-1-5-32-544'
            'CONTOSO\someone' = 'S-1-5-21-1-2-3-2000'
        }
        Store = [System.Collections.Generic.List[object]]::new()
        Services = @{}
        Pools = @{}
        Bindings = [System.Collections.Generic.List[object]]::new()
        SnapIn = $true
        MutexHeld = $false
        ImportAs = 'Csp'
        HangStop = $false
        Signature = @{ Status = 'Valid'; Signer = 'CN=Microsoft Corporation, O=Microsoft Corporation, L=Redmond, S=Washington, C=US' }
        ScriptFails = $false
        ScriptCalls = [System.Collections.Generic.List[object]]::new()
        Crm = @{
            Refuses = $false
            IgnoresCertificate = $false
            Servers = [System.Collections.Generic.List[object]]::new()
            Organizations = [System.Collections.Generic.List[object]]::new()
            Certificates = [System.Collections.Generic.List[object]]::new()
            ServerSettings = @{}
            Tenants = @{}
            Calls = [System.Collections.Generic.List[object]]::new()
        }
    }
    Add-SssWorldDefaults -World $script:SssWorld
    return $script:SssWorld
}

function Add-SssWorldDefaults {
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $World
    )
    $start = [System.DateTime]::UtcNow.AddDays(-3)
    foreach ($name in @('MSCRMAsyncService', 'MSCRMAsyncService$maintenance')) {
        $World.Services[$name] = @{
            Name = $name
            State = 'Running'
            StartMode = 'Auto'
            Account = 'CONTOSO\svc-crmasync'
            ProcessId = 2788
            StartedAtUtc = $start
            IsPool = $false
        }
    }
    $World.Pools['CRMAppPool'] = @{
        Name = 'CRMAppPool'
        State = 'Running'
        StartMode = 'Auto'
        Account = 'CONTOSO\svc-crmweb'
        ProcessId = 4312
        StartedAtUtc = $start
        IsPool = $true
    }
    $World.Crm.Servers.Add([pscustomobject]@{
            Id = [guid] '0d2a7c4e-7a44-4b53-8a34-6b1f0d2c9e01'
            Name = 'CRM-APP01'
            Roles = 'ApplicationServer, AsyncService, DeploymentTools'
            State = 'Enabled'
            Version = '9.1.31.21'
        })
    $World.Crm.Organizations.Add([pscustomobject]@{
            Id = [guid] '5b0c2c5e-6a0d-4f0a-9d35-1f6f3f1d7a01'
            UniqueName = 'ContosoSales'
            FriendlyName = 'Contoso Sales'
            State = 'Enabled'
            Version = '9.1.31.21'
        })
    foreach ($folder in @('Operations', 'Transfer', 'Tools')) {
        $null = [System.IO.Directory]::CreateDirectory([System.IO.Path]::Combine($World.Folder, $folder))
    }
    $World.Registry['SOFTWARE\Microsoft\MSCRM|CRM_Server_InstallDir'] = $World.Folder
}

function Get-SssWorld {
    return $script:SssWorld
}
