# What Install-SssPortal.ps1 and Uninstall-SssPortal.ps1 share: where things are, and the checks before
# anything is touched.

function Get-SetupPaths {
    $data = [System.IO.Path]::Combine([System.Environment]::GetFolderPath('CommonApplicationData'), 'SssPortal')
    $programs = [System.Environment]::GetFolderPath('ProgramFiles')
    return @{
        # Not in a versioned folder: Windows PowerShell does not find role capabilities below one
        # (PowerShell/PowerShell issue 4105).
        Module = [System.IO.Path]::Combine($programs, 'WindowsPowerShell\Modules\SssPortal')
        Data = $data
        Operations = [System.IO.Path]::Combine($data, 'Operations')
        Transfer = [System.IO.Path]::Combine($data, 'Transfer')
        Transcripts = [System.IO.Path]::Combine($data, 'Transcripts')
        Backup = [System.IO.Path]::Combine($data, 'Backup')
        Registry = 'HKLM:\SOFTWARE\SssPortal'
    }
}

function Assert-SetupHost {
    # The endpoint must be registered from the PowerShell that can load the CRM snap-in: from PowerShell 7
    # it would become another endpoint without snap-ins, from 32-bit PowerShell one with another registry.
    $edition = 'Desktop'
    if ($PSVersionTable.ContainsKey('PSEdition')) {
        $edition = $PSVersionTable.PSEdition
    }
    $version = $PSVersionTable.PSVersion
    if ($edition -ne 'Desktop' -or $version.Major -ne 5 -or $version.Minor -lt 1) {
        throw ('This is PowerShell {0} ({1}). Start Windows PowerShell 5.1 (powershell.exe) and try again.' -f $version, $edition)
    }
    if (-not [System.Environment]::Is64BitProcess) {
        throw 'This is 32-bit PowerShell. Start the 64-bit Windows PowerShell and try again.'
    }
    $identity = [System.Security.Principal.WindowsIdentity]::GetCurrent()
    $principal = [System.Security.Principal.WindowsPrincipal]::new($identity)
    if (-not $principal.IsInRole([System.Security.Principal.WindowsBuiltInRole]::Administrator)) {
        throw 'Start Windows PowerShell with "Run as administrator" and try again.'
    }
    $winrm = Get-Service -Name 'WinRM'
    if ($winrm.Status -ne 'Running') {
        throw 'The WinRM service is not running. Set up WinRM over HTTPS first (see README.md), then try again.'
    }
}

function Assert-SetupAccount {
    # A name that Windows cannot resolve would make an endpoint that nobody can open.
    param(
        [Parameter(Mandatory = $true)]
        [string] $Account,

        [Parameter(Mandatory = $true)]
        [string] $Purpose
    )
    try {
        $null = [System.Security.Principal.NTAccount]::new($Account).Translate([System.Security.Principal.SecurityIdentifier])
    }
    catch {
        throw ('{0}: Windows does not know the account "{1}". Write it as DOMAIN\name.' -f $Purpose, $Account)
    }
}

function Test-SetupSnapIn {
    return (Test-Path -LiteralPath 'HKLM:\SOFTWARE\Microsoft\PowerShell\1\PowerShellSnapIns\Microsoft.Crm.PowerShell')
}

function New-SetupFolder {
    # SYSTEM and Administrators, nobody else, nothing inherited.
    param(
        [Parameter(Mandatory = $true)]
        [string] $Path
    )
    if (-not (Test-Path -LiteralPath $Path)) {
        $null = New-Item -ItemType Directory -Path $Path
    }
    $security = [System.Security.AccessControl.DirectorySecurity]::new()
    $security.SetAccessRuleProtection($true, $false)
    foreach ($sid in @('S-1-5-18', 'S-1-5-32-544')) {
        $security.AddAccessRule([System.Security.AccessControl.FileSystemAccessRule]::new(
                [System.Security.Principal.SecurityIdentifier]::new($sid),
                [System.Security.AccessControl.FileSystemRights]::FullControl,
                [System.Security.AccessControl.InheritanceFlags]'ContainerInherit, ObjectInherit',
                [System.Security.AccessControl.PropagationFlags]::None,
                [System.Security.AccessControl.AccessControlType]::Allow))
    }
    Set-Acl -LiteralPath $Path -AclObject $security
}
