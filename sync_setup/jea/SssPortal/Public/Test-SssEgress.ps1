# Test-SssEgress: whether this server reaches the hosts of a cloud.

function Test-SssEgress {
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)]
        [ValidateSet('Global', 'GccHigh', IgnoreCase = $false)]
        [string] $Cloud
    )
    $run = New-SssRun -Function 'Test-SssEgress' -Call ([ordered]@{
            Cloud = $Cloud
        })
    Invoke-SssLook -Run $run -Work 'Test-SssCloud'
}
