"""Signed envelopes: DSSE v1.0.0, verified first and parsed after, from the same bytes."""

import base64
import binascii
import contextlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self, TypeAlias

from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.fields import Fields, read_document
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.encoding.strictjson import Limits
from guildmark.domain.errors import GuildmarkError, MalformedError, SignatureError
from guildmark.domain.identifiers import Digest, KeyId, bytes32_from_hex, to_hex

SIGNATURES_MAX = 8
ENVELOPE_LIMITS = Limits(size=1 << 20, depth=4, values=64)

# What machines write by the thousand: canonical, one signature.
_BEFORE_PAYLOAD = b'{"payload":"'
_BEHIND_PAYLOAD = re.compile(
    rb'","payloadType":"(?P<kind>[a-z0-9.+/-]{0,200})",'
    rb'"signatures":\[\{"keyid":"0x(?P<key>[0-9a-f]{64})","sig":"(?P<sig>[A-Za-z0-9+/=]{0,4096})"\}\]\}'
)

Sign: TypeAlias = Callable[[bytes], bytes]
Verify: TypeAlias = Callable[[bytes, bytes], None]


class MalformedEnvelopeError(MalformedError):
    """An envelope whose parts do not follow DSSE or are given twice."""

    code = "envelope.malformed"
    hint = "Send the envelope as its signer wrote it."


class SignaturesMissingError(SignatureError):
    """Too few of the expected keys signed."""

    code = "envelope.signaturesMissing"


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvelopeSignature:
    """One signature over the pre-authentication encoding, and the key that made it."""

    key: KeyId
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A payload and who signed it."""

    payload_type: str
    payload: bytes
    signatures: tuple[EnvelopeSignature, ...]

    def __post_init__(self) -> None:
        keys = {signature.key for signature in self.signatures}
        if not 0 < len(keys) == len(self.signatures) <= SIGNATURES_MAX:
            message = f"An envelope has 1 to {SIGNATURES_MAX} signatures, each of its own key."
            raise MalformedEnvelopeError(message, signatures=len(self.signatures))

    @classmethod
    def sign(cls, payload: bytes, *, payload_type: str, signers: Mapping[KeyId, Sign]) -> Self:
        """Return the payload signed by each signer, in the order given.

        Raises:
            MalformedEnvelopeError: No signer, or too many.
        """
        signed = pre_authentication_encoding(payload_type, payload)
        signatures = tuple(
            EnvelopeSignature(key=key, signature=sign(signed)) for key, sign in signers.items()
        )
        return cls(payload_type=payload_type, payload=payload, signatures=signatures)

    def check_type(self, expected: str, what: str, refusal: type[GuildmarkError]) -> None:
        """Check that the payload is of a type.

        Args:
            expected: The type.
            what: Its word in the message.
            refusal: What to raise where it is of another one.

        Raises:
            GuildmarkError: It is, as ``refusal``.
        """
        if self.payload_type != expected:
            message = f"The payload is {self.payload_type[:80]!r}, no {what}."
            raise refusal(message, expected=expected)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the envelope that ``data`` holds. Nothing in it is verified yet.

        Raises:
            JsonError: The bytes are outside the input profile.
            DocumentError: A member is missing, unknown or of another type.
            MalformedEnvelopeError: Base64 in another form, or a key twice.
        """
        if data.startswith(_BEFORE_PAYLOAD) and len(data) <= ENVELOPE_LIMITS.size:
            end = data.find(b'"', len(_BEFORE_PAYLOAD))
            found = _BEHIND_PAYLOAD.fullmatch(data, max(end, 0))
            if found is not None:
                # What is no base64 may be text with escapes, which is read in full.
                with contextlib.suppress(binascii.Error):
                    payload = _decoded(data[len(_BEFORE_PAYLOAD) : end])
                    return cls._of_one_signer(payload, **found.groupdict())
        return read_document(data, cls._read, ENVELOPE_LIMITS)

    @classmethod
    def _read(cls, fields: Fields) -> Self:
        return cls(
            payload_type=fields.text("payloadType"),
            payload=_from_base64(fields.text("payload", most=ENVELOPE_LIMITS.size)),
            signatures=fields.objects("signatures", _read_signature),
        )

    @classmethod
    def _of_one_signer(cls, payload: bytes, *, kind: bytes, key: bytes, sig: bytes) -> Self:
        """Return what one signer wrote in canonical form, where nothing is left to be parsed."""
        signature = EnvelopeSignature(
            key=KeyId(bytes.fromhex(key.decode())), signature=_decoded(sig)
        )
        return cls(payload_type=kind.decode(), payload=payload, signatures=(signature,))

    def encode(self) -> bytes:
        """Return the envelope's bytes; sha256 of them is what a log entry commits to."""
        return canonical(
            {
                "payload": _to_base64(self.payload),
                "payloadType": self.payload_type,
                "signatures": [
                    {"keyid": to_hex(one.key), "sig": _to_base64(one.signature)}
                    for one in self.signatures
                ],
            }
        )

    def verify(self, keys: Mapping[KeyId, Verify], *, threshold: int = 1) -> tuple[KeyId, ...]:
        """Return the keys that signed, at least ``threshold`` of ``keys``.

        Signatures by keys that nobody asked about are passed over; a wrong one by a key that was
        asked about is an error, however many others hold.

        Raises:
            SignatureError: One does not hold, or too few keys signed.
        """
        signed = pre_authentication_encoding(self.payload_type, self.payload)
        asked = [one for one in self.signatures if one.key in keys]
        for one in asked:
            keys[one.key](signed, one.signature)
        if len(asked) < max(threshold, 1):
            message = f"{len(asked)} of the expected keys signed, {threshold} must."
            raise SignaturesMissingError(message, signed=len(asked), threshold=threshold)
        return tuple(one.key for one in asked)


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """Return what is signed: "DSSEv1" SP length SP type SP length SP payload."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def envelope_digest(data: bytes) -> Digest:
    """Return the digest of an envelope, bytes as received: payload and signatures."""
    return sha256(data)


def _read_signature(fields: Fields) -> EnvelopeSignature:
    return EnvelopeSignature(
        key=KeyId(fields.parsed("keyid", bytes32_from_hex)),
        signature=_from_base64(fields.text("sig")),
    )


def _to_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _from_base64(text: str) -> bytes:
    try:
        return _decoded(text.encode("ascii"))
    except (UnicodeEncodeError, binascii.Error) as error:
        message = "A member is not base64 (RFC 4648, section 4), or in another form than its own."
        raise MalformedEnvelopeError(message) from error


def _decoded(text: bytes) -> bytes:
    """Return what base64 writes in its one form.

    Raises:
        binascii.Error: Another alphabet or padding, or unused bits that are not zero: they would
            give one value many texts.
    """
    data = binascii.a2b_base64(text, strict_mode=True)
    # Only the last group of four can have unused bits.
    if binascii.b2a_base64(data[-(len(data) % 3 or 3) :], newline=False) != text[-4:]:
        message = "unused bits"
        raise binascii.Error(message)
    return data
