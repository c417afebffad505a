# A PFX, in memory only. Its password is a secure string until the moment .NET asks for text.

function Read-SssSecret {
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)]
        [System.Security.SecureString] $Secret
    )
    $pointer = [System.Runtime.InteropServices.Marshal]::SecureStringToBSTR($Secret)
    try {
        return [System.Runtime.InteropServices.Marshal]::PtrToStringBSTR($pointer)
    }
    finally {
        [System.Runtime.InteropServices.Marshal]::ZeroFreeBSTR($pointer)
    }
}

function Get-SssPfxFacts {
    # Opened, Keys (how many), and of the certificate with the key: Thumbprint, Sha256, Subject, NotAfter.
    # No key is kept: ephemeral where .NET can (4.7.2 and later), else deleted with the object.
    param(
        [Parameter(Mandatory = $true)]
        [byte[]] $Bytes,

        [Parameter(Mandatory = $true)]
        [System.Security.SecureString] $Password
    )
    $facts = @{ Opened = $false; Keys = 0; Thumbprint = ''; Sha256 = ''; Subject = ''; NotAfter = [System.DateTime]::MinValue }
    $found = [System.Security.Cryptography.X509Certificates.X509Certificate2Collection]::new()
    try {
        # The collection takes no SecureString; the transport password is used for this one call.
        $found.Import($Bytes, (Read-SssSecret -Secret $Password), (Get-SssLookFlags))
    }
    catch {
        # ERROR_INVALID_PASSWORD says so; anything else is no PFX that Windows can read.
        if ($_.Exception.GetBaseException().HResult -eq -2147024810) {
            return $facts
        }
        Deny-SssCall -Code 'CertificateMismatch' -Message 'The PFX cannot be read on this server. It may use an encryption that this version of Windows does not know: wrap it with 3DES and SHA-1.'
    }
    $facts.Opened = $true
    foreach ($certificate in $found) {
        if ($certificate.HasPrivateKey) {
            $facts.Keys = $facts.Keys + 1
            $facts.Thumbprint = $certificate.Thumbprint
            $facts.Sha256 = Get-SssSha256 -Bytes $certificate.RawData
            $facts.Subject = $certificate.Subject
            $facts.NotAfter = $certificate.NotAfter
        }
        $certificate.Dispose()
    }
    return $facts
}

function Get-SssLookFlags {
    $kind = [System.Security.Cryptography.X509Certificates.X509KeyStorageFlags]
    if ([System.Environment]::OSVersion.Platform -ne [System.PlatformID]::Win32NT) {
        # Only Test-SssPortal.ps1 comes by here.
        return [System.Enum]::Parse($kind, 'DefaultKeySet')
    }
    if ([System.Enum]::GetNames($kind) -ccontains 'EphemeralKeySet') {
        return [System.Enum]::Parse($kind, 'EphemeralKeySet')
    }
    return [System.Enum]::Parse($kind, 'MachineKeySet')
}

function Copy-SssPfx {
    # The same key and certificate under another password.
    param(
        [Parameter(Mandatory = $true)]
        [byte[]] $Bytes,

        [Parameter(Mandatory = $true)]
        [System.Security.SecureString] $Password,

        [Parameter(Mandatory = $true)]
        [string] $NewPassword
    )
    $flags = [System.Security.Cryptography.X509Certificates.X509KeyStorageFlags]'MachineKeySet, Exportable'
    $certificate = [System.Security.Cryptography.X509Certificates.X509Certificate2]::new($Bytes, $Password, $flags)
    try {
        $pfx = [System.Security.Cryptography.X509Certificates.X509ContentType]::Pfx
        return @{ Bytes = $certificate.Export($pfx, $NewPassword) }
    }
    finally {
        $certificate.Dispose()
    }
}
