# How the tests call the module and what they demand of every answer.

$script:SelfTests = [System.Collections.Generic.List[object]]::new()

function Add-SelfTest {
    param(
        [Parameter(Mandatory = $true)]
        [string] $Name,

        [Parameter(Mandatory = $true)]
        [scriptblock] $Body
    )
    $script:SelfTests.Add(@{ Name = $Name; Body = $Body })
}

function Assert-That {
    param(
        [Parameter(Mandatory = $true)]
        [AllowNull()]
        $Condition,

        [Parameter(Mandatory = $true)]
        [string] $Because
    )
    if (-not $Condition) {
        throw $Because
    }
}

function Assert-Equal {
    param(
        [AllowNull()]
        $Found,

        [AllowNull()]
        $Wanted,

        [Parameter(Mandatory = $true)]
        [string] $What
    )
    if ([string] $Found -cne [string] $Wanted) {
        throw ('{0}: found "{1}", wanted "{2}"' -f $What, $Found, $Wanted)
    }
}

function Read-Answer {
    # The envelope, checked: exactly one string, the right names, a code of the contract.
    param(
        [AllowNull()]
        $Output,

        [Parameter(Mandatory = $true)]
        [string] $Function
    )
    $lines = @($Output)
    Assert-Equal -Found $lines.Count -Wanted 1 -What 'number of output objects'
    Assert-That -Condition ($lines[0] -is [string]) -Because 'the output is no string'
    Assert-That -Condition (-not $lines[0].Contains("`n")) -Because 'the answer is more than one line'
    $answer = ConvertFrom-Json -InputObject $lines[0]
    $names = [string]::Join(',', @($answer.PSObject.Properties | ForEach-Object -Process { $_.Name }))
    Assert-Equal -Found $names -Wanted 'ContractVersion,Function,ServerName,ServerTimeUtc,Ok,Error,Result,Warnings' -What 'envelope'
    Assert-Equal -Found $answer.ContractVersion -Wanted '1.0' -What 'ContractVersion'
    Assert-Equal -Found $answer.Function -Wanted $Function -What 'Function'
    Assert-Equal -Found $answer.Ok -Wanted ($null -eq $answer.Error) -What 'Ok'
    return $answer
}

function New-Gate {
    # The five parameters of every change, with an operation id of its own.
    param(
        [long] $Epoch = 1,
        [long] $Fence = 10
    )
    return @{
        PortalId = [guid] '11111111-2222-3333-4444-555555555555'
        Epoch = $Epoch
        Fence = $Fence
        OperationId = [guid]::NewGuid()
        Job = 'J-41'
    }
}

function Invoke-Function {
    # Calls a function and hands its Result back; a refusal fails the test.
    param(
        [Parameter(Mandatory = $true)]
        [string] $Function,

        [hashtable] $With = @{}
    )
    $answer = Read-Answer -Output (& $Function @With) -Function $Function
    if (-not $answer.Ok) {
        throw ('{0} refused: {1}: {2}' -f $Function, $answer.Error.Code, $answer.Error.Message)
    }
    return $answer.Result
}

function Assert-Refused {
    # Calls a function that must refuse with this code and this word for Changed.
    param(
        [Parameter(Mandatory = $true)]
        [string] $Function,

        [Parameter(Mandatory = $true)]
        [string] $Code,

        [hashtable] $With = @{},

        [string] $Changed = 'No'
    )
    $answer = Read-Answer -Output (& $Function @With) -Function $Function
    if ($answer.Ok) {
        throw ('{0} did not refuse; wanted {1}' -f $Function, $Code)
    }
    Assert-Equal -Found $answer.Error.Code -Wanted $Code -What ($Function + ' code, ' + $answer.Error.Message)
    Assert-Equal -Found $answer.Error.Changed -Wanted $Changed -What ($Function + ' Changed')
    Assert-That -Condition ($null -eq $answer.Result) -Because 'a refusal has no Result'
}

function Assert-NotBound {
    # A value that must not even bind.
    param(
        [Parameter(Mandatory = $true)]
        [string] $Function,

        [Parameter(Mandatory = $true)]
        [hashtable] $With
    )
    $bound = $true
    try {
        $null = & $Function @With
    }
    catch [System.Management.Automation.ParameterBindingException] {
        $bound = $false
    }
    Assert-That -Condition (-not $bound) -Because ($Function + ' took a value it must not take')
}

function Join-Table {
    # Two hashtables as one; the second wins.
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $First,

        [Parameter(Mandatory = $true)]
        [hashtable] $Second
    )
    $both = $First.Clone()
    foreach ($key in $Second.Keys) {
        $both[$key] = $Second[$key]
    }
    return $both
}

function ConvertTo-TestSecret {
    param(
        [Parameter(Mandatory = $true)]
        [string] $Text
    )
    $secret = [System.Security.SecureString]::new()
    foreach ($character in $Text.ToCharArray()) {
        $secret.AppendChar($character)
    }
    return $secret
}

function New-TestPfx {
    # A self-signed RSA certificate as PFX, with what Install-SssCertificate must be told of it.
    param(
        [string] $Subject = 'CN=s2s-2026.contoso.example',
        [double] $Days = 365
    )
    $rsa = [System.Security.Cryptography.RSA]::Create(2048)
    $request = [System.Security.Cryptography.X509Certificates.CertificateRequest]::new(
        $Subject, $rsa,
        [System.Security.Cryptography.HashAlgorithmName]::SHA256,
        [System.Security.Cryptography.RSASignaturePadding]::Pkcs1)
    $now = [System.DateTimeOffset]::UtcNow
    $certificate = $request.CreateSelfSigned($now.AddDays(-400), $now.AddDays($Days))
    $pfx = [System.Security.Cryptography.X509Certificates.X509ContentType]::Pfx
    $hash = [System.Security.Cryptography.SHA256]::Create()
    return @{
        Bytes = $certificate.Export($pfx, 'one-time')
        Certificate = $certificate
        Thumbprint = $certificate.Thumbprint
        Sha256 = [System.BitConverter]::ToString($hash.ComputeHash($certificate.RawData)).Replace('-', '')
    }
}

function Get-InstallCall {
    # The parameters that install this PFX.
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Pfx
    )
    return (Join-Table -First (New-Gate) -Second @{
            PfxBytes = $Pfx.Bytes
            TransportPassword = (ConvertTo-TestSecret -Text 'one-time')
            Thumbprint = $Pfx.Thumbprint
            Sha256 = $Pfx.Sha256
            GrantRead = @('AsyncService', 'WebApplication')
        })
}
