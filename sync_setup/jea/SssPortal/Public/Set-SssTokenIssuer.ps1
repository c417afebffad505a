# Set-SssTokenIssuer: with which certificate CRM signs its tokens.

function Set-SssTokenIssuer {
    [CmdletBinding(DefaultParameterSetName = 'Certificate')]
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

        [Parameter(Mandatory = $true, ParameterSetName = 'Certificate')]
        [ValidateCount(1, 16384)]
        [byte[]] $CertificateBytes,

        [Parameter(Mandatory = $true, ParameterSetName = 'Absent')]
        [switch] $Absent,

        [Parameter(Mandatory = $true)]
        [AllowEmptyString()]
        [ValidatePattern('^([0-9A-F]{40})?\z', Options = 'None')]
        [string] $ExpectThumbprint,

        [System.Management.Automation.PSCredential] $DeploymentCredential
    )
    $base64 = ''
    if ($PSCmdlet.ParameterSetName -ceq 'Certificate') {
        $base64 = [System.Convert]::ToBase64String($CertificateBytes)
    }
    $run = New-SssRun -Function 'Set-SssTokenIssuer' -Call ([ordered]@{
            CertificateBase64 = $base64
            Absent = [bool] $Absent
            ExpectThumbprint = $ExpectThumbprint
        }) -Secret @{
        DeploymentCredential = $DeploymentCredential
    }
    $gate = @{
        PortalId = $PortalId
        Epoch = $Epoch
        Fence = $Fence
        OperationId = $OperationId
        Job = $Job
    }
    Invoke-SssChange -Run $run -Gate $gate -Resource 'deployment' -Work 'Update-SssTokenIssuer'
}
