"""Cases for check (2): machine's signature."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from fakes import simulator as sim
from fakes.cases.draft import Draft, breaks, word
from fakes.simulator import (
    BEGUN,
    GAUGE,
    LOGGED,
    MACHINE,
    Signer,
)
from guildmark.domain.builds.dsse import Envelope, envelope_digest, pre_authentication_encoding
from guildmark.domain.chain import storage
from guildmark.domain.identity.identity import key_id
from guildmark.domain.signatures import P256_ORDER, SECP256K1_ORDER, Algorithm

ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493

KEY = storage.KEYS.at(key_id(MACHINE, Signer("machine").public))


def reseal(draft: Draft, **changes: Any) -> None:
    """Log an envelope whose payload was changed after it was signed."""
    honest = Envelope.parse(draft.simulator.make_envelope())
    statement = replace(draft.simulator.make_statement(), **changes)
    draft.simulator.envelope = replace(honest, payload=statement.encode()).encode()


@breaks(2, "signatureInvalid", 12)
def altered_measurement(draft: Draft) -> None:
    reseal(draft, measurements=(sim.measured("bore", "10.02"), sim.measured("height", "20.0")))


def resign(draft: Draft, change: Callable[[bytes], bytes]) -> None:
    """Log an envelope whose signature was written in another way."""
    honest = Envelope.parse(draft.simulator.make_envelope())
    (own,) = honest.signatures
    other = replace(own, signature=change(own.signature))
    draft.simulator.envelope = replace(honest, signatures=(other,)).encode()


def high_s(signature: bytes, order: int) -> bytes:
    """Return the twin of an ECDSA signature: as good to many libraries, never to us."""
    s = order - int.from_bytes(signature[32:], "big")
    return signature[:32] + s.to_bytes(32, "big")


def as_der(signature: bytes) -> bytes:
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    return encode_dss_signature(r, s)


@breaks(2, "signatureInvalid", 12)
def high_s_on_secp256k1(draft: Draft) -> None:
    resign(draft, lambda signature: high_s(signature, SECP256K1_ORDER))


@breaks(2, "signatureInvalid", 12)
def high_s_on_p256(draft: Draft) -> None:
    draft.simulator.sign_with(Algorithm.P256)
    resign(draft, lambda signature: high_s(signature, P256_ORDER))


@breaks(2, "signatureInvalid", 12)
def der_on_secp256k1(draft: Draft) -> None:
    resign(draft, as_der)


@breaks(2, "signatureInvalid", 12)
def der_on_p256(draft: Draft) -> None:
    draft.simulator.sign_with(Algorithm.P256)
    resign(draft, as_der)


@breaks(2, "signatureInvalid", 12)
def short_signature_on_p256(draft: Draft) -> None:
    draft.simulator.sign_with(Algorithm.P256)
    resign(draft, lambda signature: signature[:63])


@breaks(2, "signatureInvalid", 12)
def signature_with_its_recovery_byte(draft: Draft) -> None:
    resign(draft, lambda signature: signature + b"\x1b")


@breaks(2, "signatureInvalid", 12)
def signed_on_another_curve(draft: Draft) -> None:
    draft.simulator.sign_with(Algorithm.P256)
    other = Signer("machine", Algorithm.SECP256K1)
    envelope = Envelope.parse(draft.simulator.make_envelope())
    encoded = pre_authentication_encoding(envelope.payload_type, envelope.payload)
    resign(draft, lambda _: other.sign(encoded))


@breaks(2, "signatureInvalid", 12)
def twin_of_an_edwards_signature(draft: Draft) -> None:
    draft.simulator.sign_with(Algorithm.ED25519)

    def twin(signature: bytes) -> bytes:
        # RFC 8032, 5.1.7: S must lie below the order of the group.
        s = int.from_bytes(signature[32:], "little") + ED25519_ORDER
        return signature[:32] + s.to_bytes(32, "little")

    resign(draft, twin)


@breaks(2, "signatureMissing", 12)
def signed_by_another_machine(draft: Draft) -> None:
    draft.simulator.key_owner = GAUGE


@breaks(2, "envelopeMalformed", 12)
def envelope_is_no_envelope(draft: Draft) -> None:
    draft.simulator.envelope = b'{"payload":"","payload":""}'


@breaks(2, "statementMalformed", 12)
def payload_of_another_type(draft: Draft) -> None:
    draft.simulator.payload_type = "text/plain"


@breaks(2, "statementMalformed", 12)
def payload_is_no_statement(draft: Draft) -> None:
    draft.simulator.payload = b"{}"


@breaks(2, "envelopeMismatch", 12)
def signature_made_later(draft: Draft) -> None:
    draft.simulator.entry["envelope"] = envelope_digest(b"the envelope that was logged")


@breaks(2, "keyMissing", 23)
def public_key_not_shown(draft: Draft) -> None:
    draft.simulator.disclosed["key"] = None


@breaks(2, "keyUnregistered", 12)
def key_that_nobody_added(draft: Draft) -> None:
    draft.simulator.signer = Signer("stranger")


@breaks(2, "keyNotGood", 12)
def key_ended_before_the_beacon(draft: Draft) -> None:
    word(KEY, sim.key_word(1_000, BEGUN))(draft)


@breaks(2, "keyNotGood", 12)
def key_added_after_the_record(draft: Draft) -> None:
    word(KEY, sim.key_word(LOGGED + 1))(draft)


@breaks(2, "keyGoodPartly", 23)
def key_added_after_the_beacon(draft: Draft) -> None:
    word(KEY, sim.key_word(BEGUN + 1))(draft)


@breaks(2, "keyUnderNotice", 12)
def logged_at_the_notice(draft: Draft) -> None:
    word(KEY, sim.key_word(1_000, notice_at=LOGGED, suspected_from=LOGGED))(draft)


@breaks(2, "keyInDoubt", 23)
def logged_at_the_suspicion(draft: Draft) -> None:
    word(KEY, sim.key_word(1_000, notice_at=LOGGED + 1, suspected_from=LOGGED))(draft)


@breaks(2, "machineMismatch", 12)
def entry_of_another_machine(draft: Draft) -> None:
    machine = sim.identity("sister")
    draft.simulator.entry["machine"] = machine
    draft.simulator.key_owner = machine
    name = key_id(machine, draft.simulator.signer.public)
    word(storage.KEYS.at(name), sim.key_word(1_000))(draft)
