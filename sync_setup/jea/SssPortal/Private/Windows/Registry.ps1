# HKEY_LOCAL_MACHINE, 64-bit view.

function Open-SssRegistryRoot {
    return [Microsoft.Win32.RegistryKey]::OpenBaseKey([Microsoft.Win32.RegistryHive]::LocalMachine, [Microsoft.Win32.RegistryView]::Registry64)
}

function Read-SssRegistry {
    # The value, or nothing where key or value is missing.
    param(
        [Parameter(Mandatory = $true)]
        [string] $Path,

        [Parameter(Mandatory = $true)]
        [string] $Name
    )
    $root = Open-SssRegistryRoot
    try {
        $key = $root.OpenSubKey($Path)
        if ($null -eq $key) {
            return $null
        }
        try {
            return $key.GetValue($Name)
        }
        finally {
            $key.Dispose()
        }
    }
    finally {
        $root.Dispose()
    }
}

function Test-SssRegistryKey {
    [OutputType([bool])]
    param(
        [Parameter(Mandatory = $true)]
        [string] $Path
    )
    $root = Open-SssRegistryRoot
    try {
        $key = $root.OpenSubKey($Path)
        if ($null -eq $key) {
            return $false
        }
        $key.Dispose()
        return $true
    }
    finally {
        $root.Dispose()
    }
}

function Write-SssRegistry {
    # A text value. Flushed: what is remembered here must outlive a power cut.
    param(
        [Parameter(Mandatory = $true)]
        [string] $Path,

        [Parameter(Mandatory = $true)]
        [string] $Name,

        [Parameter(Mandatory = $true)]
        [string] $Value
    )
    $root = Open-SssRegistryRoot
    try {
        $key = $root.CreateSubKey($Path)
        try {
            $key.SetValue($Name, $Value, [Microsoft.Win32.RegistryValueKind]::String)
            $key.Flush()
        }
        finally {
            $key.Dispose()
        }
    }
    finally {
        $root.Dispose()
    }
}

function Remove-SssRegistryValue {
    param(
        [Parameter(Mandatory = $true)]
        [string] $Path,

        [Parameter(Mandatory = $true)]
        [string] $Name
    )
    $root = Open-SssRegistryRoot
    try {
        $key = $root.OpenSubKey($Path, $true)
        if ($null -ne $key) {
            $key.DeleteValue($Name, $false)
            $key.Dispose()
        }
    }
    finally {
        $root.Dispose()
    }
}

function Remove-SssRegistryKey {
    param(
        [Parameter(Mandatory = $true)]
        [string] $Path
    )
    $root = Open-SssRegistryRoot
    try {
        $root.DeleteSubKeyTree($Path, $false)
    }
    finally {
        $root.Dispose()
    }
}
