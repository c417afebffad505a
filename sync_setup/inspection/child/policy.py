"""Which codes a certificate earns as token issuer of server-to-server authentication.

RSA of at least 2048 bits with a usual exponent, signed with SHA-256 or better, valid now and for 30
more days, allowed to sign. Codes come in a fixed order, so that two inspections compare as lists.
"""

from __future__ import annotations

import datetime as dt

from sync_setup.inspection.child.certificate import Facts

SMALLEST_RSA_BITS = 2048
REJECT_DAYS, WARN_DAYS = 30, 90

ORDER = (
    "file_too_large",
    "inspection_timeout",
    "kdf_iterations_too_high",
    "too_many_entries",
    "wrong_password_or_damaged",
    "private_key_in_public_file",
    "several_private_keys",
    "several_certificates",
    "no_private_key",
    "no_leaf_certificate",
    "key_does_not_match_certificate",
    "cer_and_pfx_differ",
    "damaged_subject",
    "control_character_in_subject",
    "unsupported_algorithm",
    "key_not_rsa",
    "rsa_too_small",
    "rsa_exponent_unusual",
    "weak_signature_md5",
    "weak_signature_sha1",
    "expired",
    "not_yet_valid",
    "expires_soon",
    "self_signed",
    "key_usage_without_digital_signature",
    "extended_key_usage_unusual",
    "unreadable_extensions",
    "nonpositive_serial",
    "short_salt",
    "legacy_rc2_40_container",
    "pbes2_container_needs_ws2019_or_rewrap",
    "ber_or_trailing_data",
    "empty_password",
    "utf16",
    "bare_base64",
    "csp:Microsoft Enhanced RSA and AES Cryptographic Provider",
)
ADVICE = {
    "self_signed",
    "key_usage_without_digital_signature",
    "extended_key_usage_unusual",
    "unreadable_extensions",
    "nonpositive_serial",
    "short_salt",
    "csp:Microsoft Enhanced RSA and AES Cryptographic Provider",
}
"""Remarks on a certificate that could be used; pointless beside a reason why it cannot."""

CONTAINER = {
    "legacy_rc2_40_container",
    "pbes2_container_needs_ws2019_or_rewrap",
    "ber_or_trailing_data",
    "empty_password",
    "utf16",
    "bare_base64",
}
"""Remarks on the file, true whatever the certificate is like."""


def certificate_codes(facts: Facts, at: dt.datetime) -> set[str]:
    """What is to be said of this certificate at this instant."""
    if facts.subject.is_damaged or facts.issuer.is_damaged:
        # A damaged certificate's other fields are no better; nothing else about it would be true.
        return {"damaged_subject"}
    codes = _key_codes(facts) | _signature_codes(facts) | _date_codes(facts, at)
    said = {
        "control_character_in_subject": facts.subject.is_dangerous or facts.issuer.is_dangerous,
        "self_signed": facts.is_self_signed,
        "nonpositive_serial": not facts.has_positive_serial,
        "unreadable_extensions": not facts.has_readable_extensions,
        "key_usage_without_digital_signature": (
            facts.key_usage is not None and "digital_signature" not in facts.key_usage
        ),
        "extended_key_usage_unusual": facts.eku is not None and not _USUAL & set(facts.eku),
    }
    return codes | {code for code, applies in said.items() if applies}


def settled(codes: set[str]) -> list[str]:
    """The codes in their order, advice left out where something else already rejects."""
    rejecting = codes - ADVICE - CONTAINER - {"expires_soon"}
    kept = codes - ADVICE if rejecting else codes
    return sorted(kept, key=ORDER.index)


_USUAL = {"Server Authentication", "Client Authentication", "Any Purpose"}


def _key_codes(facts: Facts) -> set[str]:
    key = facts.key
    if key.kind != "RSA":
        return {"key_not_rsa"}
    codes = set()
    if key.bits < SMALLEST_RSA_BITS:
        codes.add("rsa_too_small")
    if key.exponent < 3 or key.exponent % 2 == 0:
        codes.add("rsa_exponent_unusual")
    return codes


def _signature_codes(facts: Facts) -> set[str]:
    names = {
        "md5": "weak_signature_md5",
        "sha1": "weak_signature_sha1",
        "unknown": "unsupported_algorithm",
    }
    return {names[facts.weakness]} if facts.weakness else set()


def _date_codes(facts: Facts, at: dt.datetime) -> set[str]:
    if facts.not_before is None or facts.not_after is None:
        return {"unsupported_algorithm"}
    if at > facts.not_after:
        return {"expired"}
    if at < facts.not_before:
        return {"not_yet_valid"}
    return {"expires_soon"} if days_left(facts.not_after, at) < WARN_DAYS else set()


def days_left(not_after: dt.datetime, at: dt.datetime) -> int:
    """Whole days until it ends; negative once it has ended."""
    return (not_after - at).days
