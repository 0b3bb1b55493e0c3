"""Hybrid keys: X-Wing as its draft writes it, and refused where either half is wrong."""

import dataclasses
import hashlib
import hmac
import pickle

import pytest
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from guildmark_ipfs.cid import Cid, Codec
from guildmark_ipfs.errors import BadKeyError, MalformedError, WrongKeyError
from guildmark_ipfs.hybrid import HYBRID_PUBLIC_SIZE, HybridPrivateKey, HybridPublicKey
from guildmark_ipfs.keys import ContentKey, PrivateKey, PublicKey
from guildmark_ipfs.wrap import WrapContext, unwrap, wrap
from ipfs.test_keys import LOW_ORDER, labeled_expand, labeled_extract

MLKEM_PUBLIC = 1184
ENCAPSULATED = 1088 + 32
SITE = HybridPrivateKey.from_bytes(b"s" * 32)
CONTEXT = WrapContext(
    chain_id=31337,
    license_id=b"l" * 32,
    recipient=b"r" * 32,
    cid=Cid.of(b"a file", Codec.RAW),
)
secrets = st.binary(min_size=32, max_size=32)


def test_a_seed_gives_the_public_key_of_the_drafts_first_vector() -> None:
    # draft-connolly-cfrg-xwing-kem, appendix C.
    seed = "7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26"
    beginning = "e2236b35a8c24b39b10aa1323a96a919a2ced88400633a7b07131713fc14b2b5b19cfc3d"

    public = bytes(HybridPrivateKey.from_bytes(bytes.fromhex(seed)).public_key())

    assert public.hex().startswith(beginning)
    assert len(public) == HYBRID_PUBLIC_SIZE == 1216


def open_by_the_drafts(seed: bytes, sealed: bytes, info: bytes) -> bytes:
    """Open as X-Wing's section 5 and RFC 9180, section 5.1, write it."""
    expanded = hashlib.shake_256(seed).digest(96)
    quantum = MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
    classical = X25519PrivateKey.from_private_bytes(expanded[64:])
    ciphertext, ephemeral = sealed[:1088], sealed[1088:ENCAPSULATED]
    shared = hashlib.sha3_256(
        quantum.decapsulate(ciphertext)
        + classical.exchange(X25519PublicKey.from_public_bytes(ephemeral))
        + ephemeral
        + classical.public_key().public_bytes_raw()
        + b"\\.//^\\"
    ).digest()
    suite = b"HPKE\x64\x7a\x00\x01\x00\x02"
    schedule = b"\x00" + b"".join(
        labeled_extract(suite, label, value)
        for label, value in ((b"psk_id_hash", b""), (b"info_hash", info))
    )
    secret = hmac.digest(shared, b"HPKE-v1" + suite + b"secret", "sha256")
    cipher = AESGCM(labeled_expand(suite, secret, b"key", schedule, 32))
    nonce = labeled_expand(suite, secret, b"base_nonce", schedule, 12)
    return cipher.decrypt(nonce, sealed[ENCAPSULATED:], None)


@given(secrets, st.binary(max_size=100), st.binary(max_size=20))
def test_sealing_is_x_wing_under_hpke_as_the_drafts_write_it(
    seed: bytes, plain: bytes, info: bytes
) -> None:
    sealed = HybridPrivateKey.from_bytes(seed).public_key().seal(plain, info=info)

    assert len(sealed) == len(plain) + HybridPublicKey.overhead
    assert open_by_the_drafts(seed, sealed, info) == plain
    assert HybridPrivateKey.from_bytes(seed).open(sealed, info=info) == plain


@pytest.mark.parametrize("at", [0, 500, 1087, 1088, 1119, 1120, 1151, 1167])
def test_a_changed_byte_in_any_part_does_not_open(at: int) -> None:
    sealed = bytearray(SITE.public_key().seal(bytes(32), info=b"i"))
    sealed[at] ^= 1

    with pytest.raises(WrongKeyError):
        SITE.open(bytes(sealed), info=b"i")


def test_another_key_or_purpose_does_not_open() -> None:
    sealed = SITE.public_key().seal(b"secret", info=b"i")

    with pytest.raises(WrongKeyError):
        HybridPrivateKey.generate().open(sealed, info=b"i")
    with pytest.raises(WrongKeyError):
        SITE.open(sealed, info=b"j")
    for cut in (b"", sealed[:-1], sealed[:1100]):
        with pytest.raises(WrongKeyError):
            SITE.open(cut, info=b"i")


@pytest.mark.parametrize("value", LOW_ORDER)
def test_a_low_order_half_is_refused(value: int) -> None:
    public = bytes(SITE.public_key())

    with pytest.raises(BadKeyError, match="low order"):
        HybridPublicKey(public[:MLKEM_PUBLIC] + value.to_bytes(32, "little"))


def test_an_x25519_half_in_another_form_is_refused() -> None:
    public = bytes(SITE.public_key())

    with pytest.raises(BadKeyError, match="canonical form"):
        HybridPublicKey(public[:MLKEM_PUBLIC] + b"\xff" * 32)


def test_an_ml_kem_half_with_a_coefficient_above_its_prime_is_refused() -> None:
    public = bytes(SITE.public_key())
    # The first twelve bits are 3329, the modulus (FIPS 203, section 7.2); 3328 is the largest.
    too_large = bytes([0x01, public[1] & 0xF0 | 0x0D]) + public[2:]
    largest = bytes([0x00, public[1] & 0xF0 | 0x0D]) + public[2:]

    with pytest.raises(BadKeyError, match="no ML-KEM-768 encapsulation key"):
        HybridPublicKey(too_large)
    assert HybridPublicKey(largest) != SITE.public_key()


@pytest.mark.parametrize("size", [0, 32, HYBRID_PUBLIC_SIZE - 1, HYBRID_PUBLIC_SIZE + 1])
def test_a_public_key_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(BadKeyError, match=f"not {size}"):
        HybridPublicKey(bytes(size))


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_seed_has_32_bytes(size: int) -> None:
    with pytest.raises(BadKeyError):
        HybridPrivateKey.from_bytes(bytes(size))


def test_keys_are_equal_by_their_bytes_and_show_no_secret() -> None:
    public = SITE.public_key()

    assert HybridPublicKey(bytes(public)) == public
    assert len({public, HybridPublicKey(bytes(public))}) == 1
    assert public != bytes(public)
    assert repr(SITE) == "HybridPrivateKey(secret=Secret(…))"
    assert repr(public).startswith("HybridPublicKey(sha256 ")
    with pytest.raises(TypeError):
        pickle.dumps(SITE)


def test_a_key_wrapped_for_a_hybrid_recipient_opens_in_its_context_only() -> None:
    key = ContentKey.generate()

    wrapped = wrap(key, SITE.public_key(), CONTEXT)

    assert len(wrapped) == 1 + 32 + HybridPublicKey.overhead
    assert wrapped[0] == 2
    assert unwrap(wrapped, SITE, CONTEXT) == key
    with pytest.raises(WrongKeyError):
        unwrap(wrapped, SITE, dataclasses.replace(CONTEXT, chain_id=1))
    with pytest.raises(WrongKeyError):
        unwrap(wrapped, HybridPrivateKey.generate(), CONTEXT)


def test_a_recipient_opens_nothing_of_another_suite() -> None:
    key, classical = ContentKey.generate(), PrivateKey.generate()
    of_one, of_two = (
        wrap(key, classical.public_key(), CONTEXT),
        wrap(key, SITE.public_key(), CONTEXT),
    )

    with pytest.raises(MalformedError, match="has 1169 bytes, the first 2"):
        unwrap(of_one, SITE, CONTEXT)
    with pytest.raises(MalformedError, match="has 81 bytes, the first 1"):
        unwrap(of_two, classical, CONTEXT)
    with pytest.raises(MalformedError):
        unwrap(b"\x01" + of_two[1:], SITE, CONTEXT)


def test_half_of_a_hybrid_key_alone_opens_nothing() -> None:
    sealed = SITE.public_key().seal(b"secret", info=b"i")
    half = hashlib.shake_256(b"s" * 32).digest(96)[64:]

    assert bytes(PrivateKey.from_bytes(half).public_key()) == bytes(SITE.public_key())[-32:]
    with pytest.raises(WrongKeyError):
        PrivateKey.from_bytes(half).open(sealed[1088:], info=b"i")
    assert PublicKey(bytes(SITE.public_key())[-32:]).suite == 1
