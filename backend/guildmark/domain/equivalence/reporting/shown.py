"""A conformity credential that somebody shows, held against what is known of its certificate."""

import re
from base64 import urlsafe_b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn, Self

from guildmark.domain.encoding.strictjson import JsonValue, Limits, parse_object
from guildmark.domain.equivalence.reporting.credential import (
    ALGORITHMS,
    JOSE_TYPE,
    described,
    written_time,
)
from guildmark.domain.equivalence.reporting.standing import CertificateState, Standing
from guildmark.domain.errors import (
    ContentError,
    MalformedError,
    NonconformingError,
    RevokedError,
)
from guildmark.domain.identifiers import (
    Address,
    EquivalencePlanId,
    IdentityId,
    bytes32_from_hex,
    to_hex,
)
from guildmark.domain.signatures import Algorithm, PublicKey, address_of

CREDENTIAL_MAX = 1 << 16

_LIMITS = Limits(size=CREDENTIAL_MAX, depth=8)
_COMPACT = re.compile(rb"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)")
_ID = re.compile(r"urn:guildmark:equivalence:(0x[0-9a-f]{64}):(0x[0-9a-f]{64})", re.ASCII)
_HEADER = (("alg",), ("typ",), ("jwk", "kty"))
_COORDINATE = 32
_EQUIVALENT = "EQUIVALENT"


class CredentialMalformedError(MalformedError):
    """A file that is no credential of a certificate of equivalence."""

    code = "equivalence.credentialMalformed"
    hint = "Give the file that `guildmark equivalence credential` wrote, byte for byte."


class CredentialDiffersError(ContentError):
    """A credential says something else than its certificate, or another account signed it."""

    code = "equivalence.credentialDiffers"
    hint = "Do not rely on it; ask the evaluator for a credential of the certificate."


class CertificateNotInForceError(RevokedError):
    """A certificate that ended, was suspended, lapsed, was challenged or replaced."""

    code = "equivalence.certificateNotInForce"
    hint = "Ask the site for a newer certificate; `guildmark equivalence status` tells of this one."


class NotCertifiedEquivalentError(NonconformingError):
    """A certificate in force that says something else than EQUIVALENT."""

    code = "equivalence.notCertifiedEquivalent"
    hint = "The site was not found equivalent: ask for its later plans."


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCredential:
    """A credential whose signature holds under the key that it brings.

    Args:
        account: Whose key that is.
        members: What it says.
    """

    plan: EquivalencePlanId
    site: IdentityId
    account: Address
    members: Mapping[str, JsonValue]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the credential that a JWS in compact form holds, its signature checked.

        Raises:
            CredentialMalformedError: It is none.
            SignatureError: Its own key did not sign it.
        """
        found = _COMPACT.fullmatch(data.strip()) if len(data) <= CREDENTIAL_MAX else None
        if found is None:
            _refuse("The file is no JWS in compact form")
        header, payload, signature = map(_bytes, found.groups())
        try:
            said, members = parse_object(header, _LIMITS), parse_object(payload, _LIMITS)
            key = _key(said)
        except MalformedError as error:
            message = f"It is no credential. {error.message}"
            raise CredentialMalformedError(message) from error
        named = _ID.fullmatch(str(_at(members, "id")))
        if named is None:
            _refuse("It is of no certificate of equivalence")
        key.verify(data.strip().rpartition(b".")[0], signature)
        plan, site = map(bytes32_from_hex, named.groups())
        return cls(
            plan=EquivalencePlanId(plan),
            site=IdentityId(site),
            account=address_of(key),
            members=members,
        )

    def check(self, state: CertificateState) -> None:
        """Check that it says what its certificate does, and that this holds.

        Args:
            state: What is known of the certificate.

        Raises:
            CredentialDiffersError: Another account signed it, or it says something else.
            CertificateNotInForceError: The certificate holds no more.
            NotCertifiedEquivalentError: It says something else than EQUIVALENT.
        """
        if (self.plan, self.site) != (state.plan, state.site):
            _differs("It is of another certificate")
        if self.account != state.account:
            _differs(f"The account that signed it does not speak for {to_hex(state.evaluator)}")
        if not self._agrees(state):
            _differs("It says something else than the certificate on chain")
        details = {"plan": to_hex(self.plan), "site": to_hex(self.site)}
        if state.standing is not Standing.IN_FORCE:
            message = f"The certificate is not in force: {state.told}."
            raise CertificateNotInForceError(message, standing=state.standing.value, **details)
        if state.given.verdict != _EQUIVALENT:
            message = f"The site was certified {state.given.verdict}."
            raise NotCertifiedEquivalentError(message, verdict=state.given.verdict, **details)

    def _agrees(self, state: CertificateState) -> bool:
        """Return whether every word that counts is the certificate's; names are nobody's word."""
        given, said = state.given, self.members
        subject = _at(said, "credentialSubject")
        assessment = _at(subject, "assessment", 0)
        facilities = (_at(subject, "issuedToParty"), _at(assessment, "assessedFacility", 0))
        return (
            _at(said, "validFrom") == written_time(given.since)
            and _is_of(_at(said, "issuer"), state.evaluator)
            and all(_is_of(one, state.site) for one in facilities)
            and _at(assessment, "conformance") is (given.verdict == _EQUIVALENT)
            and _at(assessment, "description") == described(given)
        )


def _at(value: JsonValue, *path: str | int) -> JsonValue:
    """Return what stands at a place, None where nothing does."""
    for step in path:
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, Mapping) else None
        else:
            value = value[step] if isinstance(value, list) and step < len(value) else None
    return value


def _is_of(party: JsonValue, identity: IdentityId) -> bool:
    return str(_at(party, "id")).endswith(f":{to_hex(identity)}")


def _key(header: JsonValue) -> PublicKey:
    wanted = (ALGORITHMS[Algorithm.SECP256K1], JOSE_TYPE, "EC")
    if tuple(_at(header, *place) for place in _HEADER) != wanted:
        _refuse("It is signed by no account, or is of another kind")
    x, y = (_bytes(str(_at(header, "jwk", name)).encode()) for name in ("x", "y"))
    if {len(x), len(y)} != {_COORDINATE}:
        _refuse("Its key is none of an account")
    return PublicKey(algorithm=Algorithm.SECP256K1, data=bytes((2 + y[-1] % 2,)) + x)


def _bytes(text: bytes) -> bytes:
    try:
        return urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    except (Base64Error, ValueError) as error:
        message = "It holds what is no base64url."
        raise CredentialMalformedError(message) from error


def _refuse(reason: str) -> NoReturn:
    message = f"{reason}."
    raise CredentialMalformedError(message)


def _differs(reason: str) -> NoReturn:
    message = f"{reason}."
    raise CredentialDiffersError(message)
