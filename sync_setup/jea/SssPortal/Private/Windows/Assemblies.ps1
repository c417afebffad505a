# Parts of .NET Framework that a restricted session has not loaded by itself.

foreach ($name in @('System.ServiceProcess', 'System.Management')) {
    $null = [System.Reflection.Assembly]::Load($name + ', Version=4.0.0.0, Culture=neutral, PublicKeyToken=b03f5f7f11d50a3a')
}
