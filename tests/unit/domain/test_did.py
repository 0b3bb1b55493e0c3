"""DIDs: how hosts, identities, accounts and keys are written for other systems of identity."""

from base64 import urlsafe_b64decode
from urllib.parse import unquote

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from guildmark.domain.identifiers import Address, ChainId, IdentityId
from guildmark.domain.identity.did import (
    account_did,
    checksummed,
    escaped,
    host_did,
    identity_did,
    jwk,
)
from guildmark.domain.signatures import Algorithm, PublicKey


@pytest.mark.parametrize(
    ("host", "did"),
    [
        ("parts.example", "did:web:parts.example"),
        ("parts.example:8480", "did:web:parts.example%3A8480"),
        ("[::1]:8480", "did:web:%5B%3A%3A1%5D%3A8480"),
    ],
)
def test_a_host_has_a_did(host: str, did: str) -> None:
    assert host_did(host) == did


def test_an_identity_stands_below_its_host() -> None:
    found = identity_did("parts.example:1", IdentityId(bytes(31) + b"\x0a"))

    assert found == "did:web:parts.example%3A1:orgs:0x" + "0" * 63 + "a"


# The examples of ERC-55.
@pytest.mark.parametrize(
    "address",
    [
        "0x52908400098527886E0F7030069857D2E4169EE7",
        "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
        "0xde709f2102306220921060314715629080e2fb77",
        "0x27b1fdb04752bbc536007a920d24acb045561c26",
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ],
)
def test_an_address_is_checksummed(address: str) -> None:
    assert checksummed(Address(bytes.fromhex(address[2:]))) == address


def test_an_account_has_a_did() -> None:
    account = Address(bytes.fromhex("5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"))

    did = account_did(ChainId(31_337), account)

    assert did == "did:pkh:eip155:31337:0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"


def number(text: str) -> int:
    return int.from_bytes(urlsafe_b64decode(text + "=="), "big")


@pytest.mark.parametrize(
    ("algorithm", "curve", "name"),
    [
        (Algorithm.SECP256K1, ec.SECP256K1(), "secp256k1"),
        (Algorithm.P256, ec.SECP256R1(), "P-256"),
    ],
)
@pytest.mark.parametrize("secret", [1, 2, 3, 77, 2**200 + 5])
def test_a_point_is_written_with_both_coordinates(
    algorithm: Algorithm, curve: ec.EllipticCurve, name: str, secret: int
) -> None:
    public = ec.derive_private_key(secret, curve).public_key()
    data = public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)

    written = jwk(PublicKey(algorithm=algorithm, data=data))

    point = public.public_numbers()
    assert (written["kty"], written["crv"]) == ("EC", name)
    assert (number(written["x"]), number(written["y"])) == (point.x, point.y)
    assert [len(written[axis]) for axis in "xy"] == [43, 43]


def test_an_edwards_key_is_written_as_it_is() -> None:
    data = ed25519.Ed25519PrivateKey.from_private_bytes(b"\x07" * 32).public_key()
    raw = data.public_bytes_raw()

    written = jwk(PublicKey(algorithm=Algorithm.ED25519, data=raw))

    assert (written["kty"], written["crv"]) == ("OKP", "Ed25519")
    assert urlsafe_b64decode(written["x"] + "=") == raw


@given(st.text(st.characters(codec="utf-8"), max_size=40))
def test_what_is_escaped_is_plain_and_read_back(text: str) -> None:
    written = escaped(text)

    assert unquote(written) == text
    assert set(written) <= set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%"
    )
