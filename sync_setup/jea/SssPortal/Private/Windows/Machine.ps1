# The machine: names, folders, time, the mutex.

function Get-SssMachine {
    $properties = [System.Net.NetworkInformation.IPGlobalProperties]::GetIPGlobalProperties()
    $fqdn = [System.Environment]::MachineName
    if ($properties.DomainName -cne '') {
        $fqdn = $properties.HostName + '.' + $properties.DomainName
    }
    return @{
        Name = [System.Environment]::MachineName
        Fqdn = $fqdn
        Domain = $properties.DomainName
        OsVersion = [System.Environment]::OSVersion.Version.ToString()
        PSVersion = $PSVersionTable.PSVersion.ToString()
    }
}

function Get-SssStateFolder {
    # A folder below %ProgramData%\SssPortal that SYSTEM and Administrators alone may open. The installer
    # makes it; it is made here again if somebody removed it, never with looser rights.
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)]
        [ValidateSet('Operations', 'Transfer')]
        [string] $Name
    )
    $data = [System.Environment]::GetFolderPath('CommonApplicationData')
    $path = [System.IO.Path]::Combine($data, 'SssPortal', $Name)
    if (-not [System.IO.Directory]::Exists($path)) {
        $security = [System.Security.AccessControl.DirectorySecurity]::new()
        $security.SetAccessRuleProtection($true, $false)
        foreach ($sid in $script:SssUntouchableSids) {
            $security.AddAccessRule([System.Security.AccessControl.FileSystemAccessRule]::new(
                    [System.Security.Principal.SecurityIdentifier]::new($sid),
                    [System.Security.AccessControl.FileSystemRights]::FullControl,
                    [System.Security.AccessControl.InheritanceFlags]'ContainerInherit, ObjectInherit',
                    [System.Security.AccessControl.PropagationFlags]::None,
                    [System.Security.AccessControl.AccessControlType]::Allow))
        }
        $null = [System.IO.Directory]::CreateDirectory($path, $security)
    }
    return $path
}

function Wait-SssMoment {
    param(
        [int] $Milliseconds
    )
    [System.Threading.Thread]::Sleep($Milliseconds)
}

function Enter-SssMutex {
    # The mutex, held, or nothing where another session holds it. Every virtual account is a user of its
    # own, so the mutex names SYSTEM and Administrators: its default would let in only its maker.
    $security = [System.Security.AccessControl.MutexSecurity]::new()
    foreach ($sid in $script:SssUntouchableSids) {
        $security.AddAccessRule([System.Security.AccessControl.MutexAccessRule]::new(
                [System.Security.Principal.SecurityIdentifier]::new($sid),
                [System.Security.AccessControl.MutexRights]::FullControl,
                [System.Security.AccessControl.AccessControlType]::Allow))
    }
    $made = $false
    $mutex = [System.Threading.Mutex]::new($false, 'Global\SssPortal', [ref] $made, $security)
    $held = $false
    try {
        $held = $mutex.WaitOne(2000)
    }
    catch [System.Threading.AbandonedMutexException] {
        # Its holder died. The operation record says where; the mutex is ours now.
        $held = $true
    }
    if (-not $held) {
        $mutex.Dispose()
        return $null
    }
    return $mutex
}

function Exit-SssMutex {
    param(
        [Parameter(Mandatory = $true)]
        $Mutex
    )
    $Mutex.ReleaseMutex()
    $Mutex.Dispose()
}
