"""Errors as Entra ID words them (AADSTS codes)."""

from __future__ import annotations

import datetime
import uuid

from simulator.web.message import Request, Response


class SignInError(Exception):
    """A refused sign-in or token request.

    ``code`` is the AADSTS number, ``error`` the OAuth word (``invalid_client`` …).
    """

    def __init__(self, error: str, code: int, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.error, self.code, self.text, self.status = error, code, text, status

    def to_response(self, request: Request) -> Response:
        return Response.of_json(self.body(request), self.status)

    def body(self, request: Request) -> dict[str, object]:
        """Give the JSON of a refusal by Entra ID, with its trace and correlation ids."""
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        trace = str(uuid.uuid4())
        correlation = request.header("client-request-id") or str(uuid.uuid4())
        described = f"AADSTS{self.code}: {self.text}" if self.code else self.text
        return {
            "error": self.error,
            "error_description": f"{described} Trace ID: {trace} Correlation ID: {correlation}"
            f" Timestamp: {now}",
            "error_codes": [self.code],
            "timestamp": now,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://login.microsoftonline.com/error?code={self.code}",
        }


def tenant_unknown(name: str) -> SignInError:
    text = (
        f"Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are"
        " signing into the correct cloud. Check with your subscription administrator, this may"
        " happen if there are no active subscriptions for the tenant."
    )
    return SignInError("invalid_request", 90002, text)


def application_unknown(client_id: str, tenant: str) -> SignInError:
    text = (
        f"Application with identifier '{client_id}' was not found in the directory '{tenant}'."
        " This can happen if the application has not been installed by the administrator of the"
        " tenant or consented to by any user in the tenant. You may have sent your authentication"
        " request to the wrong tenant."
    )
    return SignInError("unauthorized_client", 700016, text)


def secret_wrong(client_id: str) -> SignInError:
    text = (
        "Invalid client secret provided. Ensure the secret being sent in the request is the client"
        f" secret value, not the client secret ID, for a secret added to app '{client_id}'."
    )
    return SignInError("invalid_client", 7000215, text, 401)


def secret_expired(client_id: str) -> SignInError:
    text = (
        f"The provided client secret keys for app '{client_id}' are expired. Visit the Azure portal"
        " to create new keys for your app: https://aka.ms/NewClientSecret, or consider using"
        " certificate credentials for added security: https://aka.ms/certCreds."
    )
    return SignInError("invalid_client", 7000222, text, 401)


def credential_missing() -> SignInError:
    text = (
        "The request body must contain the following parameter: 'client_assertion' or"
        " 'client_secret'."
    )
    return SignInError("invalid_client", 7000218, text, 401)


def key_unknown(thumbprint: str, client_id: str, reason: str) -> SignInError:
    text = (
        f"Client assertion contains an invalid signature. [Reason - {reason}, Thumbprint of key"
        f" used by client: '{thumbprint}', Please visit the Azure Portal, Graph Explorer or"
        f" directly use MS Graph to see configured keys for app Id '{client_id}'.]"
    )
    return SignInError("invalid_client", 700027, text, 401)


def parameter_missing(name: str) -> SignInError:
    text = f"The request body must contain the following parameter: '{name}'."
    return SignInError("invalid_request", 900144, text)
