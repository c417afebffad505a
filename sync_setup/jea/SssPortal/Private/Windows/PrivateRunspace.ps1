# Runspaces of this process that no caller can reach: for the CRM snap-in, for cmdlets of Windows
# PowerShell, for the product's script. Commands and parameters only.

function Test-SssSnapIn {
    # Whether the Deployment Tools registered the snap-in, read from where they register it.
    [OutputType([bool])]
    param()
    return (Test-SssRegistryKey -Path ('SOFTWARE\Microsoft\PowerShell\1\PowerShellSnapIns\' + $script:SssSnapInName))
}

function Open-SssPrivateRunspace {
    # Not CreateDefault2: only the full default state takes snap-ins in Windows PowerShell 5.1.
    param(
        [bool] $WithCrm
    )
    $state = [System.Management.Automation.Runspaces.InitialSessionState]::CreateDefault()
    if ($WithCrm) {
        $warning = $null
        $null = $state.ImportPSSnapIn($script:SssSnapInName, [ref] $warning)
    }
    $runspace = [System.Management.Automation.Runspaces.RunspaceFactory]::CreateRunspace($state)
    $runspace.Open()
    return $runspace
}

function New-SssConfigurationEntity {
    # Microsoft.Xrm.Sdk.Deployment.ConfigurationEntity with its attributes. The assembly is in the process
    # since the first cmdlet of the snap-in ran.
    param(
        [Parameter(Mandatory = $true)]
        [string] $LogicalName,

        [Parameter(Mandatory = $true)]
        [System.Collections.IDictionary] $Attributes
    )
    $entity = [System.Activator]::CreateInstance((Get-SssLoadedType -Name 'Microsoft.Xrm.Sdk.Deployment.ConfigurationEntity'))
    $list = [System.Activator]::CreateInstance((Get-SssLoadedType -Name 'Microsoft.Xrm.Sdk.Deployment.AttributeCollection'))
    foreach ($name in $Attributes.Keys) {
        $list.Add([System.Collections.Generic.KeyValuePair[string, object]]::new($name, $Attributes[$name]))
    }
    $entity.LogicalName = $LogicalName
    $entity.Attributes = $list
    return $entity
}

function Get-SssLoadedType {
    param(
        [Parameter(Mandatory = $true)]
        [string] $Name
    )
    foreach ($assembly in [System.AppDomain]::CurrentDomain.GetAssemblies()) {
        $type = $assembly.GetType($Name, $false)
        if ($null -ne $type) {
            return $type
        }
    }
    throw [System.TypeLoadException]::new('The type ' + $Name + ' is in no loaded assembly.')
}

function Get-SssDeploymentUrl {
    # Where the deployment web service is, found on this server and nowhere else.
    # GUESS: the registry names below are those of version 9; the local website wins where it hosts the
    # service.
    [OutputType([string])]
    param()
    $root = Get-SssDeploymentSite
    if ($root -ceq '') {
        $name = Read-SssRegistry -Path 'SOFTWARE\Microsoft\MSCRM' -Name 'LocalSdkHost'
        $port = Read-SssRegistry -Path 'SOFTWARE\Microsoft\MSCRM' -Name 'LocalSdkPort'
        if ($null -eq $name) {
            $name = (Get-SssMachine).Fqdn
        }
        $root = 'http://' + $name
        if ($null -ne $port) {
            $root = $root + ':' + $port
        }
    }
    return $root + '/XRMDeployment/2011/Deployment.svc'
}

function Get-SssSignature {
    # Status and signer of a signed file, by the cmdlet that Windows itself trusts.
    param(
        [Parameter(Mandatory = $true)]
        [string] $Path
    )
    $runspace = Open-SssPrivateRunspace -WithCrm $false
    $shell = [System.Management.Automation.PowerShell]::Create()
    try {
        $shell.Runspace = $runspace
        $null = $shell.AddCommand('Get-AuthenticodeSignature').AddParameter('LiteralPath', $Path)
        $facts = @{ Status = 'UnknownError'; Signer = $null }
        foreach ($signature in $shell.Invoke()) {
            $facts.Status = $signature.Status.ToString()
            if ($null -ne $signature.SignerCertificate) {
                $facts.Signer = $signature.SignerCertificate.Subject
            }
        }
        return $facts
    }
    finally {
        $shell.Dispose()
        $runspace.Dispose()
    }
}

function Start-SssProductScript {
    # Runs the product's script. Empty text, or the kind of error: never its text, which could hold the
    # password that the script was given. The file is held open for reading so that nobody can change it
    # between the check of its signature and its end.
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)]
        [string] $Path,

        [Parameter(Mandatory = $true)]
        [hashtable] $Parameters
    )
    $guard = [System.IO.FileStream]::new($Path, [System.IO.FileMode]::Open, [System.IO.FileAccess]::Read, [System.IO.FileShare]::Read)
    $runspace = Open-SssPrivateRunspace -WithCrm (Test-SssSnapIn)
    $shell = [System.Management.Automation.PowerShell]::Create()
    try {
        $shell.Runspace = $runspace
        $null = $shell.AddCommand($Path)
        foreach ($name in $Parameters.Keys) {
            $null = $shell.AddParameter($name, $Parameters[$name])
        }
        try {
            $null = $shell.Invoke()
        }
        catch {
            return $_.Exception.GetBaseException().GetType().FullName
        }
        if ($shell.Streams.Error.Count -gt 0) {
            return [string] $shell.Streams.Error[0].FullyQualifiedErrorId
        }
        return ''
    }
    finally {
        $shell.Dispose()
        $runspace.Dispose()
        $guard.Dispose()
    }
}
