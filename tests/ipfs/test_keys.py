"""Keys: sizes, forms, low order, and that none shows itself."""

import dataclasses
import hmac
import json
import pickle

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from guildmark_ipfs.errors import BadKeyError, WrongKeyError
from guildmark_ipfs.keys import SEAL_OVERHEAD, ContentKey, PrivateKey, PublicKey

PRIME = 2**255 - 19
# The x-coordinates of points of order 1, 2, 4 and 8 on the curve and its twist (RFC 7748,
# section 6.1 asks for the check; the two of order 8 solve its equation).
ORDER_8 = (
    325606250916557431795983626356110631294008115727848805560023387167927233504,
    39382357235489614581723060781553021112529911719440698176882885853963445705823,
)
LOW_ORDER = (0, 1, *ORDER_8, PRIME - 1)

secrets = st.binary(min_size=32, max_size=32)
Secret = type[ContentKey] | type[PrivateKey]


@pytest.mark.parametrize("kind", [ContentKey, PrivateKey])
@given(secrets)
def test_no_text_form_shows_a_secret(kind: Secret, secret: bytes) -> None:
    key = kind.from_bytes(secret)

    for text in (repr(key), str(key), f"{key}", f"{[key]!r}"):
        assert text.strip("[]") == f"{kind.__name__}(secret=Secret(…))"
    assert key.secret.expose() == secret


@pytest.mark.parametrize("kind", [ContentKey, PrivateKey])
def test_a_secret_is_neither_pickled_nor_serialised(kind: Secret) -> None:
    key = kind.from_bytes(bytes(32))

    with pytest.raises(TypeError, match="neither copied nor pickled"):
        pickle.dumps(key)
    with pytest.raises(TypeError, match="neither copied nor pickled"):
        dataclasses.asdict(key)
    with pytest.raises(TypeError):
        json.dumps(key)
    with pytest.raises(TypeError):
        vars(key)


@pytest.mark.parametrize("kind", [ContentKey, PrivateKey])
@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_secret_has_32_bytes(kind: Secret, size: int) -> None:
    with pytest.raises(BadKeyError, match=f"this one has {size}"):
        kind.from_bytes(bytes(size))


def test_secrets_are_equal_by_kind_and_bytes() -> None:
    key = ContentKey.from_bytes(bytes(32))
    others: list[object] = [
        ContentKey.from_bytes(bytes(31) + b"x"),
        PrivateKey.from_bytes(bytes(32)),
        key.secret,
        bytes(32),
    ]

    assert key == ContentKey.from_bytes(bytes(32))
    assert hash(key) == hash(ContentKey.from_bytes(bytes(32)))
    assert all(key != other for other in others)
    assert all(key.secret != other for other in (bytes(32), None))


def test_a_generated_key_takes_what_the_entropy_gives() -> None:
    assert ContentKey.generate(lambda size: b"e" * size).secret.expose() == b"e" * 32
    assert PrivateKey.generate(lambda size: b"e" * size).secret.expose() == b"e" * 32
    assert ContentKey.generate() != ContentKey.generate()


@given(secrets)
def test_a_public_key_reads_back(secret: bytes) -> None:
    public = PrivateKey.from_bytes(secret).public_key()

    assert PublicKey(bytes(public)) == public
    assert hash(PublicKey(bytes(public))) == hash(public)
    assert repr(public) == f"PublicKey({bytes(public).hex()})"
    assert public != bytes(public)


def test_the_public_half_is_that_of_rfc_7748() -> None:
    # RFC 7748, section 6.1: Alice's pair.
    alice = PrivateKey.from_bytes(
        bytes.fromhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
    )

    assert bytes(alice.public_key()).hex() == (
        "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"
    )


@pytest.mark.parametrize("value", LOW_ORDER)
def test_a_public_key_of_low_order_is_refused(value: int) -> None:
    with pytest.raises(BadKeyError, match="low order"):
        PublicKey(value.to_bytes(32, "little"))


# Other bytes of the same points: plus the prime, or with the bit that X25519 ignores.
@pytest.mark.parametrize("value", [PRIME, PRIME + 1, PRIME + 9, 2**255, 2**255 + 9, 2**256 - 1])
def test_a_public_key_has_one_form(value: int) -> None:
    with pytest.raises(BadKeyError, match="canonical"):
        PublicKey(value.to_bytes(32, "little"))


@pytest.mark.parametrize("size", [0, 31, 33, 65])
def test_a_public_key_has_32_bytes(size: int) -> None:
    with pytest.raises(BadKeyError, match="canonical"):
        PublicKey(b"\x09" + bytes(size - 1) if size else b"")


@given(secrets, st.binary(max_size=100), st.binary(max_size=20))
def test_what_is_sealed_opens(secret: bytes, plaintext: bytes, info: bytes) -> None:
    private = PrivateKey.from_bytes(secret)

    sealed = private.public_key().seal(plaintext, info=info)

    assert len(sealed) == len(plaintext) + SEAL_OVERHEAD
    assert private.open(sealed, info=info) == plaintext
    with pytest.raises(WrongKeyError):
        private.open(sealed, info=info + b"x")
    with pytest.raises(WrongKeyError):
        PrivateKey.from_bytes(bytes([secret[0] ^ 8]) + secret[1:]).open(sealed, info=info)


@given(st.integers(0, 79), st.integers(1, 255))
def test_a_changed_byte_does_not_open(at: int, flip: int) -> None:
    private = PrivateKey.from_bytes(b"s" * 32)
    sealed = bytearray(private.public_key().seal(bytes(32), info=b"i"))
    sealed[at] ^= flip

    with pytest.raises(WrongKeyError):
        private.open(bytes(sealed), info=b"i")


def test_a_flipped_bit_that_x25519_ignores_does_not_open() -> None:
    private = PrivateKey.from_bytes(b"s" * 32)
    sealed = bytearray(private.public_key().seal(bytes(32), info=b"i"))
    sealed[31] ^= 0x80

    with pytest.raises(WrongKeyError):
        private.open(bytes(sealed), info=b"i")


def labeled_extract(suite: bytes, label: bytes, secret: bytes) -> bytes:
    return hmac.digest(b"", b"HPKE-v1" + suite + label + secret, "sha256")


def labeled_expand(suite: bytes, key: bytes, label: bytes, info: bytes, size: int) -> bytes:
    message = size.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return hmac.digest(key, message + b"\x01", "sha256")[:size]


def open_by_rfc_9180(private: bytes, sealed: bytes, info: bytes) -> bytes:
    """Open base mode as RFC 9180, sections 4.1, 5.1 and 5.2, writes it."""
    kem, suite = b"KEM\x00\x20", b"HPKE\x00\x20\x00\x01\x00\x02"
    key = X25519PrivateKey.from_private_bytes(private)
    encapsulated = sealed[:32]
    exchanged = key.exchange(X25519PublicKey.from_public_bytes(encapsulated))
    context = encapsulated + key.public_key().public_bytes_raw()
    extracted = labeled_extract(kem, b"eae_prk", exchanged)
    shared = labeled_expand(kem, extracted, b"shared_secret", context, 32)
    schedule = b"\x00" + b"".join(
        labeled_extract(suite, label, value)
        for label, value in ((b"psk_id_hash", b""), (b"info_hash", info))
    )
    # Extract with the shared secret as salt and an empty pre-shared key.
    secret = hmac.digest(shared, b"HPKE-v1" + suite + b"secret", "sha256")
    cipher = AESGCM(labeled_expand(suite, secret, b"key", schedule, 32))
    nonce = labeled_expand(suite, secret, b"base_nonce", schedule, 12)
    return cipher.decrypt(nonce, sealed[32:], None)


@given(secrets, st.binary(max_size=100), st.binary(max_size=20))
def test_sealing_is_hpke_as_the_rfc_writes_it(secret: bytes, plain: bytes, info: bytes) -> None:
    sealed = PrivateKey.from_bytes(secret).public_key().seal(plain, info=info)

    assert open_by_rfc_9180(secret, sealed, info) == plain


def test_a_private_key_is_exported_under_a_password_only() -> None:
    private = PrivateKey.generate()

    pem = private.export_pem(b"correct")

    assert pem.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert PrivateKey.import_pem(pem, b"correct") == private
    with pytest.raises(BadKeyError, match="only exported under a password"):
        private.export_pem(b"")


def test_a_wrong_password_is_told_from_a_key_of_another_kind() -> None:
    pem = PrivateKey.generate().export_pem(b"correct")
    other = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"correct"),
    )
    bare = X25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )

    with pytest.raises(WrongKeyError, match="password"):
        PrivateKey.import_pem(pem, b"wrong")
    with pytest.raises(WrongKeyError, match="damaged"):
        PrivateKey.import_pem(b"no pem", b"correct")
    with pytest.raises(BadKeyError, match="no X25519 key"):
        PrivateKey.import_pem(other, b"correct")
    with pytest.raises(BadKeyError, match="not encrypted"):
        PrivateKey.import_pem(bare, b"correct")
