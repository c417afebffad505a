# Install-SssCertificate: a PFX into LocalMachine\My, and the readers of its key.

function Install-SssKey {
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Run
    )
    $call = $Run.Call
    $accounts = @(foreach ($role in $call.GrantRead) { Resolve-SssRoleAccount -Role $role })
    $held = Get-SssHeldCertificate -Thumbprint $call.Thumbprint
    $before = $null
    $present = $false
    if ($null -ne $held) {
        $before = Get-SssCertificateFacts -Certificate $held
        $present = $before.HasPrivateKey
    }
    $Run.Before = [ordered]@{ Present = $present; Certificate = $before }
    if ($null -ne $held) {
        Assert-SssHeldFits -Run $Run -Held $held
    }
    if (-not $present) {
        Install-SssFromPfx -Run $Run -Accounts $accounts
    }
    elseif ($call.Method -ceq 'ProductScript') {
        Repair-SssWithScript -Run $Run -Held $held -Accounts $accounts
    }
    elseif ((Get-SssUnfitReason -Certificate $held) -cne '') {
        Deny-SssCall -Code 'CertificateUnusable' -Message (Get-SssUnfitReason -Certificate $held)
    }
    $now = Get-SssHeldCertificate -Thumbprint $call.Thumbprint
    $key = Get-SssPrivateKey -Certificate $now
    if (Add-SssReaders -Run $Run -Thumbprint $call.Thumbprint -Key $key -Accounts $accounts) {
        $Run.Changed = $true
    }
    $Run.After = [ordered]@{
        Present = $true
        Certificate = (Get-SssCertificateFacts -Certificate $now)
        Method = $call.Method
        RestoredReaders = $Run.Restored
    }
}

function Assert-SssHeldFits {
    # What is there already under this thumbprint must be the very certificate, live and with its key.
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Run,

        [Parameter(Mandatory = $true)]
        [System.Security.Cryptography.X509Certificates.X509Certificate2] $Held
    )
    if ((Get-SssSha256 -Bytes $Held.RawData) -cne $Run.Call.Sha256) {
        Deny-SssCall -Code 'CertificateMismatch' -Message 'A certificate with this thumbprint is here, but its SHA-256 is another one.'
    }
    if (-not $Held.HasPrivateKey) {
        Deny-SssCall -Code 'CertificateUnusable' -Message 'This certificate is in the store without its private key. Remove it, then install it with its key.'
    }
    if (Test-SssArchived -Certificate $Held) {
        Deny-SssCall -Code 'UnexpectedState' -Message 'This certificate is here, but archived. Make it active with Set-SssCertificateState first.'
    }
    if (-not $Run.Call.AllowSameSubject) {
        Assert-SssSubjectUnique -Subject $Held.Subject -Thumbprint $Run.Call.Thumbprint
    }
}

function Install-SssFromPfx {
    # Puts the certificate in, by import in memory or by the product's script, and reads it back.
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Run,

        [AllowEmptyCollection()]
        [object[]] $Accounts
    )
    Assert-SssPfxFits -Run $Run
    if ($Run.Call.Method -ceq 'ProductScript') {
        Assert-SssProductScript -Accounts $Accounts
        Save-SssInstalled -Thumbprint $Run.Call.Thumbprint
        Save-SssScriptReaders -Run $Run -Accounts $Accounts
        Invoke-SssProductScript -Run $Run -Accounts $Accounts
    }
    else {
        Save-SssInstalled -Thumbprint $Run.Call.Thumbprint
        $Run.Touched = $true
        Import-SssPfx -Bytes $Run.Secret.PfxBytes -Password $Run.Secret.TransportPassword
    }
    $Run.Changed = $true
    Assert-SssImported -Run $Run
}

function Assert-SssPfxFits {
    # One key, the certificate that the plan names, not expired, no other with its subject. Nothing is
    # written for this.
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Run
    )
    $facts = Get-SssPfxFacts -Bytes $Run.Secret.PfxBytes -Password $Run.Secret.TransportPassword
    if (-not $facts.Opened) {
        Deny-SssCall -Code 'PasswordWrong' -Message 'The PFX does not open with the transport password.'
    }
    if ($facts.Keys -ne 1) {
        Deny-SssCall -Code 'CertificateMismatch' -Message ('The PFX holds {0} private keys; it must hold exactly one.' -f $facts.Keys)
    }
    if ($facts.Thumbprint -cne $Run.Call.Thumbprint -or $facts.Sha256 -cne $Run.Call.Sha256) {
        Deny-SssCall -Code 'CertificateMismatch' -Message ('The PFX holds another certificate: {0}.' -f $facts.Thumbprint)
    }
    if ($facts.NotAfter.ToUniversalTime() -le [System.DateTime]::UtcNow) {
        Deny-SssCall -Code 'CertificateUnusable' -Message 'The certificate has expired.'
    }
    if (-not $Run.Call.AllowSameSubject) {
        Assert-SssSubjectUnique -Subject $facts.Subject -Thumbprint $facts.Thumbprint
    }
}

function Assert-SssImported {
    # Read back from the store. An import that CRM could not use is taken out again.
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Run
    )
    $thumbprint = $Run.Call.Thumbprint
    $held = Get-SssHeldCertificate -Thumbprint $thumbprint
    if ($null -eq $held) {
        Deny-SssCall -Code 'CertificateUnusable' -Changed 'Unknown' -Message 'The import reported no error, but the certificate is not in LocalMachine\My.'
    }
    $reason = Get-SssUnfitReason -Certificate $held
    if ($reason -ceq '') {
        return
    }
    Remove-SssStoreCertificate -Thumbprint $thumbprint -Key (Get-SssPrivateKey -Certificate $held)
    if ($null -ne (Get-SssHeldCertificate -Thumbprint $thumbprint)) {
        Deny-SssCall -Code 'CertificateUnusable' -Changed 'Yes' -Message ($reason + ' It could not be taken out again.')
    }
    Clear-SssInstalled -Thumbprint $thumbprint
    $Run.Changed = $false
    Deny-SssCall -Code 'CertificateUnusable' -Message ($reason + ' The import was taken out again.')
}
