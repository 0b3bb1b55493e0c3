"""Receipts and account signatures: read as written, and proven only at their own place."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import coincurve
import pytest

from fakes.cases.receipts import RECEIPT, some
from guildmark.domain.builds.dsse import Envelope, envelope_digest
from guildmark.domain.builds.statement import PAYLOAD_TYPE, SubjectMismatchError
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.strictjson import parse_object
from guildmark.domain.errors import NotLoggedError
from guildmark.domain.identifiers import (
    ZERO32,
    Bytes32,
    Digest,
    Index,
    KeyId,
    LogNumber,
    Seq,
)
from guildmark.domain.identity.accounts import account_key, message_digest, verifier_of
from guildmark.domain.log.entry import EntryKind
from guildmark.domain.log.merkle import MerkleTree
from guildmark.domain.log.record import Record
from guildmark.domain.rights.release import (
    ReceiptElsewhereError,
    ReceiptProof,
    ReceiptTypeError,
    ReleaseReceipt,
    read_proof,
    receipt_in,
)
from guildmark.domain.signatures import (
    Algorithm,
    MalformedSignatureError,
    PublicKey,
    SignatureMismatchError,
    address_of,
)

SALT = some("entry")
SECRET = coincurve.PrivateKey(b"\x07" * 32)
ACCOUNT = address_of(
    PublicKey(algorithm=Algorithm.SECP256K1, data=SECRET.public_key.format(compressed=True))
)


def enveloped(payload: bytes, payload_type: str = PAYLOAD_TYPE) -> bytes:
    signers = {KeyId(some("key")): lambda _: b"signature"}
    return Envelope.sign(payload, payload_type=payload_type, signers=signers).encode()


def proof_of(receipt: ReleaseReceipt = RECEIPT) -> ReceiptProof:
    envelope = enveloped(receipt.encode())
    leaf = receipt.entry(envelope_digest(envelope)).leaf_data(SALT)
    tree = MerkleTree([some("before"), leaf, some("behind")])
    record = Record(
        log=LogNumber(3),
        seq=Seq(0),
        first_index=Index(0),
        count=3,
        time=1_700_000_100,
        parent=Bytes32(ZERO32),
        root=tree.root(),
    )
    return ReceiptProof(
        envelope=envelope, salt=SALT, record=record, position=1, path=tree.inclusion_path(1)
    )


def test_receipt_is_read_as_it_was_written() -> None:
    assert ReleaseReceipt.parse(RECEIPT.encode()) == RECEIPT
    assert receipt_in(enveloped(RECEIPT.encode())) == RECEIPT


def test_receipts_entry_is_of_its_own_kind() -> None:
    entry = RECEIPT.entry(Digest(some("envelope")))

    assert entry.kind is EntryKind.RECEIPT
    assert (entry.subject, entry.envelope) == (RECEIPT.subject, Digest(some("envelope")))
    assert (entry.machine, entry.maker) == (RECEIPT.machine, RECEIPT.maker)


def test_subject_that_is_not_the_requests_is_refused() -> None:
    document = dict(parse_object(RECEIPT.encode()))
    document["subject"] = [{"name": "release", "digest": {"sha256": some("other").hex()}}]

    with pytest.raises(SubjectMismatchError):
        ReleaseReceipt.parse(canonical(document))


def test_payload_of_another_type_is_no_receipt() -> None:
    with pytest.raises(ReceiptTypeError) as caught:
        receipt_in(enveloped(RECEIPT.encode(), "text/plain"))

    assert caught.value.code == "receipt.payloadType"


def test_proof_shows_its_receipt() -> None:
    assert proof_of().verify() == RECEIPT
    assert read_proof(proof_of().encode()) == proof_of()


def other_salt(proof: ReceiptProof) -> ReceiptProof:
    return replace(proof, salt=some("other"))


def other_position(proof: ReceiptProof) -> ReceiptProof:
    return replace(proof, position=0)


def other_path(proof: ReceiptProof) -> ReceiptProof:
    return replace(proof, path=proof.path[:-1])


def other_root(proof: ReceiptProof) -> ReceiptProof:
    return replace(proof, record=replace(proof.record, root=Digest(some("other"))))


def other_receipt(proof: ReceiptProof) -> ReceiptProof:
    return replace(proof, envelope=enveloped(replace(RECEIPT, files=3).encode()))


@pytest.mark.parametrize(
    "change", [other_salt, other_position, other_path, other_root, other_receipt]
)
def test_receipt_at_another_place_is_not_proven(
    change: Callable[[ReceiptProof], ReceiptProof],
) -> None:
    with pytest.raises(NotLoggedError):
        change(proof_of()).verify()


def test_receipt_in_another_log_is_not_proven() -> None:
    with pytest.raises(ReceiptElsewhereError) as caught:
        proof_of(replace(RECEIPT, log=LogNumber(4))).verify()

    assert caught.value.code == "receipt.otherLog"


def signed(message: bytes) -> bytes:
    found = SECRET.sign_recoverable(message_digest(message), hasher=None)
    return found[:64] + bytes([found[64] + 27])


def test_message_is_hashed_as_wallets_do() -> None:
    # keccak256("\x19Ethereum Signed Message:\n5hello"), as every wallet computes it.
    expected = "50b2c43fd39106bafbba0da34fc430e1f91e3c96ea2acee2bc34119f92b37750"

    assert message_digest(b"hello").hex() == expected


def test_account_signs_its_own_messages() -> None:
    verifier_of(ACCOUNT)(b"hello", signed(b"hello"))

    assert account_key(ACCOUNT) == bytes(12) + ACCOUNT


@pytest.mark.parametrize("message", [b"", b"hello "])
def test_other_message_is_not_signed(message: bytes) -> None:
    with pytest.raises(SignatureMismatchError):
        verifier_of(ACCOUNT)(message, signed(b"hello"))


def test_malleable_signature_is_refused() -> None:
    order = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
    good = signed(b"hello")
    twin = good[:32] + (order - int.from_bytes(good[32:64], "big")).to_bytes(32, "big")
    values: Any = bytes([55 - good[64]])

    with pytest.raises(MalformedSignatureError):
        verifier_of(ACCOUNT)(b"hello", twin + values)
