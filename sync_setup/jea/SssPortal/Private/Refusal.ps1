# How a function says no. A refusal is an exception that carries a contract code; whatever else is
# thrown becomes Internal. Nothing is ever thrown to the caller: see Format-SssAnswer.

function Deny-SssCall {
    # Ends the call with a contract code. Changed is No unless the caller knows better.
    param(
        [Parameter(Mandatory = $true)]
        [string] $Code,

        [Parameter(Mandatory = $true)]
        [string] $Message,

        [string] $Changed = 'No'
    )
    $refusal = [System.InvalidOperationException]::new($Message)
    $refusal.Data['SssCode'] = $Code
    $refusal.Data['SssChanged'] = $Changed
    throw $refusal
}

function ConvertTo-SssFailure {
    # The Error object of the envelope.
    param(
        [Parameter(Mandatory = $true)]
        [System.Exception] $Exception,

        [Parameter(Mandatory = $true)]
        [hashtable] $Run
    )
    $found = $Exception
    while ($null -ne $found) {
        if ($found.Data.Contains('SssCode')) {
            return [ordered]@{
                Code = [string] $found.Data['SssCode']
                Message = $found.Message
                Changed = [string] $found.Data['SssChanged']
            }
        }
        $found = $found.InnerException
    }
    $changed = 'No'
    if ($Run.Touched) {
        $changed = 'Unknown'
    }
    return [ordered]@{
        Code = 'Internal'
        Message = (Get-SssUnexpectedText -Exception $Exception -Run $Run)
        Changed = $changed
    }
}

function Get-SssUnexpectedText {
    # Type and text of what nobody expected, on one line. Where the call carried a secret, the text
    # stays out of the answer: no exception text is known to hold one, and none is trusted not to.
    [OutputType([string])]
    param(
        [System.Exception] $Exception,

        [hashtable] $Run
    )
    $innermost = $Exception.GetBaseException()
    $kind = $innermost.GetType().FullName
    if ($Run.HoldsSecret) {
        return ('{0}: unexpected {1}, HRESULT 0x{2:X8}.' -f $Run.Function, $kind, $innermost.HResult)
    }
    $text = [System.Text.RegularExpressions.Regex]::Replace($innermost.Message, '[\x00-\x1f\x7f]+', ' ')
    if ($text.Length -gt 400) {
        $text = $text.Substring(0, 400)
    }
    return ('{0}: unexpected {1}: {2}' -f $Run.Function, $kind, $text)
}
