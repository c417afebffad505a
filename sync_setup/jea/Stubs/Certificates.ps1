# Store and keys of the server in memory. An entry: Certificate, Archived, Key, Entries, Owner.

function Find-SssStubEntry {
    param([string] $Thumbprint)
    foreach ($entry in $script:SssWorld.Store) {
        if ($entry.Certificate.Thumbprint -ceq $Thumbprint) {
            return $entry
        }
    }
    return $null
}

function Add-SssStubEntry {
    # Puts a certificate in with a key as a legacy CSP keeps it, or as the world's ImportAs says.
    param(
        [System.Security.Cryptography.X509Certificates.X509Certificate2] $Certificate
    )
    $storage = $script:SssWorld.ImportAs
    $key = @{
        KeyStorage = $storage
        ProviderName = 'Microsoft Enhanced RSA and AES Cryptographic Provider'
        ProviderType = 24
        KeySpec = 1
        Exportable = $false
        Container = $Certificate.Thumbprint
        File = 'stub:' + $Certificate.Thumbprint
    }
    if ($storage -ceq 'Cng') {
        $key.ProviderName = 'Microsoft Software Key Storage Provider'
        $key.ProviderType = 0
        $key.KeySpec = 0
    }
    $entries = [System.Collections.Generic.List[object]]::new()
    foreach ($sid in @('S-1-5-18', 'S-1-5-32-544')) {
        $entries.Add(@{ Sid = $sid; Rights = 2032127; Allow = $true })
    }
    $script:SssWorld.Store.Add(@{
            Certificate = $Certificate
            Archived = $false
            Key = $key
            Entries = $entries
            Owner = 'S-1-5-32-544'
        })
}

function Get-SssStoreCertificate {
    foreach ($entry in $script:SssWorld.Store) {
        $entry.Certificate
    }
}

function Find-SssBySubject {
    param([string] $Subject)
    foreach ($entry in $script:SssWorld.Store) {
        if ($entry.Certificate.Subject -ceq $Subject -and -not $entry.Archived) {
            $entry.Certificate.Thumbprint
        }
    }
}

function Test-SssArchived {
    param(
        [System.Security.Cryptography.X509Certificates.X509Certificate2] $Certificate
    )
    return [bool] (Find-SssStubEntry -Thumbprint $Certificate.Thumbprint).Archived
}

function Set-SssArchived {
    param([string] $Thumbprint, [bool] $Archived)
    (Find-SssStubEntry -Thumbprint $Thumbprint).Archived = $Archived
}

function Import-SssPfx {
    param([byte[]] $Bytes, [System.Security.SecureString] $Password)
    $certificate = [System.Security.Cryptography.X509Certificates.X509Certificate2]::new($Bytes, $Password)
    Add-SssStubEntry -Certificate $certificate
}

function Remove-SssStoreCertificate {
    param([string] $Thumbprint, [hashtable] $Key)
    $null = $script:SssWorld.Store.Remove((Find-SssStubEntry -Thumbprint $Thumbprint))
}

function Get-SssPrivateKey {
    param(
        [System.Security.Cryptography.X509Certificates.X509Certificate2] $Certificate
    )
    return (Find-SssStubEntry -Thumbprint $Certificate.Thumbprint).Key
}

function Find-SssStubFile {
    param([string] $Path)
    return (Find-SssStubEntry -Thumbprint $Path.Substring(5))
}

function Get-SssKeyFileEntry {
    param([string] $Path)
    foreach ($entry in (Find-SssStubFile -Path $Path).Entries.ToArray()) {
        $entry
    }
}

function Get-SssKeyFileOwner {
    param([string] $Path)
    return (Find-SssStubFile -Path $Path).Owner
}

function Add-SssKeyFileEntry {
    param([string] $Path, [string] $Sid, [string] $Rights)
    # Read with the Synchronize bit, as Windows writes it.
    $bits = 1179785
    if ($Rights -ceq 'FullControl') {
        $bits = 2032127
    }
    (Find-SssStubFile -Path $Path).Entries.Add(@{ Sid = $Sid; Rights = $bits; Allow = $true })
}

function Remove-SssKeyFileEntry {
    param([string] $Path, [string] $Sid)
    $held = Find-SssStubFile -Path $Path
    foreach ($entry in $held.Entries.ToArray()) {
        if ($entry.Sid -ceq $Sid) {
            $null = $held.Entries.Remove($entry)
        }
    }
}

function Get-SssSignature {
    param([string] $Path)
    return $script:SssWorld.Signature
}

function Start-SssProductScript {
    # What CertificateReconfiguration.ps1 would do: import the file, let the account read, and drop every
    # other reader it finds.
    param([string] $Path, [hashtable] $Parameters)
    $script:SssWorld.ScriptCalls.Add(@($Parameters.Keys))
    if ($script:SssWorld.ScriptFails) {
        return 'StubFailure'
    }
    $bytes = [System.IO.File]::ReadAllBytes($Parameters.certificateFile)
    $certificate = [System.Security.Cryptography.X509Certificates.X509Certificate2]::new([byte[]] $bytes, [string] $Parameters.password)
    $held = Find-SssStubEntry -Thumbprint $certificate.Thumbprint
    if ($null -eq $held) {
        Add-SssStubEntry -Certificate $certificate
        $held = Find-SssStubEntry -Thumbprint $certificate.Thumbprint
    }
    foreach ($entry in $held.Entries.ToArray()) {
        if ($entry.Rights -ne 2032127) {
            $null = $held.Entries.Remove($entry)
        }
    }
    Add-SssKeyFileEntry -Path $held.Key.File -Sid (Resolve-SssSid -Account $Parameters.serviceAccount) -Rights 'Read'
    return ''
}
