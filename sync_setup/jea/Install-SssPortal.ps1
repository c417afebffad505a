<#
.SYNOPSIS
Sets up the SssPortal endpoint on a CRM server. Look only, unless -AllowChange is given.

.DESCRIPTION
Copies the module, makes its folders (SYSTEM and Administrators only), writes the portal's id into the
registry and registers the JEA session configuration SssPortal. If a step fails, the steps before it
are undone. -WhatIf shows the steps and does none.

Run it again to update the module or to change groups: what was there is kept as a backup and put back
if the update fails.

Run it in 64-bit Windows PowerShell 5.1, as administrator, on the server itself.

.PARAMETER PortalId
The portal's id, from its page "Connections". Only this portal may change anything here.

.PARAMETER LookGroup
The AD group that may look, as DOMAIN\name.

.PARAMETER ChangeGroup
The AD group that may change. Needed with -AllowChange, not used without it.

.PARAMETER AllowChange
Registers the change role too.

.PARAMETER GroupManagedServiceAccount
The gMSA that the endpoint runs as, as DOMAIN\name$. Needed on the Deployment Tools server; leave it out
on every other server, which then uses a virtual account.

.PARAMETER RequireSigned
Installs only files that carry a valid Authenticode signature.

.PARAMETER WinRMRestart
Task (default): a scheduled task restarts WinRM at -RestartAt. Now: restarts it at once and cuts every
remote session of this server. None: you restart it yourself.

.PARAMETER RestartAt
When the task restarts WinRM. Default: in two minutes.
#>
[CmdletBinding(SupportsShouldProcess = $true, ConfirmImpact = 'High')]
param(
    [Parameter(Mandatory = $true)]
    [guid] $PortalId,

    [Parameter(Mandatory = $true)]
    [string] $LookGroup,

    [string] $ChangeGroup = '',

    [switch] $AllowChange,

    [string] $GroupManagedServiceAccount = '',

    [switch] $RequireSigned,

    [ValidateSet('Task', 'Now', 'None')]
    [string] $WinRMRestart = 'Task',

    [datetime] $RestartAt = [System.DateTime]::Now.AddMinutes(2)
)

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
. ([System.IO.Path]::Combine($PSScriptRoot, 'Setup', 'Host.ps1'))
. ([System.IO.Path]::Combine($PSScriptRoot, 'Setup', 'Endpoint.ps1'))

function Assert-InstallRequest {
    # Everything that can be known to be wrong is found before anything is touched.
    Assert-SetupHost
    Assert-SetupAccount -Account $LookGroup -Purpose 'LookGroup'
    if ($AllowChange -and $ChangeGroup -eq '') {
        throw '-AllowChange needs -ChangeGroup: who may change?'
    }
    if ($AllowChange) {
        Assert-SetupAccount -Account $ChangeGroup -Purpose 'ChangeGroup'
    }
    if ($AllowChange -and $ChangeGroup -eq $LookGroup) {
        throw 'LookGroup and ChangeGroup are the same group; then looking could not be given without changing.'
    }
    if ($GroupManagedServiceAccount -ne '') {
        Assert-SetupAccount -Account $GroupManagedServiceAccount -Purpose 'GroupManagedServiceAccount'
        if (-not $GroupManagedServiceAccount.EndsWith('$')) {
            throw 'A group managed service account is written with its $: DOMAIN\name$.'
        }
    }
    if ((Test-SetupSnapIn) -and $GroupManagedServiceAccount -eq '') {
        Write-Warning 'The Deployment Tools are here, but no gMSA was named: the functions for the deployment will answer NotDeploymentAdministrator unless each call brings a credential.'
    }
    if ($WinRMRestart -eq 'Now' -and $null -ne (Get-Variable -Name 'PSSenderInfo' -ErrorAction SilentlyContinue)) {
        throw 'This is a remote session: -WinRMRestart Now would cut it in the middle. Use Task.'
    }
    if ($RequireSigned) {
        Assert-InstallSigned
    }
}

function Assert-InstallSigned {
    $source = [System.IO.Path]::Combine($PSScriptRoot, 'SssPortal')
    foreach ($file in (Get-ChildItem -LiteralPath $source -Recurse -File)) {
        $signature = Get-AuthenticodeSignature -LiteralPath $file.FullName
        if ($signature.Status -ne 'Valid') {
            throw ('{0} has no valid signature: {1}.' -f $file.FullName, $signature.Status)
        }
    }
}

function Install-ModuleFiles {
    # The module is replaced as a whole, so that no file of an older version stays.
    param(
        [hashtable] $Paths,
        [System.Collections.Generic.Stack[hashtable]] $Undo
    )
    $source = [System.IO.Path]::Combine($PSScriptRoot, 'SssPortal')
    if (Test-Path -LiteralPath $Paths.Module) {
        $kept = [System.IO.Path]::Combine($Paths.Backup, 'Module-' + [System.DateTime]::UtcNow.ToString('yyyyMMddHHmmss'))
        Copy-Item -LiteralPath $Paths.Module -Destination $kept -Recurse
        $Undo.Push(@{ Step = 'Module'; Kept = $kept })
        Remove-Item -LiteralPath $Paths.Module -Recurse -Force
    }
    else {
        $Undo.Push(@{ Step = 'Module'; Kept = '' })
    }
    Copy-Item -LiteralPath $source -Destination $Paths.Module -Recurse
}

function Install-Registry {
    param(
        [hashtable] $Paths,
        [System.Collections.Generic.Stack[hashtable]] $Undo
    )
    $old = @{}
    if (Test-Path -LiteralPath $Paths.Registry) {
        $item = Get-Item -LiteralPath $Paths.Registry
        foreach ($name in @('PortalId', 'ContractVersion')) {
            $old[$name] = $item.GetValue($name)
        }
    }
    else {
        $null = New-Item -Path $Paths.Registry
    }
    $Undo.Push(@{ Step = 'Registry'; Old = $old })
    Set-ItemProperty -LiteralPath $Paths.Registry -Name 'PortalId' -Value $PortalId.ToString('D')
    Set-ItemProperty -LiteralPath $Paths.Registry -Name 'ContractVersion' -Value '1.0'
}

function Install-Endpoint {
    param(
        [hashtable] $Paths,
        [System.Collections.Generic.Stack[hashtable]] $Undo
    )
    $template = 'SssPortal.VirtualAccount.pssc'
    if ($GroupManagedServiceAccount -ne '') {
        $template = 'SssPortal.DeploymentTools.pssc'
    }
    $group = ''
    if ($AllowChange) {
        $group = $ChangeGroup
    }
    $file = [System.IO.Path]::Combine($Paths.Data, 'SssPortal.pssc')
    New-SetupConfigurationFile -Template ([System.IO.Path]::Combine($Paths.Module, 'SessionConfigurations', $template)) -Path $file -LookGroup $LookGroup -ChangeGroup $group -ServiceAccount $GroupManagedServiceAccount -Transcripts $Paths.Transcripts
    $kept = ''
    $endpoint = Get-SetupEndpoint
    if ($null -ne $endpoint) {
        $kept = [System.IO.Path]::Combine($Paths.Backup, 'Endpoint-' + [System.DateTime]::UtcNow.ToString('yyyyMMddHHmmss') + '.pssc')
        Copy-Item -LiteralPath $endpoint.ConfigFilePath -Destination $kept
    }
    $Undo.Push(@{ Step = 'Endpoint'; Kept = $kept })
    Register-SetupEndpoint -Path $file
}

function Undo-Install {
    # Back to what was there, last step first. An error here is shown and the next step still tried.
    param(
        [hashtable] $Paths,
        [System.Collections.Generic.Stack[hashtable]] $Undo
    )
    while ($Undo.Count -gt 0) {
        $entry = $Undo.Pop()
        try {
            if ($entry.Step -eq 'Endpoint') {
                Unregister-SetupEndpoint
                if ($entry.Kept -ne '') {
                    Register-SetupEndpoint -Path $entry.Kept
                }
            }
            elseif ($entry.Step -eq 'Registry') {
                Undo-Registry -Paths $Paths -Old $entry.Old
            }
            else {
                if (Test-Path -LiteralPath $Paths.Module) {
                    Remove-Item -LiteralPath $Paths.Module -Recurse -Force
                }
                if ($entry.Kept -ne '') {
                    Copy-Item -LiteralPath $entry.Kept -Destination $Paths.Module -Recurse
                }
            }
        }
        catch {
            Write-Warning ('{0} could not be put back: {1}' -f $entry.Step, $_.Exception.Message)
        }
    }
}

function Undo-Registry {
    param(
        [hashtable] $Paths,
        [hashtable] $Old
    )
    foreach ($name in @('PortalId', 'ContractVersion')) {
        if ($Old.ContainsKey($name) -and $null -ne $Old[$name]) {
            Set-ItemProperty -LiteralPath $Paths.Registry -Name $name -Value $Old[$name]
        }
        else {
            Remove-ItemProperty -LiteralPath $Paths.Registry -Name $name -ErrorAction SilentlyContinue
        }
    }
}

function Show-InstallPlan {
    # The steps, as sentences, for -WhatIf.
    param(
        [hashtable] $Paths
    )
    $who = 'a virtual account'
    if ($GroupManagedServiceAccount -ne '') {
        $who = $GroupManagedServiceAccount
    }
    Write-Output ('1. Make {0} and its folders for SYSTEM and Administrators only.' -f $Paths.Data)
    Write-Output ('2. Copy the module to {0}; an earlier one is kept in {1}.' -f $Paths.Module, $Paths.Backup)
    Write-Output ('3. Write PortalId {0} and the contract version to {1}.' -f $PortalId, $Paths.Registry)
    Write-Output ('4. Register the endpoint SssPortal, running as {0}.' -f $who)
    Write-Output ('   {0} may look.' -f $LookGroup)
    if ($AllowChange) {
        Write-Output ('   {0} may look and change.' -f $ChangeGroup)
    }
    else {
        Write-Output '   Nobody may change.'
    }
    Write-Output ('5. Restart of WinRM: {0}.' -f $WinRMRestart)
}

function Get-InstalledHash {
    # Loading the module here finds a broken or unsigned one before the endpoint is registered.
    param(
        [hashtable] $Paths
    )
    Import-Module -Name $Paths.Module -Force
    $hash = & (Get-Module -Name 'SssPortal') { Get-SssModuleHash }
    Remove-Module -Name 'SssPortal'
    return $hash
}

function Show-Installed {
    param(
        [string] $Hash
    )
    [pscustomobject]@{
        Endpoint = 'SssPortal'
        PortalId = $PortalId.ToString('D')
        LookGroup = $LookGroup
        ChangeGroup = $(if ($AllowChange) { $ChangeGroup } else { '' })
        RunsAs = $(if ($GroupManagedServiceAccount -ne '') { $GroupManagedServiceAccount } else { 'virtual account' })
        ModuleSha256 = $Hash
    }
}

Assert-InstallRequest
$paths = Get-SetupPaths
if ($WhatIfPreference) {
    Show-InstallPlan -Paths $paths
}
if (-not $PSCmdlet.ShouldProcess($env:COMPUTERNAME, 'Install the SssPortal module and endpoint')) {
    return
}
$undo = [System.Collections.Generic.Stack[hashtable]]::new()
try {
    foreach ($folder in @($paths.Data, $paths.Operations, $paths.Transfer, $paths.Transcripts, $paths.Backup)) {
        New-SetupFolder -Path $folder
    }
    Install-ModuleFiles -Paths $paths -Undo $undo
    Install-Registry -Paths $paths -Undo $undo
    $hash = Get-InstalledHash -Paths $paths
    Install-Endpoint -Paths $paths -Undo $undo
}
catch {
    Undo-Install -Paths $paths -Undo $undo
    throw
}
Show-Installed -Hash $hash
Restart-SetupWinRM -How $WinRMRestart -At $RestartAt
