# The access list of a private key file. The path comes from the key itself, never from a caller.

function Get-SssKeyFileEntry {
    # Sid, Rights (the bits) and Allow of each entry, one by one.
    param(
        [Parameter(Mandatory = $true)]
        [string] $Path
    )
    $security = [System.IO.File]::GetAccessControl($Path)
    foreach ($rule in $security.GetAccessRules($true, $true, [System.Security.Principal.SecurityIdentifier])) {
        @{
            Sid = $rule.IdentityReference.Value
            Rights = [int] $rule.FileSystemRights
            Allow = ($rule.AccessControlType -eq [System.Security.AccessControl.AccessControlType]::Allow)
        }
    }
}

function Get-SssKeyFileOwner {
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)]
        [string] $Path
    )
    return [System.IO.File]::GetAccessControl($Path).GetOwner([System.Security.Principal.SecurityIdentifier]).Value
}

function New-SssKeyFileRule {
    param(
        [Parameter(Mandatory = $true)]
        [string] $Sid,

        [Parameter(Mandatory = $true)]
        [ValidateSet('Read', 'FullControl')]
        [string] $Rights
    )
    return [System.Security.AccessControl.FileSystemAccessRule]::new(
        [System.Security.Principal.SecurityIdentifier]::new($Sid),
        [System.Security.AccessControl.FileSystemRights] $Rights,
        [System.Security.AccessControl.AccessControlType]::Allow)
}

function Add-SssKeyFileEntry {
    param(
        [Parameter(Mandatory = $true)]
        [string] $Path,

        [Parameter(Mandatory = $true)]
        [string] $Sid,

        [Parameter(Mandatory = $true)]
        [ValidateSet('Read', 'FullControl')]
        [string] $Rights
    )
    $security = [System.IO.File]::GetAccessControl($Path, [System.Security.AccessControl.AccessControlSections]::Access)
    $security.AddAccessRule((New-SssKeyFileRule -Sid $Sid -Rights $Rights))
    [System.IO.File]::SetAccessControl($Path, $security)
}

function Remove-SssKeyFileEntry {
    # Exactly the Read entry of this account; entries of others and other entries of it stay.
    param(
        [Parameter(Mandatory = $true)]
        [string] $Path,

        [Parameter(Mandatory = $true)]
        [string] $Sid
    )
    $security = [System.IO.File]::GetAccessControl($Path, [System.Security.AccessControl.AccessControlSections]::Access)
    $security.RemoveAccessRuleSpecific((New-SssKeyFileRule -Sid $Sid -Rights 'Read'))
    [System.IO.File]::SetAccessControl($Path, $security)
}
