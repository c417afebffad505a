# The private key of a certificate: where it is kept, and the file that holds it.

function Get-SssPrivateKey {
    # KeyStorage Csp, Cng, None or Unreadable; for a CSP key also the path of its file and its container.
    param(
        [Parameter(Mandatory = $true)]
        [System.Security.Cryptography.X509Certificates.X509Certificate2] $Certificate
    )
    $key = @{
        KeyStorage = 'None'
        ProviderName = ''
        ProviderType = 0
        KeySpec = 0
        Exportable = $null
        Container = ''
        File = ''
    }
    if (-not $Certificate.HasPrivateKey) {
        return $key
    }
    $key.KeyStorage = 'Unreadable'
    $private = $null
    try {
        # The old property, on purpose: it cannot open a CNG key, and neither can CRM. PowerShell turns
        # what the property throws into nothing or into an error, as it sees fit.
        $private = $Certificate.PrivateKey
    }
    catch {
        $private = $null
    }
    if ($private -is [System.Security.Cryptography.RSACryptoServiceProvider]) {
        Add-SssCspFacts -Key $key -Container $private.CspKeyContainerInfo
    }
    else {
        Add-SssCngFacts -Key $key -Certificate $Certificate
    }
    return $key
}

function Add-SssCspFacts {
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Key,

        [Parameter(Mandatory = $true)]
        [System.Security.Cryptography.CspKeyContainerInfo] $Container
    )
    $Key.KeyStorage = 'Csp'
    $Key.ProviderName = [string] $Container.ProviderName
    $Key.ProviderType = [int] $Container.ProviderType
    $Key.KeySpec = [int] $Container.KeyNumber
    $Key.Container = [string] $Container.KeyContainerName
    try {
        # Nothing, not false, where it cannot be read.
        $Key.Exportable = $Container.Exportable
    }
    catch {
        $Key.Exportable = $null
    }
    $data = [System.Environment]::GetFolderPath('CommonApplicationData')
    $file = [System.IO.Path]::Combine($data, 'Microsoft\Crypto\RSA\MachineKeys', $Container.UniqueKeyContainerName)
    if ([System.IO.File]::Exists($file)) {
        $Key.File = $file
    }
}

function Add-SssCngFacts {
    # A key that the old property cannot open but the new one can is a CNG key; else it is Unreadable.
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Key,

        [Parameter(Mandatory = $true)]
        [System.Security.Cryptography.X509Certificates.X509Certificate2] $Certificate
    )
    try {
        $private = [System.Security.Cryptography.X509Certificates.RSACertificateExtensions]::GetRSAPrivateKey($Certificate)
        if ($null -eq $private) {
            $private = [System.Security.Cryptography.X509Certificates.ECDsaCertificateExtensions]::GetECDsaPrivateKey($Certificate)
        }
        if ($null -eq $private) {
            return
        }
        $Key.KeyStorage = 'Cng'
        $Key.ProviderName = [string] $private.Key.Provider.Provider
        $private.Dispose()
    }
    catch {
        # Not even whose key it is can be read: it stays Unreadable, and no other fact is claimed.
        $Key.ProviderName = ''
    }
}

function Remove-SssPrivateKey {
    # Deletes the key container. Nothing is done for a key that is not a CSP key of this machine.
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Key
    )
    if ($Key.KeyStorage -cne 'Csp' -or $Key.Container -ceq '') {
        return
    }
    $parameters = [System.Security.Cryptography.CspParameters]::new($Key.ProviderType, $Key.ProviderName, $Key.Container)
    $parameters.Flags = [System.Security.Cryptography.CspProviderFlags]'UseMachineKeyStore, UseExistingKey'
    $parameters.KeyNumber = $Key.KeySpec
    $provider = [System.Security.Cryptography.RSACryptoServiceProvider]::new($parameters)
    $provider.PersistKeyInCsp = $false
    $provider.Clear()
}
