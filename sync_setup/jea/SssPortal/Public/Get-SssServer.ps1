# Get-SssServer: what this CRM server is and what runs on it.

function Get-SssServer {
    [CmdletBinding()]
    [OutputType([string])]
    param()
    $run = New-SssRun -Function 'Get-SssServer'
    Invoke-SssLook -Run $run -Work 'Read-SssServer'
}
