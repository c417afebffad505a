"""JSON Web Tokens signed by a key of the simulator: Entra ID has one, each AD FS farm another."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa


class BadToken(Exception):
    """A token that must not be accepted; the text says why."""


class TokenKey:
    """An RSA key kept in a file, so that tokens outlive a restart as they do in the real world."""

    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        self._key = key
        numbers = key.public_key().public_numbers()
        self._modulus, self._exponent = numbers.n, numbers.e
        self.key_id = hashlib.sha256(str(numbers.n).encode()).hexdigest()[:27]

    @classmethod
    def load_or_create(cls, file: Path) -> TokenKey:
        """Take the RSA key from a PEM file, or make one and keep it there for the owner alone."""
        if file.exists():
            key = serialization.load_pem_private_key(file.read_bytes(), None)
            if isinstance(key, rsa.RSAPrivateKey):
                return cls(key)
        new = rsa.generate_private_key(65537, 2048)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_bytes(
            new.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return cls(new)

    def jwks(self) -> dict[str, object]:
        """The public key as a JSON Web Key Set."""
        own = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.key_id, "x5t": self.key_id}
        return {"keys": [own | {"n": _number(self._modulus), "e": _number(self._exponent)}]}

    def sign(self, claims: Mapping[str, object]) -> str:
        """A signed token with these claims."""
        header = {"typ": "JWT", "alg": "RS256", "kid": self.key_id, "x5t": self.key_id}
        text = f"{_segment(header)}.{_segment(claims)}"
        signature = self._key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{text}.{encode(signature)}"

    def verify(self, token: str) -> dict[str, object]:
        """The claims of a token of ours that is still valid; the audience is the caller's matter.

        :raises BadToken: not readable, not ours, or expired.
        """
        _, claims, signature, text = parse(token)
        try:
            self._key.public_key().verify(
                signature, text.encode(), padding.PKCS1v15(), hashes.SHA256()
            )
        except InvalidSignature as error:
            raise BadToken("signature") from error
        if not isinstance(claims.get("exp"), int) or int(str(claims["exp"])) <= time.time():
            raise BadToken("expired")
        return claims


def parse(token: str) -> tuple[dict[str, object], dict[str, object], bytes, str]:
    """Header, claims, signature and signed text of a token, nothing verified.

    :raises BadToken: it is no token.
    """
    try:
        header, claims, signature = token.split(".")
        read = json.loads(decode(header)), json.loads(decode(claims))
        if not all(isinstance(part, dict) for part in read):
            raise BadToken("malformed")
        return read[0], read[1], decode(signature), f"{header}.{claims}"
    except ValueError as error:
        raise BadToken("malformed") from error


def encode(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """The bytes of base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _segment(value: Mapping[str, object]) -> str:
    return encode(json.dumps(value, separators=(",", ":")).encode())


def _number(value: int) -> str:
    return encode(value.to_bytes((value.bit_length() + 7) // 8))
