<#
.SYNOPSIS
Takes the SssPortal endpoint and module off a CRM server.

.DESCRIPTION
Unregisters the session configuration and removes the module. Certificates, key readers and CRM
settings stay as they are: undo them with the portal first if you want them undone.

The records (fences, operations, what the portal added, transcripts) stay too, unless -RemoveRecords is
given. Without them the portal can no longer remove or restore what it changed here.

-WhatIf shows the steps and does none.

.PARAMETER RemoveRecords
Removes HKLM\SOFTWARE\SssPortal and %ProgramData%\SssPortal, transcripts included.

.PARAMETER WinRMRestart
As in Install-SssPortal.ps1.

.PARAMETER RestartAt
As in Install-SssPortal.ps1.
#>
[CmdletBinding(SupportsShouldProcess = $true, ConfirmImpact = 'High')]
param(
    [switch] $RemoveRecords,

    [ValidateSet('Task', 'Now', 'None')]
    [string] $WinRMRestart = 'Task',

    [datetime] $RestartAt = [System.DateTime]::Now.AddMinutes(2)
)

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
. ([System.IO.Path]::Combine($PSScriptRoot, 'Setup', 'Host.ps1'))
. ([System.IO.Path]::Combine($PSScriptRoot, 'Setup', 'Endpoint.ps1'))

Assert-SetupHost
$paths = Get-SetupPaths
if ($WinRMRestart -eq 'Now' -and $null -ne (Get-Variable -Name 'PSSenderInfo' -ErrorAction SilentlyContinue)) {
    throw 'This is a remote session: -WinRMRestart Now would cut it in the middle. Use Task.'
}

if ($PSCmdlet.ShouldProcess('SssPortal', 'Unregister the session configuration')) {
    Unregister-SetupEndpoint
}
if ((Test-Path -LiteralPath $paths.Module) -and $PSCmdlet.ShouldProcess($paths.Module, 'Remove the module')) {
    Remove-Item -LiteralPath $paths.Module -Recurse -Force
}
if ($RemoveRecords) {
    foreach ($path in @($paths.Registry, $paths.Data)) {
        if ((Test-Path -LiteralPath $path) -and $PSCmdlet.ShouldProcess($path, 'Remove the records')) {
            Remove-Item -LiteralPath $path -Recurse -Force
        }
    }
}
if ($PSCmdlet.ShouldProcess('WinRM', 'Restart')) {
    Restart-SetupWinRM -How $WinRMRestart -At $RestartAt
}
