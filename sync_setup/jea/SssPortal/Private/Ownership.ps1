# What this portal itself put on the server: certificates it installed, readers it added. Written just
# before the effect, while a look under the mutex has shown that the thing is not there yet.

function Save-SssInstalled {
    param(
        [Parameter(Mandatory = $true)]
        [string] $Thumbprint
    )
    Write-SssRegistry -Path $script:SssInstalledPath -Name $Thumbprint -Value 'installed'
}

function Test-SssInstalled {
    [OutputType([bool])]
    param(
        [Parameter(Mandatory = $true)]
        [string] $Thumbprint
    )
    return ($null -ne (Read-SssRegistry -Path $script:SssInstalledPath -Name $Thumbprint))
}

function Clear-SssInstalled {
    # The certificate and its key are gone: forget it and its readers.
    param(
        [Parameter(Mandatory = $true)]
        [string] $Thumbprint
    )
    Remove-SssRegistryValue -Path $script:SssInstalledPath -Name $Thumbprint
    Remove-SssRegistryKey -Path ($script:SssReadersPath + '\' + $Thumbprint)
}

function Save-SssAddedReader {
    param(
        [Parameter(Mandatory = $true)]
        [string] $Thumbprint,

        [Parameter(Mandatory = $true)]
        [string] $Sid
    )
    Write-SssRegistry -Path ($script:SssReadersPath + '\' + $Thumbprint) -Name $Sid -Value 'added'
}

function Test-SssAddedReader {
    [OutputType([bool])]
    param(
        [Parameter(Mandatory = $true)]
        [string] $Thumbprint,

        [Parameter(Mandatory = $true)]
        [string] $Sid
    )
    return ($null -ne (Read-SssRegistry -Path ($script:SssReadersPath + '\' + $Thumbprint) -Name $Sid))
}

function Clear-SssAddedReader {
    param(
        [Parameter(Mandatory = $true)]
        [string] $Thumbprint,

        [Parameter(Mandatory = $true)]
        [string] $Sid
    )
    Remove-SssRegistryValue -Path ($script:SssReadersPath + '\' + $Thumbprint) -Name $Sid
}
