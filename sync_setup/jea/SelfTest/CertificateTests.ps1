# Install-SssCertificate, Set-SssKeyReader, Set-SssCertificateState.

Add-SelfTest -Name 'a PFX is installed, readable by both services, and removed again' -Body {
    param($world)
    $pfx = New-TestPfx
    $result = Invoke-Function -Function 'Install-SssCertificate' -With (Get-InstallCall -Pfx $pfx)
    Assert-Equal -Found $result.Before.Present -Wanted $false -What 'Before'
    Assert-Equal -Found $result.Changed -Wanted $true -What 'Changed'
    $added = @($result.After.Certificate.KeyReaders | Where-Object -FilterScript { $_.AddedByPortal })
    Assert-Equal -Found $added.Count -Wanted 2 -What 'readers'
    Assert-Equal -Found $added[0].Rights -Wanted 'Read' -What 'Rights'
    $again = Invoke-Function -Function 'Install-SssCertificate' -With (Get-InstallCall -Pfx $pfx)
    Assert-Equal -Found $again.Changed -Wanted $false -What 'second install'
    $call = Join-Table -First (New-Gate) -Second @{ Thumbprint = $pfx.Thumbprint; State = 'Absent'; ExpectState = 'Active' }
    $gone = Invoke-Function -Function 'Set-SssCertificateState' -With $call
    Assert-Equal -Found $gone.After.State -Wanted 'Absent' -What 'State'
    Assert-Equal -Found $world.Store.Count -Wanted 0 -What 'store'
}

Add-SelfTest -Name 'wrong password, other certificate, expired: nothing is written' -Body {
    param($world)
    $pfx = New-TestPfx
    $call = Get-InstallCall -Pfx $pfx
    $call.TransportPassword = ConvertTo-TestSecret -Text 'wrong'
    Assert-Refused -Function 'Install-SssCertificate' -Code 'PasswordWrong' -With $call
    $call = Get-InstallCall -Pfx $pfx
    $call.Sha256 = '0' * 64
    Assert-Refused -Function 'Install-SssCertificate' -Code 'CertificateMismatch' -With $call
    Assert-Refused -Function 'Install-SssCertificate' -Code 'CertificateUnusable' -With (Get-InstallCall -Pfx (New-TestPfx -Days -1))
    Assert-Equal -Found $world.Store.Count -Wanted 0 -What 'store'
}

Add-SelfTest -Name 'an import as CNG is taken out again' -Body {
    param($world)
    $world.ImportAs = 'Cng'
    Assert-Refused -Function 'Install-SssCertificate' -Code 'CertificateUnusable' -With (Get-InstallCall -Pfx (New-TestPfx))
    Assert-Equal -Found $world.Store.Count -Wanted 0 -What 'store'
}

Add-SelfTest -Name 'another live certificate with the same subject blocks, unless allowed' -Body {
    param($world)
    $null = Invoke-Function -Function 'Install-SssCertificate' -With (Get-InstallCall -Pfx (New-TestPfx))
    $call = Get-InstallCall -Pfx (New-TestPfx)
    Assert-Refused -Function 'Install-SssCertificate' -Code 'SubjectAmbiguous' -With $call
    $call = Join-Table -First $call -Second @{ OperationId = [guid]::NewGuid(); AllowSameSubject = $true }
    $result = Invoke-Function -Function 'Install-SssCertificate' -With $call
    Assert-Equal -Found @($result.After.Certificate.FoundBySubject).Count -Wanted 2 -What 'FoundBySubject'
}

Add-SelfTest -Name 'a role that is not here is refused before anything is written' -Body {
    param($world)
    $world.Pools.Clear()
    Assert-Refused -Function 'Install-SssCertificate' -Code 'RoleNotHere' -With (Get-InstallCall -Pfx (New-TestPfx))
    Assert-Equal -Found $world.Store.Count -Wanted 0 -What 'store'
}

Add-SelfTest -Name 'the product script is not run when it is missing or not signed by Microsoft' -Body {
    param($world)
    $call = Join-Table -First (Get-InstallCall -Pfx (New-TestPfx)) -Second @{ Method = 'ProductScript' }
    Assert-Refused -Function 'Install-SssCertificate' -Code 'ScriptMissing' -With $call
    [System.IO.File]::WriteAllText([System.IO.Path]::Combine($world.Folder, 'Tools', 'CertificateReconfiguration.ps1'), '# stub')
    $world.Signature = @{ Status = 'NotSigned'; Signer = $null }
    Assert-Refused -Function 'Install-SssCertificate' -Code 'ScriptUntrusted' -With $call
    Assert-Equal -Found $world.ScriptCalls.Count -Wanted 0 -What 'script calls'
}

Add-SelfTest -Name 'the product script gets another password, no -updateCrm, and leaves no file' -Body {
    param($world)
    [System.IO.File]::WriteAllText([System.IO.Path]::Combine($world.Folder, 'Tools', 'CertificateReconfiguration.ps1'), '# stub')
    $call = Join-Table -First (Get-InstallCall -Pfx (New-TestPfx)) -Second @{ Method = 'ProductScript' }
    $result = Invoke-Function -Function 'Install-SssCertificate' -With $call
    Assert-Equal -Found $result.After.Method -Wanted 'ProductScript' -What 'Method'
    $names = @($world.ScriptCalls[0] | Sort-Object)
    Assert-Equal -Found ([string]::Join(',', $names)) -Wanted 'certificateFile,certificateType,password,serviceAccount,storeFindType' -What 'parameters'
    Assert-Equal -Found ([System.IO.Directory]::GetFiles([System.IO.Path]::Combine($world.Folder, 'Transfer'))).Count -Wanted 0 -What 'files'
}

Add-SelfTest -Name 'readers that the product script drops are put back' -Body {
    param($world)
    [System.IO.File]::WriteAllText([System.IO.Path]::Combine($world.Folder, 'Tools', 'CertificateReconfiguration.ps1'), '# stub')
    $pfx = New-TestPfx
    $null = Invoke-Function -Function 'Install-SssCertificate' -With (Get-InstallCall -Pfx $pfx)
    $entries = $world.Store[0].Entries
    $entries.RemoveAt(2)
    $entries.Add(@{ Sid = 'S-1-5-21-1-2-3-2000'; Rights = 1179785; Allow = $true })
    $call = Join-Table -First (Get-InstallCall -Pfx $pfx) -Second @{ Method = 'ProductScript' }
    $result = Invoke-Function -Function 'Install-SssCertificate' -With $call
    $accounts = [string]::Join(',', @($result.After.RestoredReaders | ForEach-Object -Process { $_.Account } | Sort-Object))
    Assert-Equal -Found $accounts -Wanted 'CONTOSO\someone,CONTOSO\svc-crmweb' -What 'RestoredReaders'
}

Add-SelfTest -Name 'a failing product script leaves neither certificate nor file' -Body {
    param($world)
    [System.IO.File]::WriteAllText([System.IO.Path]::Combine($world.Folder, 'Tools', 'CertificateReconfiguration.ps1'), '# stub')
    $world.ScriptFails = $true
    $call = Join-Table -First (Get-InstallCall -Pfx (New-TestPfx)) -Second @{ Method = 'ProductScript' }
    Assert-Refused -Function 'Install-SssCertificate' -Code 'ScriptFailed' -With $call
    Assert-Equal -Found ([System.IO.Directory]::GetFiles([System.IO.Path]::Combine($world.Folder, 'Transfer'))).Count -Wanted 0 -What 'files'
}

Add-SelfTest -Name 'readers of others stay, our own go' -Body {
    param($world)
    $pfx = New-TestPfx
    $call = Join-Table -First (Get-InstallCall -Pfx $pfx) -Second @{ GrantRead = @('AsyncService') }
    $null = Invoke-Function -Function 'Install-SssCertificate' -With $call
    $world.Store[0].Entries.Add(@{ Sid = 'S-1-5-21-1-2-3-1132'; Rights = 1179785; Allow = $true })
    $call = Join-Table -First (New-Gate) -Second @{ Thumbprint = $pfx.Thumbprint; Role = @('WebApplication'); Access = 'None' }
    Assert-Refused -Function 'Set-SssKeyReader' -Code 'NotOurs' -With $call
    $call = Join-Table -First (New-Gate) -Second @{ Thumbprint = $pfx.Thumbprint; Role = @('AsyncService'); Access = 'None' }
    $result = Invoke-Function -Function 'Set-SssKeyReader' -With $call
    Assert-Equal -Found @($result.Before.KeyReaders).Count -Wanted 4 -What 'Before'
    Assert-Equal -Found @($result.After.KeyReaders).Count -Wanted 3 -What 'After'
    $call = Join-Table -First (New-Gate) -Second @{ Thumbprint = $pfx.Thumbprint; Role = @('AsyncService'); Access = 'Read' }
    Assert-Equal -Found (Invoke-Function -Function 'Set-SssKeyReader' -With $call).Changed -Wanted $true -What 'Changed'
}

Add-SelfTest -Name 'a certificate in use is neither archived nor removed' -Body {
    param($world)
    $pfx = New-TestPfx
    $null = Invoke-Function -Function 'Install-SssCertificate' -With (Get-InstallCall -Pfx $pfx)
    $world.Bindings.Add(@{ Thumbprint = $pfx.Thumbprint; Text = 'CRM: https *:443:' })
    $call = Join-Table -First (New-Gate) -Second @{ Thumbprint = $pfx.Thumbprint; State = 'Archived'; ExpectState = 'Active' }
    Assert-Refused -Function 'Set-SssCertificateState' -Code 'InUse' -With $call
}

Add-SelfTest -Name 'archiving hides a certificate from the product and can be taken back' -Body {
    param($world)
    $pfx = New-TestPfx
    $null = Invoke-Function -Function 'Install-SssCertificate' -With (Get-InstallCall -Pfx $pfx)
    $call = Join-Table -First (New-Gate) -Second @{ Thumbprint = $pfx.Thumbprint; State = 'Archived'; ExpectState = 'Active' }
    $result = Invoke-Function -Function 'Set-SssCertificateState' -With $call
    Assert-Equal -Found @($result.After.Certificate.FoundBySubject).Count -Wanted 0 -What 'FoundBySubject'
    $wrong = Join-Table -First (New-Gate) -Second @{ Thumbprint = $pfx.Thumbprint; State = 'Absent'; ExpectState = 'Active' }
    Assert-Refused -Function 'Set-SssCertificateState' -Code 'UnexpectedState' -With $wrong
    $back = Join-Table -First (New-Gate) -Second @{ Thumbprint = $pfx.Thumbprint; State = 'Active'; ExpectState = 'Archived' }
    Assert-Equal -Found (Invoke-Function -Function 'Set-SssCertificateState' -With $back).After.State -Wanted 'Active' -What 'State'
}

Add-SelfTest -Name 'a certificate that this portal did not install is not removed' -Body {
    param($world)
    $pfx = New-TestPfx
    $null = Invoke-Function -Function 'Install-SssCertificate' -With (Get-InstallCall -Pfx $pfx)
    $world.Registry.Remove('SOFTWARE\SssPortal\Installed|' + $pfx.Thumbprint)
    $call = Join-Table -First (New-Gate) -Second @{ Thumbprint = $pfx.Thumbprint; State = 'Absent'; ExpectState = 'Active' }
    Assert-Refused -Function 'Set-SssCertificateState' -Code 'NotOurs' -With $call
}

Add-SelfTest -Name 'no secret is in the operation store' -Body {
    param($world)
    $pfx = New-TestPfx
    $null = Invoke-Function -Function 'Install-SssCertificate' -With (Get-InstallCall -Pfx $pfx)
    $key = [System.Convert]::ToBase64String($pfx.Bytes).Substring(0, 60)
    foreach ($file in [System.IO.Directory]::GetFiles([System.IO.Path]::Combine($world.Folder, 'Operations'))) {
        $text = [System.IO.File]::ReadAllText($file)
        Assert-That -Condition (-not $text.Contains('one-time')) -Because 'the transport password is in the store'
        Assert-That -Condition (-not $text.Contains($key)) -Because 'the PFX is in the store'
    }
}
