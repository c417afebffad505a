# The private runspace of the server in memory: a real runspace with stub cmdlets in it, so that the way
# commands, parameters, objects and errors go through it is the module's own.

$script:SssStubCmdlets = [System.IO.Path]::Combine($PSScriptRoot, 'CrmCmdlets', 'CrmCmdlets.ps1')

function Test-SssSnapIn {
    return $script:SssWorld.SnapIn
}

function Get-SssDeploymentUrl {
    return 'http://crm-app01.contoso.example:5555/XRMDeployment/2011/Deployment.svc'
}

function Open-SssPrivateRunspace {
    param([bool] $WithCrm)
    $state = [System.Management.Automation.Runspaces.InitialSessionState]::CreateDefault()
    $state.Variables.Add([System.Management.Automation.Runspaces.SessionStateVariableEntry]::new('StubCrm', $script:SssWorld.Crm, ''))
    $tokens = $null
    $errors = $null
    $tree = [System.Management.Automation.Language.Parser]::ParseFile($script:SssStubCmdlets, [ref] $tokens, [ref] $errors)
    $isFunction = {
        param($node)
        return ($node -is [System.Management.Automation.Language.FunctionDefinitionAst])
    }
    foreach ($definition in $tree.FindAll($isFunction, $false)) {
        $body = $definition.Body.Extent.Text
        $body = $body.Substring(1, $body.Length - 2)
        $state.Commands.Add([System.Management.Automation.Runspaces.SessionStateFunctionEntry]::new($definition.Name, $body))
    }
    $runspace = [System.Management.Automation.Runspaces.RunspaceFactory]::CreateRunspace($state)
    $runspace.Open()
    return $runspace
}

function New-SssConfigurationEntity {
    param([string] $LogicalName, [System.Collections.IDictionary] $Attributes)
    $list = [System.Collections.Generic.List[object]]::new()
    foreach ($name in $Attributes.Keys) {
        $list.Add([pscustomobject]@{ Key = $name; Value = $Attributes[$name] })
    }
    return [pscustomobject]@{ LogicalName = $LogicalName; Attributes = $list }
}
