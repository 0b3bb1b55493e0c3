"""What a device signs is normalised, checked, and never handed out where it is not the key's."""

from collections.abc import Callable

import coincurve
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from guildmark.adapters.keys.signer import device_signer
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Digest
from guildmark.domain.signatures import (
    P256_ORDER,
    SECP256K1_ORDER,
    Algorithm,
    MalformedSignatureError,
    SignatureMismatchError,
    address_of,
    recover_address,
)
from guildmark.domain.signatures import PublicKey as SigningKey
from guildmark.ports.keys import KeyAlgorithm, KeyPurposeError, PublicKey

ACCOUNT = coincurve.PrivateKey(sha256(b"account"))
MACHINE = ec.derive_private_key(0x1234_5678_9ABC, ec.SECP256R1())
OF_ACCOUNT = PublicKey(algorithm=KeyAlgorithm.SECP256K1, value=ACCOUNT.public_key.format())
OF_MACHINE = PublicKey(
    algorithm=KeyAlgorithm.P256,
    value=MACHINE.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint),
)

Sign = Callable[[bytes], bytes]


def account(digest: bytes) -> bytes:
    return ACCOUNT.sign_recoverable(digest, hasher=None)[:64]


def machine(digest: bytes) -> bytes:
    r, s = decode_dss_signature(MACHINE.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256()))))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def high(sign: Sign, order: int) -> Sign:
    """Return a device that always gives the greater of the two."""

    def sign_high(digest: bytes) -> bytes:
        signature = sign(digest)
        s = int.from_bytes(signature[32:], "big")
        return signature[:32] + max(s, order - s).to_bytes(32, "big")

    return sign_high


@given(st.binary(max_size=40))
def test_a_high_s_becomes_a_low_one(payload: bytes) -> None:
    signed = device_signer(OF_MACHINE, high(machine, P256_ORDER)).sign_payload(payload)

    SigningKey(algorithm=Algorithm.P256, data=OF_MACHINE.value).verify(payload, signed)


@given(st.binary(min_size=32, max_size=32))
def test_an_account_is_recovered_from_either_s(digest: bytes) -> None:
    own = address_of(SigningKey(algorithm=Algorithm.SECP256K1, data=OF_ACCOUNT.value))

    for sign in (account, high(account, SECP256K1_ORDER)):
        signed = device_signer(OF_ACCOUNT, sign).sign_digest(digest)
        assert recover_address(Digest(digest), signed) == own


def test_a_machine_s_key_has_no_account() -> None:
    with pytest.raises(KeyPurposeError):
        device_signer(OF_MACHINE, machine).sign_digest(bytes(32))


def test_a_signature_of_another_key_is_not_handed_out() -> None:
    other = coincurve.PrivateKey(sha256(b"other"))

    def sign(digest: bytes) -> bytes:
        return other.sign_recoverable(digest, hasher=None)[:64]

    signer = device_signer(OF_ACCOUNT, sign)
    with pytest.raises(SignatureMismatchError):
        signer.sign_payload(b"payload")
    with pytest.raises(SignatureMismatchError):
        signer.sign_digest(bytes(32))


@pytest.mark.parametrize("given", [b"", bytes(63), bytes(65)])
def test_what_is_no_signature_is_not_handed_out(given: bytes) -> None:
    signer = device_signer(OF_ACCOUNT, lambda _: given)

    with pytest.raises(MalformedSignatureError):
        signer.sign_payload(b"payload")
    with pytest.raises(MalformedSignatureError):
        signer.sign_digest(bytes(32))


def test_a_signature_that_belongs_to_no_key_is_not_handed_out() -> None:
    # No point of the curve has x = 5.
    forged = (5).to_bytes(32, "big") + (1).to_bytes(32, "big")

    with pytest.raises(SignatureMismatchError):
        device_signer(OF_ACCOUNT, lambda _: forged).sign_digest(bytes(32))
