"""The shared vectors: as fresh as the code, and recomputed here without it."""

import hashlib
import json
import runpy
from pathlib import Path
from typing import Any

import pytest
from Crypto.Hash import keccak
from eth_abi.abi import encode

from guildmark.domain.log import merkle

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "scripts" / "make_vectors.py"
RECORD = "(uint40,uint40,uint64,uint40,uint40,bytes32,bytes32,(uint40,uint40,uint40)[])"
ENTRY = ["bytes32", "bytes32", "uint8", *["bytes32"] * 6, "uint64"]


def cases(name: str) -> list[Any]:
    document = json.loads((ROOT / "tests" / "vectors" / f"{name}.json").read_text())
    found: list[Any] = document["cases"]
    return found


def raw(value: Any) -> Any:
    """Bytes for 0x-hex, numbers for decimal strings."""
    if isinstance(value, str) and value.startswith("0x"):
        return bytes.fromhex(value[2:])
    return int(value)


def keccak256(data: bytes) -> bytes:
    return keccak.new(digest_bits=256, data=data).digest()


def test_files_are_what_the_script_writes() -> None:
    documents = runpy.run_path(str(SCRIPT))["documents"]()

    written = {path.stem for path in (ROOT / "tests" / "vectors").glob("*.json")}
    for name, document in documents.items():
        assert cases(name) == document["cases"], name
    assert written >= set(documents)


@pytest.mark.parametrize("case", cases("entry"))
def test_entries_have_the_layout_that_they_describe(case: Any) -> None:
    domain = keccak256(b"guildmark/entry/v1")
    values = [raw(value) for value in case["entry"].values()]

    encoded = encode(ENTRY, [domain, raw(case["salt"]), *values])

    leaf = hashlib.sha256(encoded).digest()
    assert encoded[64:] == raw(case["encoded"])
    assert leaf == raw(case["leafData"])
    assert hashlib.sha256(b"\0" + leaf).digest() == raw(case["leafHash"])


@pytest.mark.parametrize("case", cases("record"))
def test_records_have_the_layout_that_they_describe(case: Any) -> None:
    *fields, grants = case["record"].values()
    values = [raw(value) for value in fields]

    encoded = encode([RECORD], [(*values, [tuple(grant.values()) for grant in grants])])

    assert encoded == raw(case["encoded"])
    assert keccak256(encoded) == raw(case["digest"])


@pytest.mark.parametrize("case", cases("tree"), ids=lambda case: str(case["count"]))
def test_proofs_of_the_trees_hold(case: Any) -> None:
    count, root = case["count"], raw(case["root"])

    for one in case["paths"]:
        merkle.verify_inclusion(
            data=raw(one["leafData"]),
            index=one["index"],
            count=count,
            path=[raw(value) for value in one["path"]],
            root=root,
        )
        assert len(one["path"]) <= 20
    for one in case["consistency"]:
        merkle.verify_consistency(
            old=one["old"],
            new=count,
            proof=[raw(value) for value in one["proof"]],
            old_root=raw(one["oldRoot"]),
            new_root=root,
        )
    for one in case["multiproofs"]:
        leaves = {
            index: hashlib.sha256(index.to_bytes(8, "big")).digest() for index in one["indices"]
        }
        proof = [raw(value) for value in one["proof"]]
        merkle.verify_multiproof(leaves=leaves, count=count, proof=proof, root=root)


@pytest.mark.parametrize("case", cases("revision"))
def test_revisions_have_the_layout_that_they_describe(case: Any) -> None:
    *fields, derived = case["revision"].values()
    values = [raw(value) for value in fields]

    layout = "(bytes32,uint40,bytes32,bytes32,bytes32,uint40,bytes32[])"
    encoded = encode([layout], [(*values, [raw(value) for value in derived])])

    assert keccak256(encoded) == raw(case["digest"])


@pytest.mark.parametrize(
    ("name", "domain", "layout"),
    [
        ("recipe", b"guildmark/recipe/v1", "(bytes32,bytes32,uint40,bytes32,uint8,bytes32)"),
        ("site-recipe", b"guildmark/site-recipe/v1", "(bytes32,bytes32,bytes32,bytes32)"),
    ],
)
def test_recipe_ids_have_the_layout_that_they_describe(
    name: str, domain: bytes, layout: str
) -> None:
    for case in cases(name):
        values = tuple(raw(value) for value in case["recipe"].values())
        encoded = encode(["bytes32", layout], [keccak256(domain), values])
        assert keccak256(encoded) == raw(case["id"])


@pytest.mark.parametrize("case", cases("draw"), ids=lambda case: str(len(case["places"])))
def test_units_are_drawn_in_the_order_of_their_digests(case: Any) -> None:
    head = b"guildmark/equivalence/draw/v1" + b"".join(
        raw(case[name]) for name in ("parent", "plan", "site")
    )

    def digest(place: list[int]) -> bytes:
        return hashlib.sha256(head + b"".join(one.to_bytes(8, "big") for one in place)).digest()

    assert case["order"] == sorted(case["places"], key=digest)
