"""Signatures of each algorithm, and every malleable twin of one."""

import coincurve
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from guildmark.domain import signatures as sig
from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.identifiers import Digest

SECRET = bytes(range(1, 33))
P = sig.ED25519_PRIME


def compact(der: bytes) -> bytes:
    r, s = decode_dss_signature(der)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def secp256k1() -> tuple[sig.PublicKey, coincurve.PrivateKey]:
    secret = coincurve.PrivateKey(SECRET)
    data = secret.public_key.format(compressed=True)
    return sig.PublicKey(algorithm=sig.Algorithm.SECP256K1, data=data), secret


def p256() -> tuple[sig.PublicKey, ec.EllipticCurvePrivateKey]:
    secret = ec.derive_private_key(int.from_bytes(SECRET, "big"), ec.SECP256R1())
    data = secret.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    return sig.PublicKey(algorithm=sig.Algorithm.P256, data=data), secret


def ed() -> tuple[sig.PublicKey, ed25519.Ed25519PrivateKey]:
    secret = ed25519.Ed25519PrivateKey.from_private_bytes(SECRET)
    data = secret.public_key().public_bytes_raw()
    return sig.PublicKey(algorithm=sig.Algorithm.ED25519, data=data), secret


def signed(algorithm: sig.Algorithm, message: bytes) -> tuple[sig.PublicKey, bytes, int]:
    """A key, its signature of ``message``, and the order of its curve (0: no ECDSA)."""
    if algorithm is sig.Algorithm.SECP256K1:
        key, secret = secp256k1()
        return key, compact(secret.sign(message)), sig.SECP256K1_ORDER
    if algorithm is sig.Algorithm.P256:
        key, other = p256()
        raw = compact(other.sign(message, ec.ECDSA(hashes.SHA256())))
        return key, sig.low_s(raw, sig.P256_ORDER), sig.P256_ORDER
    key, third = ed()
    return key, third.sign(message), 0


@given(st.sampled_from(sig.Algorithm), st.binary(max_size=99), st.binary(min_size=1, max_size=9))
def test_a_signature_holds_for_its_key_and_message_only(
    algorithm: sig.Algorithm, message: bytes, more: bytes
) -> None:
    key, signature, _ = signed(algorithm, message)

    key.verify(message, signature)
    with pytest.raises(sig.SignatureMismatchError):
        key.verify(message + more, signature)


@given(st.sampled_from([sig.Algorithm.SECP256K1, sig.Algorithm.P256]), st.binary(max_size=32))
def test_the_high_twin_of_a_signature_is_refused(algorithm: sig.Algorithm, message: bytes) -> None:
    key, signature, order = signed(algorithm, message)
    high = signature[:32] + (order - int.from_bytes(signature[32:], "big")).to_bytes(32, "big")

    with pytest.raises(sig.MalformedSignatureError):
        key.verify(message, high)
    assert sig.low_s(high, order) == sig.low_s(signature, order) == signature


@pytest.mark.parametrize("algorithm", list(sig.Algorithm))
@pytest.mark.parametrize("size", [0, 63, 65, 70])
def test_signatures_of_another_length_are_refused(algorithm: sig.Algorithm, size: int) -> None:
    key, signature, _ = signed(algorithm, b"m")

    with pytest.raises(sig.MalformedSignatureError):
        key.verify(b"m", (signature * 2)[:size])


@pytest.mark.parametrize("algorithm", [sig.Algorithm.SECP256K1, sig.Algorithm.P256])
@pytest.mark.parametrize("part", ["r0", "s0", "r=order"])
def test_signatures_outside_the_order_are_refused(algorithm: sig.Algorithm, part: str) -> None:
    key, signature, order = signed(algorithm, b"m")
    forged = {
        "r0": bytes(32) + signature[32:],
        "s0": signature[:32] + bytes(32),
        "r=order": order.to_bytes(32, "big") + signature[32:],
    }[part]

    with pytest.raises(sig.MalformedSignatureError):
        key.verify(b"m", forged)


def test_keys_of_one_machine_do_not_stand_in_for_another() -> None:
    _, signature, _ = signed(sig.Algorithm.SECP256K1, b"m")
    stranger = coincurve.PrivateKey(b"\x07" * 32).public_key.format()

    with pytest.raises(sig.SignatureMismatchError) as caught:
        sig.PublicKey(algorithm=sig.Algorithm.SECP256K1, data=stranger).verify(b"m", signature)

    assert caught.value.detail == {"publicKey": "0x" + stranger.hex()}


@pytest.mark.parametrize(
    ("algorithm", "data"),
    [
        (sig.Algorithm.SECP256K1, b""),
        (sig.Algorithm.SECP256K1, secp256k1()[1].public_key.format(compressed=False)),
        (sig.Algorithm.SECP256K1, b"\x05" + bytes(31) + b"\x01"),
        (sig.Algorithm.SECP256K1, b"\x02" + b"\xff" * 32),
        (sig.Algorithm.P256, b"\x00"),
        (sig.Algorithm.P256, b"\x02" + b"\xff" * 32),
        (sig.Algorithm.P256, b"\x04" + p256()[0].data[1:]),
        (sig.Algorithm.ED25519, b""),
        (sig.Algorithm.ED25519, b"\x09" * 31),
        (sig.Algorithm.ED25519, b"\x09" * 33),
    ],
)
def test_bytes_that_are_no_key_are_refused(algorithm: sig.Algorithm, data: bytes) -> None:
    with pytest.raises(sig.MalformedKeyError):
        sig.PublicKey(algorithm=algorithm, data=data)


def edwards_add(one: tuple[int, int], two: tuple[int, int]) -> tuple[int, int]:
    """RFC 8032, 5.1.4, in plain coordinates."""
    d = -121665 * pow(121666, -1, P) % P
    (x1, y1), (x2, y2) = one, two
    k = d * x1 * x2 * y1 * y2
    x = (x1 * y2 + x2 * y1) * pow(1 + k, -1, P)
    y = (y1 * y2 + x1 * x2) * pow(1 - k, -1, P)
    return x % P, y % P


def test_ed25519_points_of_small_order_are_no_keys() -> None:
    d = -121665 * pow(121666, -1, P) % P
    for y in sig._ED25519_SMALL_ORDER_Y:
        square = (y * y - 1) * pow(d * y * y + 1, -1, P) % P
        root = pow(square, (P + 3) // 8, P)
        x = root if root * root % P == square else root * pow(2, (P - 1) // 4, P) % P
        point = (x, y)
        assert x * x % P == square
        for _ in range(3):
            point = edwards_add(point, point)
        assert point == (0, 1)
        for sign in (0, 1 << 255):
            with pytest.raises(sig.MalformedKeyError):
                sig.PublicKey(
                    algorithm=sig.Algorithm.ED25519, data=(y | sign).to_bytes(32, "little")
                )


@pytest.mark.parametrize("y", [P, P + 1, 2**255 - 1])
def test_ed25519_keys_have_one_encoding(y: int) -> None:
    with pytest.raises(sig.MalformedKeyError):
        sig.PublicKey(algorithm=sig.Algorithm.ED25519, data=y.to_bytes(32, "little"))


@given(st.binary(min_size=32, max_size=32))
def test_the_signing_account_is_recovered(digest: bytes) -> None:
    account = Account.from_key(SECRET)
    signature = bytes(account.unsafe_sign_hash(digest).signature)
    key, _ = secp256k1()

    recovered = sig.recover_address(Digest(digest), signature)

    assert recovered == sig.address_of(key) == bytes.fromhex(account.address[2:])


def test_recoverable_signatures_have_one_form() -> None:
    digest = keccak256(b"terms")
    good = bytes(Account.from_key(SECRET).unsafe_sign_hash(digest).signature)
    r, s, v = good[:32], int.from_bytes(good[32:64], "big"), good[64]
    twin = (sig.SECP256K1_ORDER - s).to_bytes(32, "big")
    compact_form = r + (s | (v - 27) << 255).to_bytes(32, "big")

    for other in (
        r + twin + bytes((v ^ 7,)),
        good[:64] + bytes((v - 27,)),
        good[:64],
        compact_form,
        good + b"\0",
        b"",
    ):
        with pytest.raises(sig.MalformedSignatureError):
            sig.recover_address(digest, other)


def test_a_recoverable_signature_of_no_key_is_refused() -> None:
    # No point of the curve has x = 5.
    forged = (5).to_bytes(32, "big") + (1).to_bytes(32, "big") + b"\x1b"

    with pytest.raises(sig.MalformedSignatureError, match="no key"):
        sig.recover_address(keccak256(b"terms"), forged)


def test_only_secp256k1_keys_have_an_account() -> None:
    with pytest.raises(sig.MalformedKeyError) as caught:
        sig.address_of(p256()[0])

    assert caught.value.detail == {"algorithm": "P256"}


def test_low_s_of_no_signature_is_refused() -> None:
    with pytest.raises(sig.MalformedSignatureError):
        sig.low_s(bytes(63), sig.P256_ORDER)
