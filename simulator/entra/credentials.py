"""Who asks for a token: client secrets and certificate assertions, really verified."""

from __future__ import annotations

import base64
import datetime
import hashlib
import hmac
import time
import urllib.parse
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from simulator.entra import errors
from simulator.entra.errors import SignInError
from simulator.entra.state import Application, Tenant
from simulator.tokens import BadToken, encode, parse
from simulator.web.message import Request

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
PUBLIC_GRANTS = (DEVICE_CODE, "refresh_token")
"""What an app that allows public client flows may ask for without a credential."""


def identify(
    request: Request, form: dict[str, str], tenant: Tenant, audiences: list[str]
) -> Application:
    """The application that sent a token request, proven by its credential.

    :param audiences: what a certificate assertion may be addressed to.
    :raises SignInError: unknown application, or the credential is missing, wrong or expired.
    """
    client_id, secret = _named_client(request, form)
    if not client_id:
        raise errors.parameter_missing("client_id")
    application = tenant.application(client_id)
    if application is None:
        raise errors.application_unknown(client_id, tenant.name)
    if form.get("client_assertion"):
        _verify_assertion(form, application, audiences)
    elif secret:
        _verify_secret(secret, application)
    elif not (application.allows_public_flows and form.get("grant_type") in PUBLIC_GRANTS):
        raise errors.credential_missing()
    return application


def _named_client(request: Request, form: dict[str, str]) -> tuple[str, str]:
    scheme, _, coded = request.header("Authorization").partition(" ")
    if scheme.lower() == "basic":
        name, _, secret = base64.b64decode(coded).decode().partition(":")
        return urllib.parse.unquote(name), urllib.parse.unquote(secret)
    return form.get("client_id", ""), form.get("client_secret", "")


def _verify_secret(secret: str, application: Application) -> None:
    now = datetime.datetime.now(datetime.UTC)
    for known in application.secrets:
        if hmac.compare_digest(known.value.encode(), secret.encode()):
            if datetime.datetime.fromisoformat(known.expires_at) <= now:
                raise errors.secret_expired(application.client_id)
            return
    raise errors.secret_wrong(application.client_id)


def _verify_assertion(form: dict[str, str], application: Application, audiences: list[str]) -> None:
    if form.get("client_assertion_type") != JWT_BEARER:
        text = "The client assertion type is not supported."
        raise SignInError("invalid_request", 900144, text)
    try:
        header, claims, signature, text = parse(form["client_assertion"])
    except BadToken as error:
        raise SignInError("invalid_client", 50027, "JWT token is invalid or malformed.") from error
    certificate, thumbprint = _certificate_of(header, application)
    _verify_signature(certificate, header, signature, text, thumbprint, application)
    if claims.get("aud") not in audiences:
        text = "Client assertion audience claim does not match Realm issuer."
        raise SignInError("invalid_client", 700023, text, 401)
    if {claims.get("iss"), claims.get("sub")} != {application.client_id}:
        text = "Client assertion issuer and subject must be the client id."
        raise SignInError("invalid_client", 700021, text, 401)
    now = time.time()
    begins: Any = claims.get("nbf", claims.get("iat", 0))
    ends: Any = claims.get("exp", 0)
    numbers = isinstance(begins, int | float) and isinstance(ends, int | float)
    if not numbers or not begins - 300 <= now < ends:
        text = "Client assertion is not within its valid time range."
        raise SignInError("invalid_client", 700024, text, 401)


def _certificate_of(
    header: dict[str, object], application: Application
) -> tuple[x509.Certificate, str]:
    # msal pads, the RFC does not.
    wanted = str(header.get("x5t#S256") or header.get("x5t") or "").rstrip("=")
    for coded in application.certificates:
        der = base64.b64decode(coded)
        prints = (
            encode(hashlib.sha256(der).digest()),
            encode(hashlib.sha1(der, usedforsecurity=False).digest()),
        )
        if wanted in prints:
            thumbprint = hashlib.sha1(der, usedforsecurity=False).hexdigest().upper()
            certificate = x509.load_der_x509_certificate(der)
            if certificate.not_valid_after_utc <= datetime.datetime.now(datetime.UTC):
                reason = "The key used is expired."
                raise errors.key_unknown(thumbprint, application.client_id, reason)
            return certificate, thumbprint
    raise errors.key_unknown(wanted, application.client_id, "The key was not found.")


def _verify_signature(
    certificate: x509.Certificate,
    header: dict[str, object],
    signature: bytes,
    text: str,
    thumbprint: str,
    application: Application,
) -> None:
    key = certificate.public_key()
    manners: dict[object, padding.AsymmetricPadding] = {
        "RS256": padding.PKCS1v15(),
        "PS256": padding.PSS(padding.MGF1(hashes.SHA256()), hashes.SHA256.digest_size),
    }
    manner = manners.get(header.get("alg"))
    if manner is None or not isinstance(key, rsa.RSAPublicKey):
        text = f"The algorithm '{header.get('alg')}' of the client assertion is not supported."
        raise SignInError("invalid_client", 5002738, text, 401)
    try:
        key.verify(signature, text.encode(), manner, hashes.SHA256())
    except InvalidSignature as error:
        reason = "The provided signature value did not match the expected signature value."
        raise errors.key_unknown(thumbprint, application.client_id, reason) from error
