"""An auditor's envelope is read and verified by securesystemslib, and by nothing of our own."""

import json
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from securesystemslib.dsse import Envelope as PeerEnvelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer._key import SSlibKey

from guildmark.domain.audit.attestation import PREDICATE_TYPE, NamedFile, attested
from guildmark.domain.encoding.strictjson import JsonObject
from guildmark.domain.identifiers import Digest

KEY = Ed25519PrivateKey.from_private_bytes(bytes([7]) * 32)
PUBLIC = KEY.public_key().public_bytes_raw()
FILE = NamedFile(name="report.json", digest=Digest(sha256(b"{}").digest()))
SUMMARY: JsonObject = {"format": "guildmark/audit/v1", "exit": 0}


def envelope() -> PeerEnvelope:
    made = attested([FILE], SUMMARY, public_key=PUBLIC, sign=KEY.sign)
    return PeerEnvelope.from_dict(json.loads(made))


def peer_key(key: Ed25519PrivateKey) -> SSlibKey:
    """Return a key as the other implementation has it, under the id that the envelope names."""
    raw = key.public_key().public_bytes_raw()
    return SSlibKey.from_crypto(key.public_key(), "0x" + sha256(raw).hexdigest())


def test_the_auditors_key_verifies() -> None:
    key = peer_key(KEY)

    assert envelope().verify([key], 1) == {key.keyid: key}


def test_another_key_does_not() -> None:
    other = peer_key(Ed25519PrivateKey.from_private_bytes(bytes([8]) * 32))

    with pytest.raises(VerificationError):
        envelope().verify([other], 1)


def test_a_changed_word_does_not() -> None:
    changed = envelope()
    changed.payload = changed.payload.replace(b'"exit":0', b'"exit":1')

    with pytest.raises(VerificationError):
        changed.verify([peer_key(KEY)], 1)


def test_it_is_an_in_toto_statement_about_the_files() -> None:
    made = envelope()

    assert made.payload_type == "application/vnd.in-toto+json"
    assert json.loads(made.payload) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "report.json", "digest": {"sha256": FILE.digest.hex()}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": SUMMARY,
    }
