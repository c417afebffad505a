# Certificates of LocalMachine\My as the contract shows them.

function Get-SssHeldCertificate {
    # The certificate with this thumbprint, archived ones included, or nothing.
    param(
        [Parameter(Mandatory = $true)]
        [string] $Thumbprint
    )
    foreach ($certificate in @(Get-SssStoreCertificate)) {
        if ($certificate.Thumbprint -ceq $Thumbprint) {
            return $certificate
        }
    }
    return $null
}

function Get-SssCertificateFacts {
    # The Certificate object of the contract. Whoever asks for many hands the IIS bindings in.
    param(
        [Parameter(Mandatory = $true)]
        [System.Security.Cryptography.X509Certificates.X509Certificate2] $Certificate,

        [AllowNull()]
        [object[]] $Bindings = $null
    )
    if ($null -eq $Bindings) {
        $Bindings = @(Get-SssIisBinding)
    }
    $key = Get-SssPrivateKey -Certificate $Certificate
    $chain = Test-SssChain -Certificate $Certificate
    $served = [System.Collections.Generic.List[string]]::new()
    foreach ($binding in $Bindings) {
        if ($binding.Thumbprint -ceq $Certificate.Thumbprint) {
            $served.Add($binding.Text)
        }
    }
    return [ordered]@{
        Thumbprint = $Certificate.Thumbprint
        Sha256 = (Get-SssSha256 -Bytes $Certificate.RawData)
        Subject = $Certificate.Subject
        Issuer = $Certificate.Issuer
        SerialNumber = $Certificate.SerialNumber
        NotBeforeUtc = $Certificate.NotBefore.ToUniversalTime()
        NotAfterUtc = $Certificate.NotAfter.ToUniversalTime()
        Archived = (Test-SssArchived -Certificate $Certificate)
        HasPrivateKey = [bool] $Certificate.HasPrivateKey
        KeyAlgorithm = (Get-SssKeyAlgorithm -Certificate $Certificate)
        KeyBits = (Get-SssKeyBits -Certificate $Certificate)
        KeyStorage = $key.KeyStorage
        ProviderName = $key.ProviderName
        ProviderType = $key.ProviderType
        KeySpec = $key.KeySpec
        Exportable = $key.Exportable
        KeyReaders = @(Get-SssKeyReaders -Thumbprint $Certificate.Thumbprint -Key $key)
        ChainOk = $chain.Ok
        ChainStatus = $chain.Status
        FoundBySubject = @(Find-SssBySubject -Subject $Certificate.Subject)
        IisBindings = $served
        RawBase64 = [System.Convert]::ToBase64String($Certificate.RawData)
    }
}

function Get-SssKeyAlgorithm {
    [OutputType([string])]
    param(
        [System.Security.Cryptography.X509Certificates.X509Certificate2] $Certificate
    )
    $oid = $Certificate.PublicKey.Oid
    if ($oid.Value -ceq '1.2.840.113549.1.1.1') {
        return 'RSA'
    }
    if ($oid.Value -ceq '1.2.840.10045.2.1') {
        return 'EC'
    }
    return [string] $oid.Value
}

function Get-SssKeyBits {
    # 0 where the kind of key is one that .NET cannot read.
    [OutputType([int])]
    param(
        [System.Security.Cryptography.X509Certificates.X509Certificate2] $Certificate
    )
    $public = [System.Security.Cryptography.X509Certificates.RSACertificateExtensions]::GetRSAPublicKey($Certificate)
    if ($null -eq $public) {
        $public = [System.Security.Cryptography.X509Certificates.ECDsaCertificateExtensions]::GetECDsaPublicKey($Certificate)
    }
    if ($null -eq $public) {
        return 0
    }
    return $public.KeySize
}

function Test-SssChain {
    # Chain by what this server trusts. No online revocation: the answer must not depend on the network.
    param(
        [System.Security.Cryptography.X509Certificates.X509Certificate2] $Certificate
    )
    $chain = [System.Security.Cryptography.X509Certificates.X509Chain]::new()
    try {
        $chain.ChainPolicy.RevocationMode = [System.Security.Cryptography.X509Certificates.X509RevocationMode]::NoCheck
        $chain.ChainPolicy.UrlRetrievalTimeout = [System.TimeSpan]::FromSeconds(2)
        $ok = $chain.Build($Certificate)
        $status = [System.Collections.Generic.List[string]]::new()
        foreach ($item in $chain.ChainStatus) {
            $status.Add($item.Status.ToString())
        }
        return @{ Ok = $ok; Status = $status }
    }
    finally {
        $chain.Dispose()
    }
}

function Get-SssUnfitReason {
    # Why this certificate cannot sign tokens for CRM, or empty text. CRM needs a CSP key of KeySpec 1.
    # Source: learn.microsoft.com, "Connect Dynamics 365 (on-premises) to Exchange Online", KeySpec.
    [OutputType([string])]
    param(
        [System.Security.Cryptography.X509Certificates.X509Certificate2] $Certificate
    )
    if (-not $Certificate.HasPrivateKey) {
        return 'The certificate has no private key here.'
    }
    if ($Certificate.NotAfter.ToUniversalTime() -le [System.DateTime]::UtcNow) {
        return 'The certificate has expired.'
    }
    $key = Get-SssPrivateKey -Certificate $Certificate
    if ($key.KeyStorage -cne 'Csp') {
        return ('The key is {0}; CRM needs a key of a legacy provider (CSP).' -f $key.KeyStorage)
    }
    if ($key.KeySpec -ne 1 -or $key.ProviderType -eq 0) {
        return ('KeySpec is {0}, provider type {1}; CRM needs KeySpec 1 (AT_KEYEXCHANGE).' -f $key.KeySpec, $key.ProviderType)
    }
    return ''
}

function Assert-SssSubjectUnique {
    # CRM finds its certificate by subject. Another live one with the same subject makes it a guess.
    param(
        [Parameter(Mandatory = $true)]
        [string] $Subject,

        [Parameter(Mandatory = $true)]
        [string] $Thumbprint
    )
    $others = [System.Collections.Generic.List[string]]::new()
    foreach ($found in @(Find-SssBySubject -Subject $Subject)) {
        if ($found -cne $Thumbprint) {
            $others.Add($found)
        }
    }
    if ($others.Count -gt 0) {
        Deny-SssCall -Code 'SubjectAmbiguous' -Message ('CRM finds certificates by subject, and another one has the same: {0}. Archive it, or use a certificate with a subject of its own.' -f [string]::Join(', ', $others.ToArray()))
    }
}

function Find-SssCertificates {
    # Get-SssCertificate.
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Run
    )
    $found = [System.Collections.Generic.List[object]]::new()
    if ($Run.Call.Thumbprint -cne '') {
        $certificate = Get-SssHeldCertificate -Thumbprint $Run.Call.Thumbprint
        if ($null -eq $certificate -or -not $certificate.HasPrivateKey) {
            Deny-SssCall -Code 'CertificateNotFound' -Message 'No certificate with this thumbprint and a private key is in LocalMachine\My.'
        }
        $found.Add((Get-SssCertificateFacts -Certificate $certificate))
    }
    else {
        $bindings = @(Get-SssIisBinding)
        foreach ($certificate in @(Get-SssStoreCertificate)) {
            if (-not $certificate.HasPrivateKey) {
                continue
            }
            if ($found.Count -ge 200) {
                $Run.Warnings.Add('More than 200 certificates with a key are in LocalMachine\My; the first 200 are shown.')
                break
            }
            $found.Add((Get-SssCertificateFacts -Certificate $certificate -Bindings $bindings))
        }
    }
    $Run.Result = [ordered]@{ Certificates = $found }
}
