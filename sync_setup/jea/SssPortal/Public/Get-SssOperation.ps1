# Get-SssOperation: how an operation stands.

function Get-SssOperation {
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)]
        [guid] $OperationId
    )
    $run = New-SssRun -Function 'Get-SssOperation' -Call ([ordered]@{
            OperationId = $OperationId.ToString('D')
        })
    Invoke-SssLook -Run $run -Work 'Find-SssOperation'
}
