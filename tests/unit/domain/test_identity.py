"""Ids of identities, keys and claims against eth_abi; salted digests."""

import hashlib

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.identifiers import Address, Bytes32, ChainId, IdentityId
from guildmark.domain.identity import identity as idy
from guildmark.domain.signatures import PublicKey
from unit.domain.test_signatures import ed, p256, secp256k1

WORDS = st.binary(min_size=32, max_size=32)
SALT = Bytes32(b"\x5a" * 32)


@given(st.integers(1, 2**64), WORDS)
def test_identity_id_binds_chain_registry_controller_and_salt(chain_id: int, salt: bytes) -> None:
    ours = idy.identity_id(
        chain_id=ChainId(chain_id),
        registry=Address(b"\x01" * 20),
        controller=Address(b"\x02" * 20),
        salt=Bytes32(salt),
    )

    theirs = encode(
        ["bytes32", "uint256", "address", "address", "bytes32"],
        [keccak256(b"guildmark/identity/v1"), chain_id, b"\x01" * 20, b"\x02" * 20, salt],
    )
    assert bytes(ours) == keccak256(theirs)


@pytest.mark.parametrize("key", [secp256k1()[0], p256()[0], ed()[0]])
def test_key_id_binds_machine_algorithm_and_key(key: PublicKey) -> None:
    machine = IdentityId(b"\x03" * 32)

    theirs = encode(
        ["bytes32", "bytes32", "uint8", "bytes"],
        [keccak256(b"guildmark/key/v1"), machine, int(key.algorithm), key.data],
    )
    assert bytes(idy.key_id(machine, key)) == keccak256(theirs)


@given(st.text("ABCXYZ", min_size=1, max_size=32), st.text(max_size=20), WORDS)
def test_claim_id_binds_issuer_subject_scheme_and_salted_value(
    scheme: str, value: str, salt: bytes
) -> None:
    issuer, subject = IdentityId(b"\x04" * 32), IdentityId(b"\x05" * 32)
    document = idy.ClaimDocument(scheme=scheme, value=value, salt=Bytes32(salt))

    opened = b"guildmark/claim/v1" + salt + scheme.encode() + b"\0" + value.encode()
    digest = hashlib.sha256(opened).digest()
    theirs = encode(
        ["bytes32"] * 5,
        [keccak256(b"guildmark/claim/v1"), issuer, subject, scheme.encode(), digest],
    )
    assert document.digest() == digest
    assert bytes(document.claim_id(issuer=issuer, subject=subject)) == keccak256(theirs)


@pytest.mark.parametrize("scheme", ["", "A" * 33, "LEÏ", "L\0", "L\n"])
def test_schemes_without_a_form_on_chain_are_refused(scheme: str) -> None:
    with pytest.raises(idy.MalformedSchemeError) as caught:
        idy.scheme_bytes(scheme)

    assert caught.value.detail == {"scheme": scheme[:40]}


def test_longest_scheme_fits() -> None:
    assert idy.scheme_bytes("A" * 32) == b"A" * 32
    assert idy.scheme_bytes("LEI") == b"LEI" + bytes(29)


def test_profile_digest_is_salted_and_independent_of_the_order_of_members() -> None:
    one = idy.profile_digest({"name": "Nordic Tools", "country": "NO"}, SALT)

    text = b'{"country":"NO","name":"Nordic Tools"}'
    assert one == hashlib.sha256(b"guildmark/profile/v1" + SALT + text).digest()
    assert one == idy.profile_digest({"country": "NO", "name": "Nordic Tools"}, SALT)
    assert one != idy.profile_digest({"country": "NO", "name": "Nordic Tools"}, Bytes32(bytes(32)))


@pytest.mark.parametrize(
    "name", ["S", "Oficina Mondego, Coimbra", "Śląsk 3D", "東京工房", "n" * 200]
)
def test_name_that_people_can_read_is_taken(name: str) -> None:
    assert idy.is_readable_name(name)
    idy.check_profile_name({"name": name})
    idy.check_profile_name({})


@pytest.mark.parametrize(
    "name",
    [
        "",
        " S",
        "S  T",
        "S\u00a0T",
        "n" * 201,
        "Cafe\u0301",
        "Volta\u202eskroW",
        "Vol\u200bta",
        "Volta\nWorks",
        "Volta\u0000",
        "\ue000",
    ],
)
def test_name_that_looks_like_another_text_is_refused(name: str) -> None:
    assert not idy.is_readable_name(name)
    with pytest.raises(idy.MalformedNameError) as caught:
        idy.check_profile_name({"name": name})
    assert caught.value.message.isascii()


def test_name_that_is_no_text_is_refused() -> None:
    with pytest.raises(idy.MalformedNameError):
        idy.check_profile_name({"name": 7})
