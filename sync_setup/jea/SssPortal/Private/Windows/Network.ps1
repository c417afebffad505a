# What this server can reach. A TLS 1.2 handshake, no request.

function Get-SssProxy {
    # The proxy that this identity would use, or nothing.
    param(
        [Parameter(Mandatory = $true)]
        [string] $HostName
    )
    $target = [System.Uri]::new('https://' + $HostName + '/')
    $proxy = [System.Net.WebRequest]::GetSystemWebProxy()
    if ($proxy.IsBypassed($target)) {
        return $null
    }
    return $proxy.GetProxy($target).ToString()
}

function Test-SssEndpoint {
    # The Endpoint object of the contract. Steps that were not reached stay false.
    param(
        [Parameter(Mandatory = $true)]
        [string] $HostName,

        [Parameter(Mandatory = $true)]
        [int] $Port
    )
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    $facts = [ordered]@{
        Host = $HostName
        Port = $Port
        Dns = $false
        Tcp = $false
        TlsProtocol = $null
        Issuer = $null
        Trusted = $false
        Milliseconds = 0
        Error = $null
    }
    $client = [System.Net.Sockets.TcpClient]::new()
    try {
        $addresses = [System.Net.Dns]::GetHostAddresses($HostName)
        $facts.Dns = ($addresses.Length -gt 0)
        $connecting = $client.BeginConnect($HostName, $Port, $null, $null)
        if (-not $connecting.AsyncWaitHandle.WaitOne(5000)) {
            throw [System.TimeoutException]::new('No connection within 5 seconds.')
        }
        $client.EndConnect($connecting)
        $facts.Tcp = $true
        $client.ReceiveTimeout = 5000
        $client.SendTimeout = 5000
        Test-SssHandshake -Client $client -Facts $facts
    }
    catch {
        $cause = $_.Exception.GetBaseException()
        $facts.Error = $cause.GetType().Name + ': ' + $cause.Message
    }
    finally {
        $client.Close()
    }
    $facts.Milliseconds = [int] $watch.ElapsedMilliseconds
    return $facts
}

function Test-SssHandshake {
    # Any certificate is taken for the length of the handshake, so that the name of a TLS-inspecting
    # proxy shows as issuer; whether it would have been trusted is written down, and nothing is sent.
    param(
        [Parameter(Mandatory = $true)]
        [System.Net.Sockets.TcpClient] $Client,

        [Parameter(Mandatory = $true)]
        [System.Collections.IDictionary] $Facts
    )
    $script:SssPolicyErrors = $null
    $take = [System.Net.Security.RemoteCertificateValidationCallback] {
        param($origin, $certificate, $chain, $problems)
        $script:SssPolicyErrors = $problems
        return $true
    }
    $tls = [System.Net.Security.SslStream]::new($Client.GetStream(), $false, $take)
    try {
        $tls.AuthenticateAsClient($Facts.Host, $null, [System.Security.Authentication.SslProtocols]::Tls12, $false)
        $Facts.TlsProtocol = $tls.SslProtocol.ToString()
        $Facts.Issuer = $tls.RemoteCertificate.Issuer
        $Facts.Trusted = ($script:SssPolicyErrors -eq [System.Net.Security.SslPolicyErrors]::None)
    }
    finally {
        $tls.Dispose()
    }
}
