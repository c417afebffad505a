# Who this session is, and names and SIDs of accounts.

function Get-SssIdentity {
    # Kind: VirtualAccount, GroupManagedServiceAccount or Other.
    $identity = [System.Security.Principal.WindowsIdentity]::GetCurrent()
    try {
        $principal = [System.Security.Principal.WindowsPrincipal]::new($identity)
        $kind = 'Other'
        # S-1-5-94 is the authority of WinRM virtual accounts.
        if ($identity.User.Value.StartsWith('S-1-5-94-', [System.StringComparison]::Ordinal)) {
            $kind = 'VirtualAccount'
        }
        elseif ($identity.Name.EndsWith('$', [System.StringComparison]::Ordinal)) {
            $kind = 'GroupManagedServiceAccount'
        }
        return @{
            Name = $identity.Name
            Sid = $identity.User.Value
            Kind = $kind
            Elevated = $principal.IsInRole([System.Security.Principal.WindowsBuiltInRole]::Administrator)
            Is64Bit = [System.Environment]::Is64BitProcess
        }
    }
    finally {
        $identity.Dispose()
    }
}

function Resolve-SssSid {
    # The SID of an account as services and application pools name it; empty text if it cannot be found.
    [OutputType([string])]
    param(
        [AllowEmptyString()]
        [string] $Account
    )
    if ($Account -ieq 'LocalSystem') {
        return 'S-1-5-18'
    }
    $name = $Account
    if ($name.StartsWith('.\', [System.StringComparison]::Ordinal)) {
        $name = [System.Environment]::MachineName + $name.Substring(1)
    }
    try {
        $sid = [System.Security.Principal.NTAccount]::new($name).Translate([System.Security.Principal.SecurityIdentifier])
        return $sid.Value
    }
    catch {
        return ''
    }
}

function Resolve-SssAccount {
    # DOMAIN\name of a SID; the SID itself where nobody knows it any more.
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)]
        [string] $Sid
    )
    try {
        $account = [System.Security.Principal.SecurityIdentifier]::new($Sid).Translate([System.Security.Principal.NTAccount])
        return $account.Value
    }
    catch {
        return $Sid
    }
}
