# One compact JSON writer. ConvertTo-Json is not used: in Windows PowerShell 5.1 it turns dates into
# \/Date()\/ and some arrays into {value, Count}, and it would load a module into the session.

function ConvertTo-SssJson {
    # Dictionaries become objects in their own order, everything enumerable an array, dates UTC text.
    [OutputType([string])]
    param(
        [AllowNull()]
        $Value
    )
    $text = [System.Text.StringBuilder]::new()
    Add-SssJson -Text $text -Value $Value -Depth 0
    return $text.ToString()
}

function New-SssRawJson {
    # Text that is JSON already: the writer copies it as it stands.
    param(
        [Parameter(Mandatory = $true)]
        [string] $Json
    )
    return @{ RawJson = $Json }
}

function Add-SssJson {
    param(
        [System.Text.StringBuilder] $Text,
        [AllowNull()]
        $Value,
        [int] $Depth
    )
    if ($Depth -gt 6) {
        throw [System.InvalidOperationException]::new('The answer is nested deeper than the contract allows.')
    }
    if ($null -eq $Value) {
        $null = $Text.Append('null')
        return
    }
    if ($Value -is [hashtable] -and $Value.ContainsKey('RawJson')) {
        $null = $Text.Append([string] $Value['RawJson'])
        return
    }
    if ($Value -is [System.Collections.IDictionary]) {
        Add-SssJsonObject -Text $Text -Value $Value -Depth $Depth
        return
    }
    if ($Value -is [string] -or $Value -isnot [System.Collections.IEnumerable]) {
        $null = $Text.Append((Get-SssJsonScalar -Value $Value))
        return
    }
    $null = $Text.Append('[')
    $first = $true
    foreach ($item in $Value) {
        if (-not $first) {
            $null = $Text.Append(',')
        }
        $first = $false
        Add-SssJson -Text $Text -Value $item -Depth ($Depth + 1)
    }
    $null = $Text.Append(']')
}

function Add-SssJsonObject {
    param(
        [System.Text.StringBuilder] $Text,
        [System.Collections.IDictionary] $Value,
        [int] $Depth
    )
    $null = $Text.Append('{')
    $first = $true
    foreach ($key in $Value.Keys) {
        if (-not $first) {
            $null = $Text.Append(',')
        }
        $first = $false
        $null = $Text.Append((Get-SssJsonText -Value ([string] $key)))
        $null = $Text.Append(':')
        Add-SssJson -Text $Text -Value $Value[$key] -Depth ($Depth + 1)
    }
    $null = $Text.Append('}')
}

function Get-SssJsonScalar {
    [OutputType([string])]
    param(
        $Value
    )
    $invariant = [System.Globalization.CultureInfo]::InvariantCulture
    if ($Value -is [bool]) {
        if ($Value) {
            return 'true'
        }
        return 'false'
    }
    if ($Value -is [datetime]) {
        return (Get-SssJsonText -Value (Format-SssInstant -Instant $Value))
    }
    if ($Value -is [guid]) {
        return (Get-SssJsonText -Value $Value.ToString('D'))
    }
    if ($Value -is [enum]) {
        return (Get-SssJsonText -Value $Value.ToString())
    }
    if ($Value -is [double] -or $Value -is [single] -or $Value -is [decimal]) {
        return $Value.ToString('0.###', $invariant)
    }
    if ($Value -is [int] -or $Value -is [long] -or $Value -is [byte] -or $Value -is [int16] -or
        $Value -is [uint16] -or $Value -is [uint32] -or $Value -is [uint64]) {
        return $Value.ToString($invariant)
    }
    return (Get-SssJsonText -Value ([string] $Value))
}

function Get-SssJsonText {
    # A JSON string. Line separators U+2028 and U+2029 are escaped too: the record files are lines.
    [OutputType([string])]
    param(
        [AllowEmptyString()]
        [string] $Value
    )
    if (-not [System.Text.RegularExpressions.Regex]::IsMatch($Value, '["\\\x00-\x1f\x7f\u2028\u2029]')) {
        return '"' + $Value + '"'
    }
    $text = [System.Text.StringBuilder]::new('"')
    foreach ($character in $Value.ToCharArray()) {
        $code = [int] $character
        if ($code -eq 34 -or $code -eq 92) {
            $null = $text.Append('\').Append($character)
        }
        elseif ($code -lt 32 -or $code -eq 127 -or $code -eq 0x2028 -or $code -eq 0x2029) {
            $null = $text.Append('\u').Append($code.ToString('x4'))
        }
        else {
            $null = $text.Append($character)
        }
    }
    return $text.Append('"').ToString()
}

function Format-SssInstant {
    # yyyy-MM-ddTHH:mm:ss.fffZ
    [OutputType([string])]
    param(
        [datetime] $Instant
    )
    $invariant = [System.Globalization.CultureInfo]::InvariantCulture
    return $Instant.ToUniversalTime().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", $invariant)
}

function Get-SssSha256 {
    # 64 upper-case hex digits.
    [OutputType([string])]
    param(
        [byte[]] $Bytes
    )
    $hash = [System.Security.Cryptography.SHA256]::Create()
    try {
        return [System.BitConverter]::ToString($hash.ComputeHash($Bytes)).Replace('-', '')
    }
    finally {
        $hash.Dispose()
    }
}
