# The token issuer: with which certificate CRM signs. Only public bytes are read and written.

function Read-SssTokenIssuers {
    # Every row of the type S2STokenIssuer as the contract shows it.
    # Source: learn.microsoft.com, "Configure Azure app for SharePoint access": Data is base64 of the
    # public certificate.
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Crm
    )
    foreach ($row in @(Invoke-SssCrm -Crm $Crm -Command 'Get-CrmCertificate')) {
        $type = [string] (Get-SssProperty -InputObject $row -Name 'CertificateType')
        if ($type -cne $script:SssIssuerType) {
            continue
        }
        $bytes = [System.Convert]::FromBase64String([string] (Get-SssProperty -InputObject $row -Name 'Data'))
        $certificate = [System.Security.Cryptography.X509Certificates.X509Certificate2]::new([byte[]] $bytes)
        [ordered]@{
            Id = (Get-SssGuidText -Value (Get-SssProperty -InputObject $row -Name 'Id'))
            Name = [string] (Get-SssProperty -InputObject $row -Name 'Name')
            StoreName = [string] (Get-SssProperty -InputObject $row -Name 'StoreName')
            StoreLocation = [string] (Get-SssProperty -InputObject $row -Name 'StoreLocation')
            StoreFindType = [string] (Get-SssProperty -InputObject $row -Name 'StoreFindType')
            Thumbprint = $certificate.Thumbprint
            Sha256 = (Get-SssSha256 -Bytes $certificate.RawData)
            RawBase64 = [System.Convert]::ToBase64String($certificate.RawData)
        }
    }
}

function Read-SssTokenIssuer {
    # The one issuer, or nothing; for functions that take no DeploymentCredential.
    $crm = Open-SssCrm -Credential $null
    try {
        return (Get-SssOnlyIssuer -Crm $crm)
    }
    finally {
        Close-SssCrm -Crm $crm
    }
}

function Get-SssOnlyIssuer {
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Crm
    )
    $issuers = @(Read-SssTokenIssuers -Crm $Crm)
    if ($issuers.Count -gt 1) {
        Deny-SssCall -Code 'UnexpectedState' -Message ('The deployment has {0} token issuers; it should have at most one.' -f $issuers.Count)
    }
    if ($issuers.Count -eq 0) {
        return $null
    }
    return $issuers[0]
}

function Update-SssTokenIssuer {
    # Set-SssTokenIssuer.
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Run
    )
    $wanted = ''
    if (-not $Run.Call.Absent) {
        $wanted = Get-SssIssuerThumbprint -Run $Run
    }
    $crm = Open-SssCrm -Credential $Run.Secret.DeploymentCredential
    try {
        $before = Get-SssOnlyIssuer -Crm $crm
        $current = ''
        if ($null -ne $before) {
            $current = $before.Thumbprint
        }
        $Run.Before = [ordered]@{ TokenIssuer = $before }
        $Run.After = $Run.Before
        if ($current -ceq $wanted) {
            return
        }
        if ($current -cne $Run.Call.ExpectThumbprint) {
            Deny-SssCall -Code 'UnexpectedState' -Message ('The token issuer is "{0}", not "{1}" as expected.' -f $current, $Run.Call.ExpectThumbprint)
        }
        if ($wanted -ceq '') {
            $Run.Touched = $true
            $null = Invoke-SssCrm -Crm $crm -Command 'Remove-CrmCertificate' -Parameters @{ Id = [guid] $before.Id }
        }
        else {
            Assert-SssIssuerFits -Thumbprint $wanted
            Write-SssTokenIssuer -Run $Run -Crm $crm
        }
        Assert-SssIssuerIs -Run $Run -Crm $crm -Wanted $wanted -Previous $current
    }
    finally {
        Close-SssCrm -Crm $crm
    }
}

function Get-SssIssuerThumbprint {
    # Of the public bytes that came in.
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Run
    )
    try {
        $bytes = [System.Convert]::FromBase64String($Run.Call.CertificateBase64)
        $certificate = [System.Security.Cryptography.X509Certificates.X509Certificate2]::new([byte[]] $bytes)
    }
    catch {
        Deny-SssCall -Code 'BadParameter' -Message 'CertificateBytes is no X.509 certificate.'
    }
    # A PFX would open here too when it has no password; a private key must not come this way.
    $same = [System.Convert]::ToBase64String($certificate.RawData) -ceq $Run.Call.CertificateBase64
    if ($certificate.HasPrivateKey -or -not $same) {
        Deny-SssCall -Code 'BadParameter' -Message 'CertificateBytes must be one public certificate in DER form.'
    }
    return $certificate.Thumbprint
}

function Assert-SssIssuerFits {
    # CRM will look for this certificate in every server's store by its subject; here it must find it.
    param(
        [Parameter(Mandatory = $true)]
        [string] $Thumbprint
    )
    $held = Get-SssHeldCertificate -Thumbprint $Thumbprint
    if ($null -eq $held -or -not $held.HasPrivateKey) {
        Deny-SssCall -Code 'CertificateNotFound' -Message 'This certificate is not in LocalMachine\My of this server with its private key.'
    }
    if (Test-SssArchived -Certificate $held) {
        Deny-SssCall -Code 'CertificateUnusable' -Message 'This certificate is archived: CRM would not find it.'
    }
    $reason = Get-SssUnfitReason -Certificate $held
    if ($reason -cne '') {
        Deny-SssCall -Code 'CertificateUnusable' -Message $reason
    }
    Assert-SssSubjectUnique -Subject $held.Subject -Thumbprint $Thumbprint
}

function Write-SssTokenIssuer {
    # Set-CrmCertificate reads the public certificate from a file.
    # GUESS: with a row of this type already there, the cmdlet replaces its data. The read-back decides.
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Run,

        [Parameter(Mandatory = $true)]
        [hashtable] $Crm
    )
    $file = [System.IO.Path]::Combine((Get-SssStateFolder -Name 'Transfer'), [guid]::NewGuid().ToString('N') + '.cer')
    try {
        [System.IO.File]::WriteAllBytes($file, [System.Convert]::FromBase64String($Run.Call.CertificateBase64))
        $Run.Touched = $true
        $null = Invoke-SssCrm -Crm $Crm -Command 'Set-CrmCertificate' -Parameters ([ordered]@{
                CertificateType = $script:SssIssuerType
                StoreName = 'My'
                StoreLocation = 'LocalMachine'
                StoreFindType = $script:SssFindType
                DataFile = $file
            })
    }
    finally {
        if ([System.IO.File]::Exists($file)) {
            [System.IO.File]::Delete($file)
        }
    }
}

function Assert-SssIssuerIs {
    # Read back. No status of the cmdlet counts, only what the deployment says now.
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Run,

        [Parameter(Mandatory = $true)]
        [hashtable] $Crm,

        [AllowEmptyString()]
        [string] $Wanted,

        [AllowEmptyString()]
        [string] $Previous
    )
    $after = Get-SssOnlyIssuer -Crm $Crm
    $now = ''
    if ($null -ne $after) {
        $now = $after.Thumbprint
    }
    $Run.After = [ordered]@{ TokenIssuer = $after }
    if ($now -cne $Wanted) {
        $changed = 'Yes'
        if ($now -ceq $Previous) {
            $changed = 'No'
        }
        Deny-SssCall -Code 'UnexpectedState' -Changed $changed -Message ('The token issuer was to become "{0}"; read back, it is "{1}".' -f $Wanted, $now)
    }
    $Run.Changed = $true
}
