# The store LocalMachine\My.

function Open-SssStore {
    param(
        [Parameter(Mandatory = $true)]
        [System.Security.Cryptography.X509Certificates.OpenFlags] $Flags
    )
    $store = [System.Security.Cryptography.X509Certificates.X509Store]::new(
        [System.Security.Cryptography.X509Certificates.StoreName]::My,
        [System.Security.Cryptography.X509Certificates.StoreLocation]::LocalMachine)
    $store.Open($Flags)
    return @{ Store = $store }
}

function Get-SssStoreCertificate {
    # Every certificate, archived ones too, one by one.
    $opened = Open-SssStore -Flags ([System.Security.Cryptography.X509Certificates.OpenFlags]'ReadOnly, OpenExistingOnly, IncludeArchived')
    try {
        foreach ($certificate in $opened.Store.Certificates) {
            $certificate
        }
    }
    finally {
        $opened.Store.Close()
    }
}

function Find-SssBySubject {
    # Thumbprints that the product's own search would find: archived certificates are hidden from it.
    # GUESS: the product searches with FindBySubjectDistinguishedName, expired certificates included.
    param(
        [Parameter(Mandatory = $true)]
        [string] $Subject
    )
    $opened = Open-SssStore -Flags ([System.Security.Cryptography.X509Certificates.OpenFlags]'ReadOnly, OpenExistingOnly')
    try {
        $kind = [System.Security.Cryptography.X509Certificates.X509FindType]::FindBySubjectDistinguishedName
        foreach ($certificate in $opened.Store.Certificates.Find($kind, $Subject, $false)) {
            $certificate.Thumbprint
        }
    }
    finally {
        $opened.Store.Close()
    }
}

function Test-SssArchived {
    [OutputType([bool])]
    param(
        [Parameter(Mandatory = $true)]
        [System.Security.Cryptography.X509Certificates.X509Certificate2] $Certificate
    )
    return $Certificate.Archived
}

function Set-SssArchived {
    # GUESS: setting the property on a certificate of a store opened for writing is kept by the store,
    # and hides the certificate from a normal Find.
    param(
        [Parameter(Mandatory = $true)]
        [string] $Thumbprint,

        [Parameter(Mandatory = $true)]
        [bool] $Archived
    )
    $opened = Open-SssStore -Flags ([System.Security.Cryptography.X509Certificates.OpenFlags]'ReadWrite, OpenExistingOnly, IncludeArchived')
    try {
        foreach ($certificate in $opened.Store.Certificates) {
            if ($certificate.Thumbprint -ceq $Thumbprint) {
                $certificate.Archived = $Archived
            }
        }
    }
    finally {
        $opened.Store.Close()
    }
}

function Remove-SssStoreCertificate {
    # The certificate first, then the key container it named.
    param(
        [Parameter(Mandatory = $true)]
        [string] $Thumbprint,

        [Parameter(Mandatory = $true)]
        [hashtable] $Key
    )
    $opened = Open-SssStore -Flags ([System.Security.Cryptography.X509Certificates.OpenFlags]'ReadWrite, OpenExistingOnly, IncludeArchived')
    try {
        foreach ($certificate in $opened.Store.Certificates) {
            if ($certificate.Thumbprint -ceq $Thumbprint) {
                $opened.Store.Remove($certificate)
            }
        }
    }
    finally {
        $opened.Store.Close()
    }
    Remove-SssPrivateKey -Key $Key
}

function Import-SssPfx {
    # Into LocalMachine\My: machine key, kept, not exportable. Nothing touches a disk but Windows' own
    # key store.
    # GUESS: a PFX without a provider name gets a legacy CSP with KeySpec 1. The caller verifies.
    param(
        [Parameter(Mandatory = $true)]
        [byte[]] $Bytes,

        [Parameter(Mandatory = $true)]
        [System.Security.SecureString] $Password
    )
    $flags = [System.Security.Cryptography.X509Certificates.X509KeyStorageFlags]'MachineKeySet, PersistKeySet'
    $certificate = [System.Security.Cryptography.X509Certificates.X509Certificate2]::new($Bytes, $Password, $flags)
    $opened = Open-SssStore -Flags ([System.Security.Cryptography.X509Certificates.OpenFlags]'ReadWrite, OpenExistingOnly')
    try {
        $opened.Store.Add($certificate)
    }
    catch {
        # The key is in its container already; without a certificate it would stay there for ever.
        Remove-SssPrivateKey -Key (Get-SssPrivateKey -Certificate $certificate)
        throw
    }
    finally {
        $opened.Store.Close()
        $certificate.Dispose()
    }
}
