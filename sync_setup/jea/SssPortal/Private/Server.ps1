# Get-SssServer: what this machine is, and what runs on it.

function Read-SssServer {
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Run
    )
    $machine = Get-SssMachine
    $identity = Get-SssIdentity
    $services = @(Get-SssServiceList)
    $pools = @(Get-SssPoolList)
    $snapIn = Test-SssSnapIn
    $Run.Result = [ordered]@{
        Server = [ordered]@{
            ModuleVersion = $script:SssModuleVersion
            ModuleSha256 = (Get-SssModuleHash)
            Fqdn = $machine.Fqdn
            Domain = $machine.Domain
            OsVersion = $machine.OsVersion
            PSVersion = $machine.PSVersion
            RunAsIdentity = $identity.Name
            RunAsKind = $identity.Kind
            CrmVersion = (Read-SssRegistry -Path 'SOFTWARE\Microsoft\MSCRM' -Name 'CRM_Server_Version')
            Roles = @(Get-SssLocalRoles -Services $services -Pools $pools -SnapIn $snapIn)
            SnapInRegistered = $snapIn
            CertificateScript = (Get-SssProductScriptFacts)
            Services = $services
            AppPools = $pools
            StrongCrypto = (Test-SssStrongCrypto)
            Tls12Client = (Test-SssTls12Client)
            PendingReboot = (Test-SssPendingReboot)
            TransferFiles = @(Get-SssTransferFile).Count
            LastChangeUtc = (Read-SssRegistry -Path $script:SssRegistryPath -Name 'LastChangeUtc')
        }
    }
}

function Get-SssServiceList {
    # The services of the contract that are here.
    foreach ($word in @('Async', 'AsyncMaintenance')) {
        $service = Get-SssWindowsService -Name $script:SssServiceNames[$word]
        if ($null -ne $service) {
            Get-SssServiceFacts -Word $word -Running $service
        }
    }
}

function Get-SssPoolList {
    $pool = Get-SssAppPool -Name $script:SssAppPoolName
    if ($null -ne $pool) {
        Get-SssServiceFacts -Word 'WebApplicationPool' -Running $pool
    }
}

function Get-SssServiceFacts {
    param(
        [Parameter(Mandatory = $true)]
        [string] $Word,

        [Parameter(Mandatory = $true)]
        [hashtable] $Running
    )
    $sid = Resolve-SssSid -Account $Running.Account
    return [ordered]@{
        Service = $Word
        Name = $Running.Name
        State = $Running.State
        StartMode = $Running.StartMode
        Account = $Running.Account
        Sid = $sid
        AccountKind = (Get-SssAccountKind -Account $Running.Account -Sid $sid)
        StartedAtUtc = $Running.StartedAtUtc
        ProcessId = $Running.ProcessId
    }
}

function Get-SssLocalRoles {
    # What is installed here. Get-SssDeployment tells what the deployment says of this server.
    # GUESS: the e-mail integration role leaves its name in the registry value below; it has no service
    # of its own that we know.
    param(
        [AllowEmptyCollection()]
        [object[]] $Services,

        [AllowEmptyCollection()]
        [object[]] $Pools,

        [bool] $SnapIn
    )
    if ($Services.Count -gt 0) {
        'Async'
    }
    if ($Pools.Count -gt 0) {
        'WebApplication'
    }
    $installed = [string] (Read-SssRegistry -Path 'SOFTWARE\Microsoft\MSCRM' -Name 'Roles')
    if ($installed -match 'mail') {
        'EmailIntegration'
    }
    if ($SnapIn) {
        'DeploymentTools'
    }
    if (@(Get-SssOtherCrmService).Count -gt 0) {
        'Other'
    }
}

function Get-SssOtherCrmService {
    # Names of CRM services that are none of the contract's: sandbox, unzip, monitoring, VSS writer.
    foreach ($name in @(Get-SssServiceName -Prefix 'MSCRM')) {
        if ($name -ine $script:SssServiceNames.Async -and $name -ine $script:SssServiceNames.AsyncMaintenance) {
            $name
        }
    }
}

function Test-SssStrongCrypto {
    # .NET programs of this server use what Windows offers, TLS 1.2 included.
    [OutputType([bool])]
    param()
    $value = Read-SssRegistry -Path 'SOFTWARE\Microsoft\.NETFramework\v4.0.30319' -Name 'SchUseStrongCrypto'
    return ([string] $value -ceq '1')
}

function Test-SssTls12Client {
    # SChannel's TLS 1.2 for outgoing connections. Absent values mean the default of Windows: on.
    [OutputType([bool])]
    param()
    $path = 'SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols\TLS 1.2\Client'
    $enabled = [string] (Read-SssRegistry -Path $path -Name 'Enabled')
    $disabled = [string] (Read-SssRegistry -Path $path -Name 'DisabledByDefault')
    return ($enabled -cne '0' -and ($disabled -ceq '' -or $disabled -ceq '0'))
}

function Test-SssPendingReboot {
    [OutputType([bool])]
    param()
    $serving = Test-SssRegistryKey -Path 'SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending'
    $updates = Test-SssRegistryKey -Path 'SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired'
    $renames = Read-SssRegistry -Path 'SYSTEM\CurrentControlSet\Control\Session Manager' -Name 'PendingFileRenameOperations'
    return ($serving -or $updates -or $null -ne $renames)
}

function Get-SssModuleHash {
    # SHA-256 over "relative path, SHA-256 of the file" of every file of the module, sorted by ordinal.
    # Install-SssPortal.ps1 prints the same figure; the portal pins it in every plan.
    [OutputType([string])]
    param()
    $names = [System.Collections.Generic.List[string]]::new()
    foreach ($file in [System.IO.Directory]::GetFiles($script:SssModuleRoot, '*', [System.IO.SearchOption]::AllDirectories)) {
        $names.Add($file.Substring($script:SssModuleRoot.Length + 1).Replace('\', '/'))
    }
    $names.Sort([System.StringComparer]::Ordinal)
    $text = [System.Text.StringBuilder]::new()
    foreach ($name in $names) {
        $bytes = [System.IO.File]::ReadAllBytes([System.IO.Path]::Combine($script:SssModuleRoot, $name))
        $null = $text.Append($name).Append([char] 9).Append((Get-SssSha256 -Bytes $bytes)).Append([char] 10)
    }
    return (Get-SssSha256 -Bytes ([System.Text.Encoding]::UTF8.GetBytes($text.ToString())))
}
