"""Where a code can have several reasons: what to say for each, and how code and reason meet."""

from __future__ import annotations

from sync_setup.inspection.codes import CODES, EXPORT_AGAIN, ONE_PFX, Wording

REASONS: dict[tuple[str, str], Wording] = {
    ("wrong_password_or_damaged", "empty"): Wording(
        "reject", "The file is empty", "It has no content.", "Choose the file again."
    ),
    ("wrong_password_or_damaged", "not_pkcs12"): Wording(
        "reject",
        "This is not a PFX file",
        "What is in it is no PKCS#12, whatever the password is.",
        "Choose the file with the extension .pfx or .p12.",
    ),
    ("wrong_password_or_damaged", "java_keystore"): Wording(
        "reject",
        "This is a Java keystore",
        "It is in Java's own format (JKS), which Windows does not read.",
        "Convert it: keytool -importkeystore -srckeystore FILE -destkeystore NEW.pfx "
        "-deststoretype PKCS12 -srcalias ALIAS",
    ),
    ("wrong_password_or_damaged", "cut_off"): Wording(
        "reject",
        "The file is not complete",
        "It ends before its content does. The password is not the reason.",
        "Copy or download it again, in binary mode.",
    ),
    ("wrong_password_or_damaged", "structure"): Wording(
        "reject",
        "The file is damaged",
        "It begins as a PFX file does, but its structure is broken. The password is not the reason.",
        EXPORT_AGAIN,
    ),
    ("wrong_password_or_damaged", "mac_unusable"): Wording(
        "reject",
        "The file's protection is damaged",
        "The value that protects it against changes is not computable. The password is not the "
        "reason.",
        EXPORT_AGAIN,
    ),
    ("wrong_password_or_damaged", "content"): Wording(
        "reject",
        "The file is damaged",
        "The password is right, but a part of the file cannot be decrypted or read.",
        EXPORT_AGAIN,
    ),
    ("wrong_password_or_damaged", "not_a_certificate"): Wording(
        "reject",
        "This is not a certificate file",
        "No certificate could be read from it.",
        "Choose the file with the extension .cer, .crt or .pem.",
    ),
    ("wrong_password_or_damaged", "unreadable"): Wording(
        "reject",
        "The file cannot be read",
        "It is damaged in a way that the inspection does not know.",
        EXPORT_AGAIN,
    ),
    ("no_private_key", "certificate_file"): Wording(
        "reject",
        "This is a certificate without its private key",
        "Dynamics 365 signs with the private key. This file holds the public part only.",
        "Export a PFX file from the server where the certificate was requested, with the private "
        "key; or, if the certificate is on the servers already, choose it there.",
    ),
    ("unsupported_algorithm", "container"): Wording(
        "reject",
        "The file is protected in a way that is not supported",
        "It could not be opened, whatever the password is, because of this algorithm.",
        "Export it again as PKCS#12 with AES-256 and SHA-256, or with 3DES and SHA-1.",
    ),
    ("several_certificates", "same_key"): Wording(
        "reject",
        "Several certificates belong to the same key",
        "It is not clear which of them Dynamics 365 shall use.",
        ONE_PFX,
    ),
}
"""By code and the reason that the inspection gives for it."""

_EXPIRES_VERY_SOON = Wording(
    "reject",
    "The certificate ends too soon",
    "Fewer than 30 days are left.",
    "Bring the renewed certificate.",
)


def wording(code: str, detail: str, days_left: int | None) -> Wording:
    """The words for a code, given its reason and the days that the certificate has left."""
    if code == "expires_soon" and days_left is not None and days_left < 30:
        return _EXPIRES_VERY_SOON
    return REASONS.get((code, detail)) or CODES[code]
