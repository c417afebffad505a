# Registry, identity, folders, mutex, services and IIS of the server in memory.

function Read-SssRegistry {
    param([string] $Path, [string] $Name)
    return $script:SssWorld.Registry[$Path + '|' + $Name]
}

function Test-SssRegistryKey {
    param([string] $Path)
    return $script:SssWorld.RegistryKeys.ContainsKey($Path)
}

function Write-SssRegistry {
    param([string] $Path, [string] $Name, [string] $Value)
    $script:SssWorld.Registry[$Path + '|' + $Name] = $Value
}

function Remove-SssRegistryValue {
    param([string] $Path, [string] $Name)
    $script:SssWorld.Registry.Remove($Path + '|' + $Name)
}

function Remove-SssRegistryKey {
    param([string] $Path)
    foreach ($key in @($script:SssWorld.Registry.Keys)) {
        if ($key.StartsWith($Path + '|')) {
            $script:SssWorld.Registry.Remove($key)
        }
    }
}

function Get-SssIdentity {
    return $script:SssWorld.Identity
}

function Resolve-SssSid {
    param([string] $Account)
    if ($script:SssWorld.Accounts.ContainsKey($Account)) {
        return $script:SssWorld.Accounts[$Account]
    }
    return ''
}

function Resolve-SssAccount {
    param([string] $Sid)
    foreach ($account in $script:SssWorld.Accounts.Keys) {
        if ($script:SssWorld.Accounts[$account] -ceq $Sid) {
            return $account
        }
    }
    return $Sid
}

function Get-SssMachine {
    return @{
        Name = 'CRM-APP01'
        Fqdn = 'crm-app01.contoso.example'
        Domain = 'contoso.example'
        OsVersion = '10.0.17763.0'
        PSVersion = '5.1.17763.1'
    }
}

function Get-SssStateFolder {
    param([string] $Name)
    return [System.IO.Path]::Combine($script:SssWorld.Folder, $Name)
}

function Wait-SssMoment {
    param([int] $Milliseconds)
    [System.Threading.Thread]::Sleep(1)
}

function Enter-SssMutex {
    if ($script:SssWorld.MutexHeld) {
        return $null
    }
    return @{ Held = $true }
}

function Exit-SssMutex {
    param($Mutex)
    $Mutex.Held = $false
}

function Get-SssWindowsService {
    param([string] $Name)
    if (-not $script:SssWorld.Services.ContainsKey($Name)) {
        return $null
    }
    return $script:SssWorld.Services[$Name].Clone()
}

function Get-SssServiceName {
    param([string] $Prefix)
    foreach ($name in @($script:SssWorld.Services.Keys)) {
        if ($name.StartsWith($Prefix)) {
            $name
        }
    }
}

function Stop-SssWindowsService {
    param([string] $Name)
    $service = $script:SssWorld.Services[$Name]
    if ($script:SssWorld.HangStop) {
        $service.State = 'StopPending'
        return
    }
    $service.State = 'Stopped'
    $service.ProcessId = 0
    $service.StartedAtUtc = $null
}

function Start-SssWindowsService {
    param([string] $Name)
    $service = $script:SssWorld.Services[$Name]
    $service.State = 'Running'
    $service.ProcessId = 5000
    $service.StartedAtUtc = [System.DateTime]::UtcNow
}

function Get-SssAppPool {
    param([string] $Name)
    if (-not $script:SssWorld.Pools.ContainsKey($Name)) {
        return $null
    }
    return $script:SssWorld.Pools[$Name].Clone()
}

function Restart-SssAppPool {
    param([string] $Name)
    $pool = $script:SssWorld.Pools[$Name]
    $pool.ProcessId = 5001
    $pool.StartedAtUtc = [System.DateTime]::UtcNow
}

function Start-SssAppPool {
    param([string] $Name)
    $script:SssWorld.Pools[$Name].State = 'Running'
    Restart-SssAppPool -Name $Name
}

function Get-SssIisBinding {
    foreach ($binding in $script:SssWorld.Bindings) {
        $binding
    }
}

function Get-SssProxy {
    param([string] $HostName)
    return $null
}

function Test-SssEndpoint {
    param([string] $HostName, [int] $Port)
    return [ordered]@{
        Host = $HostName
        Port = $Port
        Dns = $true
        Tcp = $true
        TlsProtocol = 'Tls12'
        Issuer = 'CN=Stub CA'
        Trusted = $true
        Milliseconds = 12
        Error = $null
    }
}
