# Who may read the file of a private key.

function Get-SssKeyReaders {
    # The entries of the key file as the contract shows them, one by one; none without a CSP key file.
    param(
        [Parameter(Mandatory = $true)]
        [string] $Thumbprint,

        [Parameter(Mandatory = $true)]
        [hashtable] $Key
    )
    $readers = [System.Collections.Generic.List[object]]::new()
    if ($Key.KeyStorage -ceq 'Csp' -and $Key.File -cne '') {
        foreach ($entry in @(Get-SssKeyFileEntry -Path $Key.File)) {
            $readers.Add([ordered]@{
                    Account = (Resolve-SssAccount -Sid $entry.Sid)
                    Sid = $entry.Sid
                    Rights = (Get-SssRightsWord -Entry $entry)
                    AddedByPortal = (Test-SssAddedReader -Thumbprint $Thumbprint -Sid $entry.Sid)
                })
        }
    }
    return $readers.ToArray()
}

function Get-SssRightsWord {
    # Read, FullControl or Other, by the figures of FileSystemRights. Key files carry the generic bits as
    # often as the file bits, depending on who wrote them.
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Entry
    )
    if (-not $Entry.Allow) {
        return 'Other'
    }
    $genericAll = [long] 268435456
    $genericRead = [long] 2147483648
    $synchronize = [long] 1048576
    $full = [long] 2032127
    $read = [long] 131209
    $rights = [long] $Entry.Rights -band [long] 4294967295
    if (($rights -band $genericAll) -ne 0 -or ($rights -band $full) -eq $full) {
        return 'FullControl'
    }
    # Windows adds Synchronize to every allow entry it writes.
    $rest = $rights -band (-bnot ($read -bor $synchronize -bor $genericRead))
    $reads = ($rights -band $read) -eq $read -or ($rights -band $genericRead) -ne 0
    if ($reads -and $rest -eq 0) {
        return 'Read'
    }
    return 'Other'
}

function Find-SssReader {
    # The entry of one account that lets it read, or nothing.
    param(
        [AllowEmptyCollection()]
        [object[]] $Readers,

        [Parameter(Mandatory = $true)]
        [string] $Sid
    )
    foreach ($reader in $Readers) {
        if ($reader.Sid -ceq $Sid -and $reader.Rights -cne 'Other') {
            return $reader
        }
    }
    return $null
}

function Add-SssReaders {
    # Gives each account Read unless it can read already. True where an entry was added.
    [OutputType([bool])]
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Run,

        [Parameter(Mandatory = $true)]
        [string] $Thumbprint,

        [Parameter(Mandatory = $true)]
        [hashtable] $Key,

        [AllowEmptyCollection()]
        [object[]] $Accounts
    )
    $added = $false
    foreach ($account in $Accounts) {
        $readers = @(Get-SssKeyReaders -Thumbprint $Thumbprint -Key $Key)
        if ($null -ne (Find-SssReader -Readers $readers -Sid $account.Sid)) {
            continue
        }
        if ($script:SssUntouchableSids -ccontains $account.Sid) {
            $Run.Warnings.Add(('{0} runs as {1}; its access to the key is not this portal''s to give.' -f $account.Role, $account.Account))
            continue
        }
        Save-SssAddedReader -Thumbprint $Thumbprint -Sid $account.Sid
        $Run.Touched = $true
        Add-SssKeyFileEntry -Path $Key.File -Sid $account.Sid -Rights 'Read'
        $added = $true
    }
    return $added
}

function Update-SssKeyReader {
    # Set-SssKeyReader.
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Run
    )
    $thumbprint = $Run.Call.Thumbprint
    $certificate = Get-SssHeldCertificate -Thumbprint $thumbprint
    if ($null -eq $certificate) {
        Deny-SssCall -Code 'CertificateNotFound' -Message 'No certificate with this thumbprint is in LocalMachine\My.'
    }
    $key = Get-SssPrivateKey -Certificate $certificate
    if ($key.KeyStorage -cne 'Csp') {
        Deny-SssCall -Code 'CertificateUnusable' -Message ('The key is {0}, not a CSP key: it has no key file whose readers could be set.' -f $key.KeyStorage)
    }
    $accounts = @(foreach ($role in $Run.Call.Role) { Resolve-SssRoleAccount -Role $role })
    $readers = @(Get-SssKeyReaders -Thumbprint $thumbprint -Key $key)
    $Run.Before = [ordered]@{ KeyReaders = $readers }
    if ($Run.Call.Access -ceq 'Read') {
        $Run.Changed = Add-SssReaders -Run $Run -Thumbprint $thumbprint -Key $key -Accounts $accounts
    }
    else {
        $Run.Changed = Remove-SssReaders -Run $Run -Thumbprint $thumbprint -Key $key -Accounts $accounts
    }
    $Run.After = [ordered]@{ KeyReaders = @(Get-SssKeyReaders -Thumbprint $thumbprint -Key $key) }
}

function Remove-SssReaders {
    # Takes away only what this portal added; nothing is removed unless everything may be.
    [OutputType([bool])]
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Run,

        [Parameter(Mandatory = $true)]
        [string] $Thumbprint,

        [Parameter(Mandatory = $true)]
        [hashtable] $Key,

        [AllowEmptyCollection()]
        [object[]] $Accounts
    )
    $readers = @(Get-SssKeyReaders -Thumbprint $Thumbprint -Key $Key)
    $owner = Get-SssKeyFileOwner -Path $Key.File
    $leaving = [System.Collections.Generic.List[string]]::new()
    foreach ($account in $Accounts) {
        $reader = Find-SssReader -Readers $readers -Sid $account.Sid
        if ($null -eq $reader -or $leaving.Contains($account.Sid)) {
            continue
        }
        $untouchable = $script:SssUntouchableSids -ccontains $account.Sid -or $owner -ceq $account.Sid
        if ($untouchable -or -not $reader.AddedByPortal -or $reader.Rights -cne 'Read') {
            Deny-SssCall -Code 'NotOurs' -Message ('The entry of {0} was not added by this portal; it stays.' -f $account.Account)
        }
        $leaving.Add($account.Sid)
    }
    foreach ($sid in $leaving) {
        $Run.Touched = $true
        Remove-SssKeyFileEntry -Path $Key.File -Sid $sid
        Clear-SssAddedReader -Thumbprint $Thumbprint -Sid $sid
    }
    return ($leaving.Count -gt 0)
}
