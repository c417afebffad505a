"""PowerShell's own errors as error records: what binding and command discovery say, word for word.

The texts are those of Windows PowerShell 5.1 in English.
"""

from __future__ import annotations

from dataclasses import dataclass

from psrpcore.types import ErrorCategory, ErrorCategoryInfo, ErrorRecord, NETException

E_FAIL = -2146233087


@dataclass
class PowerShellError(Exception):
    """A terminating error: the pipeline ends as Failed with this record.

    ``kind`` is the .NET exception's full name, ``error_id`` the FullyQualifiedErrorId.
    """

    message: str
    error_id: str
    category: ErrorCategory
    kind: str = "System.Management.Automation.RuntimeException"

    def __str__(self) -> str:
        return self.message

    def record(self, activity: str = "") -> ErrorRecord:
        """The error as PowerShell remoting sends it."""
        exception = NETException(Message=self.message, HResult=E_FAIL)
        bases = ["System.Management.Automation.RuntimeException", "System.SystemException"]
        lineage = [self.kind, *(base for base in bases if base != self.kind)]
        exception.PSObject.type_names = [*lineage, *NETException.PSObject.type_names]
        return ErrorRecord(
            Exception=exception,
            CategoryInfo=ErrorCategoryInfo(
                Category=self.category, Activity=activity, Reason=self.kind.rsplit(".", 1)[-1]
            ),
            FullyQualifiedErrorId=self.error_id,
        )


def script_not_allowed() -> PowerShellError:
    """What a NoLanguage session answers to script text."""
    return PowerShellError(
        "The syntax is not supported by this runspace. This can occur if the runspace is in "
        "no-language mode.",
        "ScriptsNotAllowed",
        ErrorCategory.ParserError,
    )


def command_not_found(name: str) -> PowerShellError:
    """What a session answers to a command that it does not show."""
    return PowerShellError(
        f"The term '{name}' is not recognized as the name of a cmdlet, function, script file, or "
        "operable program. Check the spelling of the name, or if a path was included, verify that "
        "the path is correct and try again.",
        "CommandNotFoundException",
        ErrorCategory.ObjectNotFound,
        "System.Management.Automation.CommandNotFoundException",
    )


def binding_error(message: str, error_id: str, function: str) -> PowerShellError:
    """A parameter that could not be bound; ``error_id`` without the function's name."""
    validates = "Argument" in error_id and "Positional" not in error_id
    return PowerShellError(
        message,
        f"{error_id},{function}",
        ErrorCategory.InvalidData if validates else ErrorCategory.InvalidArgument,
        "System.Management.Automation.ParameterBindingValidationException"
        if "Validation" in error_id
        else "System.Management.Automation.ParameterBindingException",
    )
