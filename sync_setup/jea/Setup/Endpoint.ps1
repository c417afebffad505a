# The session configuration SssPortal, and the restart of WinRM that makes it take effect.

function Read-SetupTemplate {
    # The hashtable of a .pssc file: parsed, never run.
    param(
        [Parameter(Mandatory = $true)]
        [string] $Path
    )
    $tokens = $null
    $errors = $null
    $tree = [System.Management.Automation.Language.Parser]::ParseFile($Path, [ref] $tokens, [ref] $errors)
    if ($errors.Count -gt 0) {
        throw ('{0} cannot be read: {1}' -f $Path, $errors[0].Message)
    }
    $isTable = {
        param($node)
        return ($node -is [System.Management.Automation.Language.HashtableAst])
    }
    $table = $tree.Find($isTable, $true)
    return $table.SafeGetValue()
}

function New-SetupConfigurationFile {
    # The .pssc of this server: the template with this site's groups, account and transcript folder.
    param(
        [Parameter(Mandatory = $true)]
        [string] $Template,

        [Parameter(Mandatory = $true)]
        [string] $Path,

        [Parameter(Mandatory = $true)]
        [string] $LookGroup,

        [AllowEmptyString()]
        [string] $ChangeGroup,

        [AllowEmptyString()]
        [string] $ServiceAccount,

        [Parameter(Mandatory = $true)]
        [string] $Transcripts
    )
    $settings = Read-SetupTemplate -Path $Template
    $roles = @{ $LookGroup = @{ RoleCapabilities = 'SssPortal.Look' } }
    if ($ChangeGroup -ne '') {
        $roles[$ChangeGroup] = @{ RoleCapabilities = 'SssPortal.Change' }
    }
    $settings['RoleDefinitions'] = $roles
    $settings['TranscriptDirectory'] = $Transcripts
    if ($ServiceAccount -ne '') {
        $settings['GroupManagedServiceAccount'] = $ServiceAccount
    }
    $settings.Remove('Guid')
    New-PSSessionConfigurationFile -Path $Path @settings
    if (-not (Test-PSSessionConfigurationFile -Path $Path)) {
        throw ('Windows PowerShell does not accept the session configuration {0}.' -f $Path)
    }
}

function Get-SetupEndpoint {
    # The registered endpoint, or nothing.
    return (Get-PSSessionConfiguration -Name 'SssPortal' -ErrorAction SilentlyContinue)
}

function Register-SetupEndpoint {
    # Written now, in force after the next start of WinRM.
    param(
        [Parameter(Mandatory = $true)]
        [string] $Path
    )
    if ($null -ne (Get-SetupEndpoint)) {
        Unregister-PSSessionConfiguration -Name 'SssPortal' -NoServiceRestart -Force -Confirm:$false
    }
    $null = Register-PSSessionConfiguration -Name 'SssPortal' -Path $Path -NoServiceRestart -Force -Confirm:$false
}

function Unregister-SetupEndpoint {
    if ($null -ne (Get-SetupEndpoint)) {
        Unregister-PSSessionConfiguration -Name 'SssPortal' -NoServiceRestart -Force -Confirm:$false
    }
}

function Restart-SetupWinRM {
    # Restarting WinRM cuts every remote session of this server, this one included if it is one. So the
    # default is a scheduled task that runs as SYSTEM at the given minute and removes itself.
    param(
        [Parameter(Mandatory = $true)]
        [ValidateSet('Task', 'Now', 'None')]
        [string] $How,

        [Parameter(Mandatory = $true)]
        [datetime] $At
    )
    if ($How -eq 'None') {
        Write-Warning 'WinRM was not restarted. The endpoint changes with the next start of WinRM.'
        return
    }
    if ($How -eq 'Now') {
        Restart-Service -Name 'WinRM' -Force
        return
    }
    $action = New-ScheduledTaskAction -Execute 'powershell.exe' -Argument '-NoProfile -NonInteractive -Command "Restart-Service -Name WinRM -Force"'
    $trigger = New-ScheduledTaskTrigger -Once -At $At
    # A task that may be deleted after it ran needs an end of its trigger.
    $trigger.EndBoundary = $At.AddHours(1).ToString('s')
    $settings = New-ScheduledTaskSettingsSet -DeleteExpiredTaskAfter (New-TimeSpan -Hours 1) -StartWhenAvailable
    $who = New-ScheduledTaskPrincipal -UserId 'S-1-5-18' -LogonType ServiceAccount -RunLevel Highest
    $null = Register-ScheduledTask -TaskName 'SssPortal restarts WinRM' -Action $action -Trigger $trigger -Settings $settings -Principal $who -Force
    Write-Warning ('WinRM restarts at {0:yyyy-MM-dd HH:mm} and cuts the remote sessions of that moment.' -f $At)
}
