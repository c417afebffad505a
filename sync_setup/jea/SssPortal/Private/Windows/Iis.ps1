# IIS through Microsoft.Web.Administration, which comes with IIS. A server without IIS has no pools and
# no bindings.

function Open-SssIis {
    # A server manager in a hashtable, or nothing without IIS.
    $path = [System.IO.Path]::Combine([System.Environment]::SystemDirectory, 'inetsrv', 'Microsoft.Web.Administration.dll')
    if (-not [System.IO.File]::Exists($path)) {
        return $null
    }
    $assembly = [System.Reflection.Assembly]::LoadFrom($path)
    $kind = $assembly.GetType('Microsoft.Web.Administration.ServerManager', $true)
    return @{ Manager = [System.Activator]::CreateInstance($kind) }
}

function Get-SssAppPool {
    # Facts of one application pool, or nothing. StartedAtUtc is the start of its oldest worker process.
    param(
        [Parameter(Mandatory = $true)]
        [string] $Name
    )
    $iis = Open-SssIis
    if ($null -eq $iis) {
        return $null
    }
    try {
        $pool = $iis.Manager.ApplicationPools[$Name]
        if ($null -eq $pool) {
            return $null
        }
        $mode = 'Manual'
        if ($pool.AutoStart) {
            $mode = 'Auto'
        }
        $facts = @{
            Name = $pool.Name
            State = 'Unknown'
            StartMode = $mode
            Account = (Get-SssPoolAccount -Pool $pool)
            ProcessId = 0
            StartedAtUtc = $null
            IsPool = $true
        }
        Add-SssPoolProcess -Facts $facts -Pool $pool
        return $facts
    }
    finally {
        $iis.Manager.Dispose()
    }
}

function Add-SssPoolProcess {
    # State and oldest worker process. Both stay unknown while the activation service is down.
    param(
        [Parameter(Mandatory = $true)]
        [hashtable] $Facts,

        [Parameter(Mandatory = $true)]
        $Pool
    )
    try {
        $Facts.State = Get-SssPoolStateWord -State $Pool.State.ToString()
        foreach ($worker in $Pool.WorkerProcesses) {
            $started = Get-SssProcessStart -ProcessId $worker.ProcessId
            if ($null -ne $started -and ($null -eq $Facts.StartedAtUtc -or $started -lt $Facts.StartedAtUtc)) {
                $Facts.StartedAtUtc = $started
                $Facts.ProcessId = [int] $worker.ProcessId
            }
        }
    }
    catch {
        $Facts.State = 'Unknown'
    }
}

function Get-SssPoolStateWord {
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)]
        [string] $State
    )
    $words = @{ Started = 'Running'; Starting = 'StartPending'; Stopping = 'StopPending'; Stopped = 'Stopped' }
    if ($words.ContainsKey($State)) {
        return $words[$State]
    }
    return 'Unknown'
}

function Get-SssPoolAccount {
    # The account as Windows names it.
    [OutputType([string])]
    param(
        [Parameter(Mandatory = $true)]
        $Pool
    )
    $kind = $Pool.ProcessModel.IdentityType.ToString()
    if ($kind -ceq 'SpecificUser') {
        return [string] $Pool.ProcessModel.UserName
    }
    if ($kind -ceq 'ApplicationPoolIdentity') {
        return 'IIS APPPOOL\' + $Pool.Name
    }
    if ($kind -ceq 'LocalSystem') {
        return 'LocalSystem'
    }
    return 'NT AUTHORITY\' + $kind
}

function Restart-SssAppPool {
    param(
        [Parameter(Mandatory = $true)]
        [string] $Name
    )
    $iis = Open-SssIis
    try {
        $null = $iis.Manager.ApplicationPools[$Name].Recycle()
    }
    finally {
        $iis.Manager.Dispose()
    }
}

function Start-SssAppPool {
    param(
        [Parameter(Mandatory = $true)]
        [string] $Name
    )
    $iis = Open-SssIis
    try {
        $null = $iis.Manager.ApplicationPools[$Name].Start()
    }
    finally {
        $iis.Manager.Dispose()
    }
}

function Get-SssIisBinding {
    # Thumbprint and text of each https binding, one by one.
    $iis = Open-SssIis
    if ($null -eq $iis) {
        return
    }
    try {
        foreach ($site in $iis.Manager.Sites) {
            foreach ($binding in $site.Bindings) {
                if ($null -ne $binding.CertificateHash) {
                    @{
                        Thumbprint = [System.BitConverter]::ToString($binding.CertificateHash).Replace('-', '')
                        Text = $site.Name + ': ' + $binding.Protocol + ' ' + $binding.BindingInformation
                    }
                }
            }
        }
    }
    finally {
        $iis.Manager.Dispose()
    }
}

function Get-SssDeploymentSite {
    # scheme://server:port of the local site that hosts the deployment web service, or empty text.
    # GUESS: the application is called /XRMDeployment below the CRM website.
    [OutputType([string])]
    param()
    $iis = Open-SssIis
    if ($null -eq $iis) {
        return ''
    }
    try {
        foreach ($site in $iis.Manager.Sites) {
            if ($null -eq $site.Applications['/XRMDeployment']) {
                continue
            }
            foreach ($binding in $site.Bindings) {
                if ($binding.Protocol -ceq 'http' -or $binding.Protocol -ceq 'https') {
                    # BindingInformation is address:port:host.
                    $parts = $binding.BindingInformation.Split(':')
                    $name = $parts[$parts.Length - 1]
                    if ($name -ceq '') {
                        $name = (Get-SssMachine).Fqdn
                    }
                    return ('{0}://{1}:{2}' -f $binding.Protocol, $name, $parts[$parts.Length - 2])
                }
            }
        }
    }
    finally {
        $iis.Manager.Dispose()
    }
    return ''
}
