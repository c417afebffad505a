# CertificateReconfiguration.ps1, the product's own way to import a certificate. Never with -updateCrm:
# the token issuer is Set-SssTokenIssuer's to change.
#
# The script wants a file and a password as plain text, and both may be logged. So the PFX is wrapped
# anew here with a password made here: what the portal sent opens nothing that is in a log.

function Get-SssProductScriptPath {
    # GUESS: below the Tools folder of CRM_Server_InstallDir in every 9.x version.
    [OutputType([string])]
    param()
    $root = Read-SssRegistry -Path 'SOFTWARE\Microsoft\MSCRM' -Name 'CRM_Server_InstallDir'
    if ($null -eq $root) {
        return ''
    }
    return [System.IO.Path]::Combine([string] $root, 'Tools', 'CertificateReconfiguration.ps1')
}

function Get-SssProductScriptFacts {
    # The CertificateScript object of the contract.
    $path = Get-SssProductScriptPath
    if ($path -ceq '' -or -not [System.IO.File]::Exists($path)) {
        return [ordered]@{ Present = $false; Sha256 = $null; Signature = $null; Signer = $null }
    }
    $signature = Get-SssSignature -Path $path
    return [ordered]@{
        Present = $true
        Sha256 = (Get-SssSha256 -Bytes ([System.IO.File]::ReadAllBytes($path)))
        Signature = $signature.Status
        Signer = $signature.Signer
    }
}

function Assert-SssProductScript {
    param(
        [AllowEmptyCollection()]
        [object[]] $Accounts
    )
    if ($Accounts.Count -eq 0) {
        Deny-SssCall -Code 'BadParameter' -Message 'ProductScript grants the key to an account: name at least one role in GrantRead.'
    }
    $facts = Get-SssProductScriptFacts
    if (-not $facts.Present) {
        Deny-SssCall -Code 'ScriptMissing' -Message 'CertificateReconfiguration.ps1 is not in the Tools folder of this server.'
    }
    $microsoft = [string] $facts.Signer -cmatch '(^|, )O=Microsoft Corporation(,|$)'
    if ($facts.Signature -cne 'Valid' -or -not $microsoft) {
        Deny-SssCall -Code 'ScriptUntrusted' -Message ('CertificateReconfiguration.ps1 is not signed by Microsoft as it stands: signature {0}.' -f $facts.Signature)
    }
}

function Save-SssScriptReaders {
    # The script grants Read in our name.
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Run,

        [AllowEmptyCollection()]
        [object[]] $Accounts
    )
    Save-SssAddedReader -Thumbprint $Run.Call.Thumbprint -Sid $Accounts[0].Sid
}

function Invoke-SssProductScript {
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Run,

        [AllowEmptyCollection()]
        [object[]] $Accounts
    )
    $file = [System.IO.Path]::Combine((Get-SssStateFolder -Name 'Transfer'), [guid]::NewGuid().ToString('N') + '.pfx')
    $password = New-SssPassword
    $failure = ''
    try {
        $wrapped = Copy-SssPfx -Bytes $Run.Secret.PfxBytes -Password $Run.Secret.TransportPassword -NewPassword $password
        [System.IO.File]::WriteAllBytes($file, [byte[]] $wrapped.Bytes)
        $Run.Touched = $true
        $failure = Start-SssProductScript -Path (Get-SssProductScriptPath) -Parameters @{
            certificateFile = $file
            password = $password
            certificateType = $script:SssIssuerType
            serviceAccount = $Accounts[0].Account
            storeFindType = $script:SssFindType
        }
    }
    finally {
        if ([System.IO.File]::Exists($file)) {
            [System.IO.File]::Delete($file)
        }
    }
    if ($failure -cne '') {
        $changed = 'Unknown'
        if ($null -eq (Get-SssHeldCertificate -Thumbprint $Run.Call.Thumbprint)) {
            $changed = 'No'
        }
        Deny-SssCall -Code 'ScriptFailed' -Changed $changed -Message ('CertificateReconfiguration.ps1 failed: {0}.' -f $failure)
    }
}

function New-SssPassword {
    # 32 random bytes; used once, for a file that lives for seconds.
    [OutputType([string])]
    param()
    $bytes = [byte[]]::new(32)
    $random = [System.Security.Cryptography.RandomNumberGenerator]::Create()
    try {
        $random.GetBytes($bytes)
    }
    finally {
        $random.Dispose()
    }
    return [System.BitConverter]::ToString($bytes).Replace('-', '')
}

function Repair-SssWithScript {
    # The certificate is here already. The script runs only where something is missing, and every entry
    # it drops from the key file is put back.
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Run,

        [Parameter(Mandatory = $true)]
        [System.Security.Cryptography.X509Certificates.X509Certificate2] $Held,

        [AllowEmptyCollection()]
        [object[]] $Accounts
    )
    $thumbprint = $Run.Call.Thumbprint
    $key = Get-SssPrivateKey -Certificate $Held
    $readers = @(Get-SssKeyReaders -Thumbprint $thumbprint -Key $key)
    $missing = (Get-SssUnfitReason -Certificate $Held) -cne ''
    foreach ($account in $Accounts) {
        if ($null -eq (Find-SssReader -Readers $readers -Sid $account.Sid)) {
            $missing = $true
        }
    }
    if (-not $missing) {
        return
    }
    Assert-SssPfxFits -Run $Run
    Assert-SssProductScript -Accounts $Accounts
    if ($null -eq (Find-SssReader -Readers $readers -Sid $Accounts[0].Sid)) {
        Save-SssScriptReaders -Run $Run -Accounts $Accounts
    }
    Invoke-SssProductScript -Run $Run -Accounts $Accounts
    $Run.Changed = $true
    $now = Get-SssHeldCertificate -Thumbprint $thumbprint
    $reason = 'The certificate is gone after the script ran.'
    if ($null -ne $now) {
        $reason = Get-SssUnfitReason -Certificate $now
    }
    if ($reason -cne '') {
        Deny-SssCall -Code 'CertificateUnusable' -Changed 'Unknown' -Message $reason
    }
    Restore-SssReaders -Run $Run -Key (Get-SssPrivateKey -Certificate $now) -Readers $readers
}

function Restore-SssReaders {
    # Puts dropped entries back. Deny entries and odd rights are never made here.
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Run,

        [Parameter(Mandatory = $true)]
        [hashtable] $Key,

        [AllowEmptyCollection()]
        [object[]] $Readers
    )
    foreach ($reader in $Readers) {
        $left = @(Get-SssKeyReaders -Thumbprint $Run.Call.Thumbprint -Key $Key)
        if ($reader.Rights -ceq 'Other' -or $null -ne (Find-SssReader -Readers $left -Sid $reader.Sid)) {
            continue
        }
        Add-SssKeyFileEntry -Path $Key.File -Sid $reader.Sid -Rights $reader.Rights
        $Run.Restored.Add($reader)
    }
}
