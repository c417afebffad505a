# The CRM cmdlets. They live in a private runspace that is opened for one call and closed after it;
# the session's own runspace never sees the snap-in (PowerShell/PowerShell issue 4187). Commands and
# parameters only, never script text.

function Open-SssCrm {
    # One connection to the deployment web service: a runspace with the snap-in, and whom to be there.
    param(
        [AllowNull()]
        [System.Management.Automation.PSCredential] $Credential
    )
    if (-not (Test-SssSnapIn)) {
        Deny-SssCall -Code 'NotDeploymentTools' -Message 'The Deployment Tools are not installed on this server: the snap-in Microsoft.Crm.PowerShell is not registered.'
    }
    $identity = Get-SssIdentity
    if ($null -eq $Credential -and $identity.Kind -ceq 'VirtualAccount') {
        Deny-SssCall -Code 'NotDeploymentAdministrator' -Message 'A virtual account is only the computer account on the network and cannot be a Deployment Administrator. Register the endpoint here with a gMSA, or send a DeploymentCredential.'
    }
    return @{
        Runspace = (Open-SssPrivateRunspace -WithCrm $true)
        Credential = $Credential
        Url = (Get-SssDeploymentUrl)
    }
}

function Close-SssCrm {
    param(
        [AllowNull()]
        [hashtable] $Crm
    )
    if ($null -ne $Crm) {
        $Crm.Runspace.Dispose()
    }
}

function Invoke-SssCrm {
    # One cmdlet. Its objects are written out one by one; an error of the cmdlet ends the call.
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Crm,

        [Parameter(Mandatory = $true)]
        [string] $Command,

        [System.Collections.IDictionary] $Parameters = @{}
    )
    $shell = [System.Management.Automation.PowerShell]::Create()
    try {
        $shell.Runspace = $Crm.Runspace
        $null = $shell.AddCommand($Command)
        foreach ($name in $Parameters.Keys) {
            $null = $shell.AddParameter($name, $Parameters[$name])
        }
        if ($null -ne $Crm.Credential) {
            # The credential goes to the address that this server found itself, to no other.
            $null = $shell.AddParameter('DwsServerUrl', $Crm.Url)
            $null = $shell.AddParameter('Credential', $Crm.Credential)
        }
        try {
            $found = $shell.Invoke()
        }
        catch {
            Deny-SssCrm -Command $Command -Exception $_.Exception
        }
        if ($shell.Streams.Error.Count -gt 0) {
            Deny-SssCrm -Command $Command -Exception $shell.Streams.Error[0].Exception
        }
        foreach ($item in $found) {
            $item
        }
    }
    finally {
        $shell.Dispose()
    }
}

function Deny-SssCrm {
    # Says in the contract's words why the deployment web service did not do as asked.
    # GUESS: the exception types below are those of WCF; which of them a refused caller really meets
    # depends on the version and is to be seen on a Windows host.
    param(
        [Parameter(Mandatory = $true)]
        [string] $Command,

        [Parameter(Mandatory = $true)]
        [System.Exception] $Exception
    )
    $refused = @(
        'System.ServiceModel.Security.SecurityAccessDeniedException'
        'System.ServiceModel.Security.MessageSecurityException'
        'System.ServiceModel.Security.SecurityNegotiationException'
        'System.UnauthorizedAccessException'
        'System.Security.SecurityException'
    )
    $away = @(
        'System.ServiceModel.EndpointNotFoundException'
        'System.ServiceModel.ServerTooBusyException'
        'System.ServiceModel.ServiceActivationException'
        'System.ServiceModel.ProtocolException'
        'System.ServiceModel.CommunicationException'
        'System.TimeoutException'
        'System.Net.WebException'
        'System.Net.Sockets.SocketException'
    )
    $found = $Exception
    while ($null -ne $found) {
        $kind = $found.GetType().FullName
        if ($refused -ccontains $kind -or $found.Message -match 'deployment administrator|access is denied|\(401\)') {
            Deny-SssCall -Code 'NotDeploymentAdministrator' -Message ('{0}: the deployment web service refused {1}. Make it a Deployment Administrator and a member of PrivUserGroup; on an alias of this server also see BackConnectionHostNames.' -f $Command, (Get-SssIdentity).Name)
        }
        if ($away -ccontains $kind) {
            Deny-SssCall -Code 'DeploymentServiceUnreachable' -Message ('{0}: the deployment web service did not answer ({1}).' -f $Command, $kind)
        }
        $found = $found.InnerException
    }
    # The exception itself is kept as cause: whoever reads the answer sees its type and text.
    throw [System.InvalidOperationException]::new($Command + ' failed.', $Exception)
}

function Get-SssProperty {
    # A property of a product's object, or nothing where that version has none of this name.
    param(
        [Parameter(Mandatory = $true)]
        $InputObject,

        [Parameter(Mandatory = $true)]
        [string] $Name
    )
    $property = $InputObject.PSObject.Properties[$Name]
    if ($null -eq $property) {
        return $null
    }
    return $property.Value
}

function Get-SssGuidText {
    # Format D, lower case; empty text for what is no GUID.
    [OutputType([string])]
    param(
        [AllowNull()]
        $Value
    )
    $guid = [guid]::Empty
    if ($null -ne $Value -and [guid]::TryParse([string] $Value, [ref] $guid)) {
        return $guid.ToString('D')
    }
    return ''
}

function Read-SssAdvancedSetting {
    # One advanced setting as text; empty text where it is not set.
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Crm,

        [Parameter(Mandatory = $true)]
        [System.Collections.IDictionary] $Where,

        [Parameter(Mandatory = $true)]
        [string] $Setting
    )
    foreach ($entity in @(Invoke-SssCrm -Crm $Crm -Command 'Get-CrmAdvancedSetting' -Parameters $Where)) {
        foreach ($attribute in @(Get-SssProperty -InputObject $entity -Name 'Attributes')) {
            if ($attribute.Key -ceq $Setting -and $null -ne $attribute.Value) {
                return [string] $attribute.Value
            }
        }
    }
    return ''
}
