"""A certificate for a node in a network of its own, and the authority that phones there trust.

The authority signs this one certificate, and its key is forgotten then: whoever trusts it trusts
nothing else. It may name only what the certificate names (RFC 5280, 4.2.1.10).
"""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from guildmark.domain.errors import UsageError
from guildmark.domain.identifiers import Digest

NAMES_MAX = 16
DAYS = 800
"""For how long a certificate holds: phones refuse those of more than 825 days."""

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*", re.ASCII)
# Clocks of phones go after, too.
_EARLIER = timedelta(hours=24)


class CertificateNamesError(UsageError):
    """What a certificate is to be for is no name and no address of a host."""

    code = "certificate.namesInvalid"
    hint = "Give names such as shop.local, or addresses such as 192.168.1.20."


@dataclass(frozen=True, slots=True, kw_only=True)
class Certified:
    """A certificate, its key, and who vouches for it, as PEM.

    Args:
        authority: What phones are told to trust.
        certificate: What the node shows.
        key: What the node alone holds.
        fingerprint: SHA-256 of the authority's certificate, which phones show.
        until: Seconds since 1970 up to which it holds.
    """

    authority: bytes
    certificate: bytes
    key: bytes
    fingerprint: Digest
    until: int


def certified(names: Sequence[str], *, now: int) -> Certified:
    """Return a new certificate for hosts.

    Args:
        names: Names and addresses by which the node is reached.
        now: Seconds since 1970.

    Raises:
        CertificateNamesError: None or too many are named, or one is no name of a host.
    """
    if not 0 < len(names) <= NAMES_MAX:
        message = f"A certificate is for 1 to {NAMES_MAX} names, not {len(names)}."
        raise CertificateNamesError(message, names=len(names))
    hosts = [_host(name) for name in names]
    begin = datetime.fromtimestamp(now, UTC) - _EARLIER
    end = begin + timedelta(days=DAYS)
    issuing, held = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer, subject = _named(f"Guildmark node {names[0]}"), _named(names[0][:64])
    authority = (
        _builder(issuer, issuer, issuing.public_key(), begin, end)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(is_authority=True), critical=True)
        .add_extension(x509.NameConstraints(list(map(_allowed, hosts)), None), critical=True)
        .sign(issuing, SHA256())
    )
    certificate = (
        _builder(subject, issuer, held.public_key(), begin, end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(is_authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuing.public_key()),
            critical=False,
        )
        .sign(issuing, SHA256())
    )
    return Certified(
        authority=authority.public_bytes(Encoding.PEM),
        certificate=certificate.public_bytes(Encoding.PEM),
        key=held.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        fingerprint=Digest(authority.fingerprint(SHA256())),
        until=int(end.timestamp()),
    )


def _host(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        if _HOST.fullmatch(name):
            return x509.DNSName(name)
    message = f"{name[:80]!r} is no name and no address of a host."
    raise CertificateNamesError(message, name=ascii(name[:80]))


def _allowed(host: x509.GeneralName) -> x509.GeneralName:
    if isinstance(host, x509.IPAddress):
        return x509.IPAddress(ipaddress.ip_network(str(host.value)))
    return host


def _named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    begin: datetime,
    end: datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
