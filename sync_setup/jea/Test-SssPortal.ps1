<#
.SYNOPSIS
Exercises the SssPortal module against a CRM server in memory. Changes nothing on this machine.

.DESCRIPTION
Loads the module's rules and functions with Stubs in place of SssPortal/Private/Windows, calls every
function of the contract, prints one line a test and ends with exit code 0 or 1.

Any PowerShell will do: 5.1 or 7, Windows, Linux or macOS. What it cannot show is whether Windows and
CRM behave as the stubs do: docs/unproven.md says what to try on a real server.

.PARAMETER Name
Only tests whose name contains this text.
#>
[CmdletBinding()]
param(
    [string] $Name = ''
)

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

$module = New-Module -Name 'SssPortalUnderTest' -ArgumentList $PSScriptRoot -ScriptBlock {
    param($Root)
    Set-StrictMode -Version 2.0
    $ErrorActionPreference = 'Stop'
    foreach ($folder in @('SssPortal/Private', 'Stubs', 'SssPortal/Public')) {
        $path = [System.IO.Path]::Combine($Root, $folder)
        foreach ($file in [System.IO.Directory]::GetFiles($path, '*.ps1')) {
            . $file
        }
    }
    Export-ModuleMember -Function '*-Sss*'
}
Import-Module -ModuleInfo $module

foreach ($part in @('Calls.ps1', 'LookTests.ps1', 'ChangeTests.ps1', 'CertificateTests.ps1', 'DeploymentTests.ps1')) {
    . ([System.IO.Path]::Combine($PSScriptRoot, 'SelfTest', $part))
}

function Invoke-SelfTest {
    # One test in a world of its own. Its output is not looked at; a thrown text is its failure.
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Test
    )
    $folder = [System.IO.Path]::Combine([System.IO.Path]::GetTempPath(), 'SssPortal-' + [guid]::NewGuid().ToString('N'))
    $null = [System.IO.Directory]::CreateDirectory($folder)
    $problem = ''
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    try {
        $world = New-SssWorld -Folder $folder
        $null = & $Test.Body $world
    }
    catch {
        $problem = $_.Exception.Message
    }
    finally {
        [System.IO.Directory]::Delete($folder, $true)
    }
    $result = 'pass'
    if ($problem -ne '') {
        $result = 'FAIL'
    }
    return [pscustomobject]@{
        Result = $result
        Test = $Test.Name
        Milliseconds = [int] $watch.ElapsedMilliseconds
        Problem = $problem
    }
}

$results = @(foreach ($test in $script:SelfTests) {
        if ($Name -eq '' -or $test.Name.Contains($Name)) {
            Invoke-SelfTest -Test $test
        }
    })
$results | Format-Table -AutoSize -Wrap -Property @('Result', 'Milliseconds', 'Test', 'Problem') | Out-String -Width 200 | Write-Output
$failed = @($results | Where-Object -FilterScript { $_.Result -eq 'FAIL' })
Write-Output ('{0} passed, {1} failed' -f ($results.Count - $failed.Count), $failed.Count)
if ($failed.Count -gt 0 -or $results.Count -eq 0) {
    exit 1
}
exit 0
