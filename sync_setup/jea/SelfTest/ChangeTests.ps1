# What holds for every change: portal, mutex, fence, operation id; and restart and transfer files.

function Get-RestartCall {
    param(
        [string] $Service = 'Async',
        [datetime] $Before = [System.DateTime]::UtcNow
    )
    return (Join-Table -First (New-Gate) -Second @{
            Service = $Service
            OnlyIfStartedBeforeUtc = $Before.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", [System.Globalization.CultureInfo]::InvariantCulture)
        })
}

Add-SelfTest -Name 'another portal is refused' -Body {
    param($world)
    $call = Join-Table -First (New-Gate) -Second @{ PortalId = [guid]::NewGuid() }
    Assert-Refused -Function 'Clear-SssTransferFile' -Code 'WrongPortal' -With $call
}

Add-SelfTest -Name 'a server set up for another contract is refused' -Body {
    param($world)
    $world.Registry['SOFTWARE\SssPortal|ContractVersion'] = '0.9'
    Assert-Refused -Function 'Clear-SssTransferFile' -Code 'ContractMismatch' -With (New-Gate)
}

Add-SelfTest -Name 'a second change at the same time is Busy' -Body {
    param($world)
    $world.MutexHeld = $true
    Assert-Refused -Function 'Clear-SssTransferFile' -Code 'Busy' -With (New-Gate)
}

Add-SelfTest -Name 'an older fence is refused, a higher epoch with a smaller fence is not' -Body {
    param($world)
    $null = Invoke-Function -Function 'Clear-SssTransferFile' -With (New-Gate -Epoch 1 -Fence 10)
    Assert-Refused -Function 'Clear-SssTransferFile' -Code 'StaleFence' -With (New-Gate -Epoch 1 -Fence 9)
    $null = Invoke-Function -Function 'Clear-SssTransferFile' -With (New-Gate -Epoch 1 -Fence 10)
    $null = Invoke-Function -Function 'Clear-SssTransferFile' -With (New-Gate -Epoch 2 -Fence 1)
    Assert-Refused -Function 'Clear-SssTransferFile' -Code 'StaleFence' -With (New-Gate -Epoch 1 -Fence 99)
}

Add-SelfTest -Name 'the fence of the server and of the deployment are two' -Body {
    param($world)
    $null = Invoke-Function -Function 'Clear-SssTransferFile' -With (New-Gate -Fence 50)
    $call = Join-Table -First (New-Gate -Fence 5) -Second @{ Cloud = 'Global'; ExpectPrincipalId = ''; ExpectMetadataUrl = '' }
    $null = Invoke-Function -Function 'Set-SssAuthorizationServer' -With $call
}

Add-SelfTest -Name 'the same operation twice is done once' -Body {
    param($world)
    $call = Get-RestartCall
    $first = Invoke-Function -Function 'Restart-SssService' -With $call
    Assert-Equal -Found $first.Replayed -Wanted $false -What 'Replayed'
    $started = $world.Services['MSCRMAsyncService'].StartedAtUtc
    $call.Fence = 11
    $second = Invoke-Function -Function 'Restart-SssService' -With $call
    Assert-Equal -Found $second.Replayed -Wanted $true -What 'Replayed'
    Assert-Equal -Found $second.Changed -Wanted $true -What 'Changed'
    Assert-Equal -Found $world.Services['MSCRMAsyncService'].StartedAtUtc -Wanted $started -What 'start'
    $known = Invoke-Function -Function 'Get-SssOperation' -With @{ OperationId = $call.OperationId }
    Assert-Equal -Found $known.State -Wanted 'Done' -What 'State'
    Assert-Equal -Found $known.StoredResult.After.ProcessId -Wanted 5000 -What 'StoredResult'
}

Add-SelfTest -Name 'an operation id with other parameters is refused' -Body {
    param($world)
    $call = Get-RestartCall
    $null = Invoke-Function -Function 'Restart-SssService' -With $call
    $call.Service = 'AsyncMaintenance'
    Assert-Refused -Function 'Restart-SssService' -Code 'OperationMismatch' -With $call
}

Add-SelfTest -Name 'a failed operation may run again' -Body {
    param($world)
    $call = Get-RestartCall
    $world.Services['MSCRMAsyncService'].StartMode = 'Disabled'
    Assert-Refused -Function 'Restart-SssService' -Code 'ServiceMissing' -With $call
    $known = Invoke-Function -Function 'Get-SssOperation' -With @{ OperationId = $call.OperationId }
    Assert-Equal -Found $known.State -Wanted 'Failed' -What 'State'
    Assert-Equal -Found $known.Error.Code -Wanted 'ServiceMissing' -What 'Error'
    $world.Services['MSCRMAsyncService'].StartMode = 'Auto'
    $result = Invoke-Function -Function 'Restart-SssService' -With $call
    Assert-Equal -Found $result.Changed -Wanted $true -What 'Changed'
}

Add-SelfTest -Name 'an operation whose process died is no longer Running' -Body {
    param($world)
    $call = Get-RestartCall
    $null = Invoke-Function -Function 'Restart-SssService' -With $call
    $path = [System.IO.Path]::Combine($world.Folder, 'Operations', $call.OperationId.ToString('D') + '.operation')
    $text = [System.IO.File]::ReadAllText($path).Replace('State=Done', 'State=Running')
    $text = [System.Text.RegularExpressions.Regex]::Replace($text, 'ProcessStartedAtUtc=.*', 'ProcessStartedAtUtc=2001-01-01T00:00:00.000Z')
    [System.IO.File]::WriteAllText($path, $text)
    $known = Invoke-Function -Function 'Get-SssOperation' -With @{ OperationId = $call.OperationId }
    Assert-Equal -Found $known.State -Wanted 'Failed' -What 'State'
    Assert-Equal -Found $known.Error.Changed -Wanted 'Unknown' -What 'Changed'
}

Add-SelfTest -Name 'a service that started late enough is left alone' -Body {
    param($world)
    $call = Get-RestartCall -Before ([System.DateTime]::UtcNow.AddDays(-30))
    $result = Invoke-Function -Function 'Restart-SssService' -With $call
    Assert-Equal -Found $result.Changed -Wanted $false -What 'Changed'
    Assert-Equal -Found $result.After.ProcessId -Wanted 2788 -What 'ProcessId'
}

Add-SelfTest -Name 'the application pool is recycled' -Body {
    param($world)
    $result = Invoke-Function -Function 'Restart-SssService' -With (Get-RestartCall -Service 'WebApplicationPool')
    Assert-Equal -Found $result.After.ProcessId -Wanted 5001 -What 'ProcessId'
}

Add-SelfTest -Name 'a service that hangs is a timeout and nothing is killed' -Body {
    param($world)
    $world.HangStop = $true
    # Past its limit from the start: the wait ends with its first look.
    $run = New-SssRun -Function 'Restart-SssService' -Call ([ordered]@{
            Service = 'Async'
            OnlyIfStartedBeforeUtc = '2999-01-01T00:00:00.000Z'
            TimeoutSeconds = 0
        })
    $gate = New-Gate
    $output = Invoke-SssChange -Run $run -Gate $gate -Resource 'server' -Work 'Restart-SssNamed'
    $answer = Read-Answer -Output $output -Function 'Restart-SssService'
    Assert-Equal -Found $answer.Error.Code -Wanted 'ServiceTimeout' -What 'Code'
    Assert-Equal -Found $answer.Error.Changed -Wanted 'Unknown' -What 'Changed'
    Assert-Equal -Found $world.Services['MSCRMAsyncService'].State -Wanted 'StopPending' -What 'State'
}

Add-SelfTest -Name 'an impossible moment is BadParameter, a badly written one does not bind' -Body {
    param($world)
    $call = Get-RestartCall
    $call.OnlyIfStartedBeforeUtc = '2026-13-40T00:00:00.000Z'
    Assert-Refused -Function 'Restart-SssService' -Code 'BadParameter' -With $call
    $call.OnlyIfStartedBeforeUtc = '2026-11-23T08:15:00'
    Assert-NotBound -Function 'Restart-SssService' -With $call
}

Add-SelfTest -Name 'leftover transfer files are counted and deleted' -Body {
    param($world)
    $file = [System.IO.Path]::Combine($world.Folder, 'Transfer', 'left.pfx')
    [System.IO.File]::WriteAllText($file, 'x')
    Assert-Equal -Found (Invoke-Function -Function 'Get-SssServer').Server.TransferFiles -Wanted 1 -What 'TransferFiles'
    $result = Invoke-Function -Function 'Clear-SssTransferFile' -With (New-Gate)
    Assert-Equal -Found $result.Before.Files -Wanted 1 -What 'Before'
    Assert-Equal -Found $result.After.Files -Wanted 0 -What 'After'
    Assert-That -Condition (-not [System.IO.File]::Exists($file)) -Because 'the file is still there'
}

Add-SelfTest -Name 'a restart does not count as the last change' -Body {
    param($world)
    $null = Invoke-Function -Function 'Restart-SssService' -With (Get-RestartCall)
    $server = (Invoke-Function -Function 'Get-SssServer').Server
    Assert-That -Condition ($null -eq $server.LastChangeUtc) -Because 'a restart moved LastChangeUtc'
}
