# Restart-SssService: restarts a CRM service that started before a moment.

function Restart-SssService {
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
        [string] $Job,

        [Parameter(Mandatory = $true)]
        [ValidateSet('Async', 'AsyncMaintenance', 'WebApplicationPool', IgnoreCase = $false)]
        [string] $Service,

        [Parameter(Mandatory = $true)]
        [ValidatePattern('^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z\z', Options = 'None')]
        [string] $OnlyIfStartedBeforeUtc,

        [ValidateRange(30, 900)]
        [int] $TimeoutSeconds = 300
    )
    $run = New-SssRun -Function 'Restart-SssService' -Call ([ordered]@{
            Service = $Service
            OnlyIfStartedBeforeUtc = $OnlyIfStartedBeforeUtc
            TimeoutSeconds = $TimeoutSeconds
        })
    $gate = @{
        PortalId = $PortalId
        Epoch = $Epoch
        Fence = $Fence
        OperationId = $OperationId
        Job = $Job
    }
    Invoke-SssChange -Run $run -Gate $gate -Resource 'server' -Work 'Restart-SssNamed'
}
