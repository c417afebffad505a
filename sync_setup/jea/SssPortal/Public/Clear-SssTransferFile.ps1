# Clear-SssTransferFile: deletes what a killed run left in the transfer folder.

function Clear-SssTransferFile {
    [CmdletBinding()]
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)]
        [guid] $PortalId,

        [Parameter(Mandatory = $true)]
        [ValidateRange(0, 9223372036854775807)]
        [long] $Epoch,

        [Parameter(Mandatory = $true)]
        [ValidateRange(0, 9223372036854775807)]
        [long] $Fence,

        [Parameter(Mandatory = $true)]
        [guid] $OperationId,

        [Parameter(Mandatory = $true)]
        [ValidatePattern('^J-[0-9]{1,9}\z', Options = 'None')]
        [string] $Job
    )
    $run = New-SssRun -Function 'Clear-SssTransferFile'
    $gate = @{
        PortalId = $PortalId
        Epoch = $Epoch
        Fence = $Fence
        OperationId = $OperationId
        Job = $Job
    }
    Invoke-SssChange -Run $run -Gate $gate -Resource 'server' -Work 'Clear-SssTransferFolder'
}
