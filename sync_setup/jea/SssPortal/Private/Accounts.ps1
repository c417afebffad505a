# Which account a role means here. The caller names a role, never an account: a personal account
# cannot be given access to the key, because nobody can say its name.

function Resolve-SssRoleAccount {
    # AsyncService: who runs MSCRMAsyncService. WebApplication: who runs CRMAppPool.
    param(
        [Parameter(Mandatory = $true)]
        [string] $Role
    )
    if ($Role -ceq 'AsyncService') {
        $holder = Get-SssWindowsService -Name $script:SssServiceNames.Async
    }
    else {
        $holder = Get-SssAppPool -Name $script:SssAppPoolName
    }
    if ($null -eq $holder) {
        Deny-SssCall -Code 'RoleNotHere' -Message ('This server has no {0} role: neither the service nor the application pool is here.' -f $Role)
    }
    return @{
        Role = $Role
        Account = $holder.Account
        Sid = (Resolve-SssSid -Account $holder.Account)
    }
}

function Get-SssAccountKind {
    # User, Gmsa, BuiltIn or AppPool.
    [OutputType([string])]
    param(
        [AllowEmptyString()]
        [string] $Account,

        [AllowEmptyString()]
        [string] $Sid
    )
    if (@('S-1-5-18', 'S-1-5-19', 'S-1-5-20') -ccontains $Sid) {
        return 'BuiltIn'
    }
    if ($Sid.StartsWith('S-1-5-82-', [System.StringComparison]::Ordinal)) {
        return 'AppPool'
    }
    if ($Account.EndsWith('$', [System.StringComparison]::Ordinal)) {
        return 'Gmsa'
    }
    return 'User'
}
