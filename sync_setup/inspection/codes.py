"""What each code of an inspection means, in words for the person who brought the file.

One table for the page, the command line and the API. Severity is the code's own, except for
``expires_soon``, which depends on the days.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Severity = Literal["accept", "warn", "reject"]

WINDOWS_PROVIDER = "Microsoft Enhanced RSA and AES Cryptographic Provider"


class Wording(NamedTuple):
    """A code in words.

    :ivar explanation: what was found and why it matters.
    :ivar fix: what to do, in the imperative; empty where nothing is to be done.
    """

    severity: Severity
    title: str
    explanation: str
    fix: str = ""


_NEW_RSA = (
    "Request a new certificate with an RSA key of at least 2048 bits, signed with SHA-256, and "
    "export it with its private key."
)
EXPORT_AGAIN = "Export the certificate again, with its private key, and upload the new file."
ONE_PFX = (
    "Export only the one certificate that Dynamics 365 shall use (certlm.msc: All Tasks, Export, "
    "with the private key)."
)

CODES: dict[str, Wording] = {
    "file_too_large": Wording(
        "reject",
        "The file is too large",
        "A certificate file has a few kilobytes; files over 100 KiB are not opened.",
        "Check that you chose the PFX file, and export it with one certificate and its chain only.",
    ),
    "inspection_timeout": Wording(
        "reject",
        "The inspection was stopped",
        "Opening the file takes more time or memory than an inspection may use. Files made to "
        "overload a server look like this; certificates do not.",
        EXPORT_AGAIN,
    ),
    "kdf_iterations_too_high": Wording(
        "reject",
        "The file demands too much computation",
        "Its password protection asks for more than 1,000,000 iterations (3,000,000 in all), which "
        "would block the server that opens it. It was not opened.",
        EXPORT_AGAIN,
    ),
    "too_many_entries": Wording(
        "reject",
        "The file holds too many entries",
        "It has more than 20 certificates or 50 entries in all; one certificate and its chain "
        "need five at most.",
        ONE_PFX,
    ),
    "wrong_password_or_damaged": Wording(
        "reject",
        "The file cannot be opened",
        "The password is wrong, or the file is damaged; the file does not tell which.",
        "Type the password again. If it is surely right, export the certificate again.",
    ),
    "private_key_in_public_file": Wording(
        "reject",
        "A private key lies unprotected in this file",
        "The file is text with a private key in it. Whoever has seen it may hold the key, and "
        "Windows cannot import it in this form.",
        "Treat this key as exposed: request a new certificate and export it as a PFX file with a "
        "password.",
    ),
    "several_private_keys": Wording(
        "reject",
        "The file holds several private keys",
        "Windows and Microsoft's scripts would silently take the first of them.",
        ONE_PFX,
    ),
    "several_certificates": Wording(
        "reject",
        "The file holds several certificates",
        "It is not clear which of them is meant.",
        "Save the one certificate into a file of its own.",
    ),
    "no_private_key": Wording(
        "reject",
        "The private key is missing",
        "Dynamics 365 signs with the private key, so a certificate alone is not enough.",
        "Export it from the server where it was requested and choose “Yes, export the private "
        "key”. If that is greyed out, the key was marked as not exportable: use the certificate "
        "already on the servers, or request a new one.",
    ),
    "no_leaf_certificate": Wording(
        "reject",
        "The certificate that belongs to the key is missing",
        "There is no certificate in the file for which it has the private key.",
        EXPORT_AGAIN,
    ),
    "key_does_not_match_certificate": Wording(
        "reject",
        "Key and certificate do not belong together",
        "The private key in the file is not the key of the certificate in the file.",
        "Put the file together again from the key with which the certificate was requested.",
    ),
    "cer_and_pfx_differ": Wording(
        "reject",
        "The two files hold different certificates",
        "The .cer file is not the certificate inside the PFX file. Entra ID would trust one and "
        "Dynamics 365 would sign with the other.",
        "Leave the .cer file out: the portal takes the public certificate from the PFX file.",
    ),
    "damaged_subject": Wording(
        "reject",
        "The name in the certificate cannot be read",
        "Subject or issuer is damaged. Dynamics 365 finds its certificate by the subject.",
        "Request a new certificate.",
    ),
    "control_character_in_subject": Wording(
        "reject",
        "The name in the certificate holds invisible characters",
        "Line breaks, direction marks or other invisible characters are in the subject or issuer "
        "(shown as \\u and a number). Such a name can look like another one.",
        "Request a new certificate with a plain subject.",
    ),
    "unsupported_algorithm": Wording(
        "reject",
        "An algorithm is not supported",
        "The certificate or its file uses an algorithm that is not accepted for this purpose.",
        _NEW_RSA,
    ),
    "key_not_rsa": Wording(
        "reject",
        "The key is not an RSA key",
        "Server-to-server authentication of Dynamics 365 needs RSA with KeySpec 1; elliptic curve "
        "and other keys cannot have a KeySpec.",
        _NEW_RSA,
    ),
    "rsa_too_small": Wording(
        "reject",
        "The RSA key is too small",
        "Fewer than 2048 bits can be broken.",
        _NEW_RSA,
    ),
    "rsa_exponent_unusual": Wording(
        "reject",
        "The RSA key is faulty",
        "Its public exponent is even or smaller than 3; 65537 is usual.",
        _NEW_RSA,
    ),
    "weak_signature_md5": Wording(
        "reject",
        "The certificate is signed with MD5",
        "MD5 signatures can be forged.",
        _NEW_RSA,
    ),
    "weak_signature_sha1": Wording(
        "reject",
        "The certificate is signed with SHA-1",
        "SHA-1 signatures can be forged; SHA-256 or better is needed.",
        _NEW_RSA,
    ),
    "expired": Wording(
        "reject",
        "The certificate has expired",
        "It is not valid any more.",
        "Bring the renewed certificate.",
    ),
    "not_yet_valid": Wording(
        "reject",
        "The certificate is not valid yet",
        "Its validity starts later.",
        "Come back once it is valid, or bring another one. If it should be valid already, check "
        "the clock of the certification authority.",
    ),
    "expires_soon": Wording(
        "warn",
        "The certificate ends soon",
        "Fewer than 90 days are left.",
        "Better bring one that lasts longer: replacing it is the same work again.",
    ),
    "self_signed": Wording(
        "warn",
        "The certificate is self-signed",
        "It works, but Microsoft recommends self-signed certificates for evaluation only.",
        "For production request one from your certification authority.",
    ),
    "key_usage_without_digital_signature": Wording(
        "warn",
        "The certificate is not meant for signing",
        "Its key usage does not include digital signature, and tokens are signed with it.",
        "Request one whose key usage includes digital signature.",
    ),
    "extended_key_usage_unusual": Wording(
        "warn",
        "The certificate is meant for another purpose",
        "Its extended key usage names neither server nor client authentication.",
        "Request one for server authentication, if your certification authority offers it.",
    ),
    "unreadable_extensions": Wording(
        "warn",
        "Parts of the certificate cannot be read",
        "Its extensions are damaged or given twice, so what it is meant for is not known.",
        "Request a new certificate.",
    ),
    "nonpositive_serial": Wording(
        "warn",
        "The serial number is not a positive number",
        "The standard demands one, and some software refuses such certificates.",
        "Request a new certificate.",
    ),
    "short_salt": Wording(
        "warn",
        "The password protects this file badly",
        "Its salt has fewer than 8 bytes. The portal packs the key anew before it goes to a server.",
        "Delete copies of this file once the setup is done.",
    ),
    "legacy_rc2_40_container": Wording(
        "warn",
        "The file is encrypted in an old way",
        "Parts of it are protected by 40-bit RC2, which can be broken, as older Windows versions "
        "export it. The portal packs the key anew before it goes to a server.",
        "Delete copies of this file once the setup is done.",
    ),
    "pbes2_container_needs_ws2019_or_rewrap": Wording(
        "accept",
        "Windows Server 2016 could not open this file",
        "It is encrypted with AES (PBES2), which Windows reads from Server 2019 on. The portal "
        "packs the key anew before it goes to a server, so nothing is to be done.",
    ),
    "ber_or_trailing_data": Wording(
        "warn",
        "The file is not encoded strictly",
        "It is not DER, or something follows after its end. It can be used; only what was read "
        "goes to a server.",
    ),
    "empty_password": Wording(
        "warn",
        "The file has no password",
        "Whoever has a copy of it has the private key.",
        "Delete copies of this file once the setup is done, and use a password next time.",
    ),
    "utf16": Wording(
        "accept",
        "The file is saved as UTF-16 text",
        "As Out-File of Windows PowerShell does. It was converted; nothing is to be done.",
    ),
    "bare_base64": Wording(
        "accept",
        "The file is base64 text",
        "Without the usual BEGIN and END lines. It was converted; nothing is to be done.",
    ),
    f"csp:{WINDOWS_PROVIDER}": Wording(
        "accept",
        "The file names the right Windows provider",
        f"The key will be imported into the {WINDOWS_PROVIDER}, as KeySpec 1 needs it.",
    ),
}
