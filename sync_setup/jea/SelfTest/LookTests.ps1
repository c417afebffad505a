# The five functions that only look.

Add-SelfTest -Name 'Get-SssServer tells roles, services and accounts' -Body {
    param($world)
    $server = (Invoke-Function -Function 'Get-SssServer').Server
    Assert-Equal -Found $server.RunAsKind -Wanted 'GroupManagedServiceAccount' -What 'RunAsKind'
    Assert-Equal -Found ([string]::Join(',', $server.Roles)) -Wanted 'Async,WebApplication,DeploymentTools' -What 'Roles'
    Assert-Equal -Found @($server.Services).Count -Wanted 2 -What 'Services'
    Assert-Equal -Found $server.Services[0].Sid -Wanted 'S-1-5-21-1-2-3-1131' -What 'Sid'
    Assert-Equal -Found $server.AppPools[0].Service -Wanted 'WebApplicationPool' -What 'AppPools'
    Assert-Equal -Found $server.ModuleSha256.Length -Wanted 64 -What 'ModuleSha256'
    Assert-Equal -Found $server.CertificateScript.Present -Wanted $false -What 'CertificateScript'
    Assert-That -Condition ($null -eq $server.LastChangeUtc) -Because 'nothing was changed yet'
}

Add-SelfTest -Name 'Get-SssServer answers on a server without any role' -Body {
    param($world)
    $world.Services.Clear()
    $world.Pools.Clear()
    $world.SnapIn = $false
    $server = (Invoke-Function -Function 'Get-SssServer').Server
    Assert-Equal -Found @($server.Roles).Count -Wanted 0 -What 'Roles'
    Assert-Equal -Found @($server.Services).Count -Wanted 0 -What 'Services'
}

Add-SelfTest -Name 'a session that is not elevated or not 64 bit is refused' -Body {
    param($world)
    $world.Identity.Elevated = $false
    Assert-Refused -Function 'Get-SssServer' -Code 'NotElevated'
    $world.Identity.Is64Bit = $false
    Assert-Refused -Function 'Get-SssServer' -Code 'Not64Bit'
}

Add-SelfTest -Name 'an empty store is an empty array' -Body {
    param($world)
    $output = Get-SssCertificate
    Assert-That -Condition ($output.Contains('"Certificates":[]')) -Because ('no empty array in ' + $output)
}

Add-SelfTest -Name 'Get-SssCertificate finds one by thumbprint, and says so if it is not there' -Body {
    param($world)
    $pfx = New-TestPfx
    Assert-Refused -Function 'Get-SssCertificate' -Code 'CertificateNotFound' -With @{ Thumbprint = $pfx.Thumbprint }
    $null = Invoke-Function -Function 'Install-SssCertificate' -With (Get-InstallCall -Pfx $pfx)
    $found = @((Invoke-Function -Function 'Get-SssCertificate' -With @{ Thumbprint = $pfx.Thumbprint }).Certificates)
    Assert-Equal -Found $found.Count -Wanted 1 -What 'Certificates'
    Assert-Equal -Found $found[0].Sha256 -Wanted $pfx.Sha256 -What 'Sha256'
    Assert-Equal -Found $found[0].KeyAlgorithm -Wanted 'RSA' -What 'KeyAlgorithm'
    Assert-Equal -Found $found[0].KeyBits -Wanted 2048 -What 'KeyBits'
    Assert-Equal -Found $found[0].FoundBySubject[0] -Wanted $pfx.Thumbprint -What 'FoundBySubject'
}

Add-SelfTest -Name 'a thumbprint in lower case, with a newline or too short does not bind' -Body {
    param($world)
    $good = '0123456789ABCDEF0123456789ABCDEF01234567'
    foreach ($bad in @($good.ToLowerInvariant(), ($good + "`n"), 'ABC', "'; calc")) {
        Assert-NotBound -Function 'Get-SssCertificate' -With @{ Thumbprint = $bad }
    }
}

Add-SelfTest -Name 'Test-SssEgress tries the hosts of the cloud and no others' -Body {
    param($world)
    $result = Invoke-Function -Function 'Test-SssEgress' -With @{ Cloud = 'GccHigh' }
    $hosts = [string]::Join(',', @($result.Endpoints | ForEach-Object -Process { $_.Host }))
    Assert-Equal -Found $hosts -Wanted 'login.microsoftonline.us,outlook.office365.us' -What 'hosts'
    Assert-NotBound -Function 'Test-SssEgress' -With @{ Cloud = 'example.org' }
}

Add-SelfTest -Name 'an unknown operation is Unknown' -Body {
    param($world)
    $result = Invoke-Function -Function 'Get-SssOperation' -With @{ OperationId = [guid]::NewGuid() }
    Assert-Equal -Found $result.State -Wanted 'Unknown' -What 'State'
    Assert-That -Condition ($null -eq $result.StoredResult) -Because 'nothing is stored'
}
