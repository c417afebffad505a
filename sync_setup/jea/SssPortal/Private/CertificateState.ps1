# Set-SssCertificateState: hide a certificate from the product, show it again, or remove it for good.

function Update-SssCertificateState {
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Run
    )
    $thumbprint = $Run.Call.Thumbprint
    $wanted = $Run.Call.State
    $held = Get-SssHeldCertificate -Thumbprint $thumbprint
    $current = Get-SssCertificateStateWord -Certificate $held
    $Run.Before = Get-SssCertificateStateFacts -Certificate $held
    if ($current -ceq $wanted) {
        $Run.After = $Run.Before
        return
    }
    if ($null -eq $held -and $Run.Call.ExpectState -cne 'Absent') {
        Deny-SssCall -Code 'CertificateNotFound' -Message 'No certificate with this thumbprint is in LocalMachine\My.'
    }
    if ($current -cne $Run.Call.ExpectState) {
        Deny-SssCall -Code 'UnexpectedState' -Message ('The certificate is {0}, not {1} as expected.' -f $current, $Run.Call.ExpectState)
    }
    if ($null -eq $held) {
        Deny-SssCall -Code 'CertificateNotFound' -Message 'The certificate is not here: it can be installed, not made active.'
    }
    if ($wanted -cne 'Active') {
        Assert-SssNotInUse -Run $Run -Held $held
    }
    if ($wanted -ceq 'Absent') {
        Remove-SssOwnCertificate -Run $Run -Held $held
    }
    else {
        $Run.Touched = $true
        Set-SssArchived -Thumbprint $thumbprint -Archived ($wanted -ceq 'Archived')
    }
    $now = Get-SssHeldCertificate -Thumbprint $thumbprint
    $Run.After = Get-SssCertificateStateFacts -Certificate $now
    if ($Run.After.State -cne $wanted) {
        Deny-SssCall -Code 'UnexpectedState' -Changed 'Unknown' -Message ('The certificate was to become {0}; it is {1}.' -f $wanted, $Run.After.State)
    }
    $Run.Changed = $true
}

function Get-SssCertificateStateWord {
    [OutputType([string])]
    param(
        [AllowNull()]
        $Certificate
    )
    if ($null -eq $Certificate) {
        return 'Absent'
    }
    if (Test-SssArchived -Certificate $Certificate) {
        return 'Archived'
    }
    return 'Active'
}

function Get-SssCertificateStateFacts {
    param(
        [AllowNull()]
        $Certificate
    )
    $facts = $null
    if ($null -ne $Certificate) {
        $facts = Get-SssCertificateFacts -Certificate $Certificate
    }
    return [ordered]@{
        State = (Get-SssCertificateStateWord -Certificate $Certificate)
        Certificate = $facts
    }
}

function Assert-SssNotInUse {
    # IIS bindings, and on the Deployment Tools server the token issuer.
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Run,

        [Parameter(Mandatory = $true)]
        [System.Security.Cryptography.X509Certificates.X509Certificate2] $Held
    )
    foreach ($binding in @(Get-SssIisBinding)) {
        if ($binding.Thumbprint -ceq $Held.Thumbprint) {
            Deny-SssCall -Code 'InUse' -Message ('IIS uses this certificate: {0}.' -f $binding.Text)
        }
    }
    if (-not (Test-SssSnapIn)) {
        return
    }
    try {
        $issuer = Read-SssTokenIssuer
    }
    catch {
        # Archiving can be taken back; removing cannot, so there the answer must be known.
        if ($Run.Call.State -ceq 'Absent') {
            throw
        }
        $Run.Warnings.Add('Whether this certificate is the token issuer could not be asked: ' + $_.Exception.Message)
        return
    }
    if ($null -ne $issuer -and $issuer.Thumbprint -ceq $Held.Thumbprint) {
        Deny-SssCall -Code 'InUse' -Message 'This certificate is the token issuer of the deployment.'
    }
}

function Remove-SssOwnCertificate {
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Run,

        [Parameter(Mandatory = $true)]
        [System.Security.Cryptography.X509Certificates.X509Certificate2] $Held
    )
    if (-not (Test-SssInstalled -Thumbprint $Held.Thumbprint)) {
        Deny-SssCall -Code 'NotOurs' -Message 'This portal did not install this certificate on this server; it may archive it, not remove it.'
    }
    $Run.Touched = $true
    Remove-SssStoreCertificate -Thumbprint $Held.Thumbprint -Key (Get-SssPrivateKey -Certificate $Held)
    Clear-SssInstalled -Thumbprint $Held.Thumbprint
}
