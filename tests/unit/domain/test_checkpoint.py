"""Checkpoints, tiles and proofs as text: the formats of C2SP, and nothing that is not theirs."""

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.notes import cosignature, key, signature
from guildmark.domain.chain.contracts import ChainClass, ChainPin, ContractName, ContractPin
from guildmark.domain.identifiers import Address, ChainId, Digest, LogNumber
from guildmark.domain.log.checkpoint import (
    PROOF_LINES_MAX,
    Addition,
    Checkpoint,
    CheckpointMalformedError,
    LogProof,
    Tile,
    TileMalformedError,
    entries,
    open_checkpoint,
    origin_of,
    read_entries,
    tiles_of,
)
from guildmark.domain.log.merkle import (
    MerkleTree,
    ProofError,
    ProofPositionError,
    leaf_hash,
    node_hash,
)
from guildmark.domain.log.note import Note, NoteKind, NoteSignatureError

ORIGIN = "example.org/log"
ROOT = Digest(hashlib.sha256(b"root").digest())
HEAD = Checkpoint(origin=ORIGIN, size=3, root=ROOT)


def leaf(number: int) -> bytes:
    return hashlib.sha256(number.to_bytes(8, "big")).digest()


def tree(size: int) -> MerkleTree:
    return MerkleTree(leaf(number) for number in range(size))


def signed(size: int, *names: str) -> bytes:
    text = replace(HEAD, size=size, root=tree(size).root()).text()
    return Note(text=text, signatures=tuple(signature(name, text) for name in names)).encode()


def test_a_checkpoint_is_read_as_it_was_written() -> None:
    extended = replace(HEAD, extensions=("more", "and more"))

    assert Checkpoint.parse(HEAD.text()) == HEAD
    assert Checkpoint.parse(extended.text()) == extended
    assert HEAD.text() == "example.org/log\n3\n" + HEAD.text().split("\n")[2] + "\n"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "origin\n3\n",
        HEAD.text().replace("3", "03", 1),
        HEAD.text().replace("\n3\n", f"\n{2**63}\n"),
        HEAD.text().replace("3", "-1", 1),
        HEAD.text().replace("=", "", 1),
        "origin\n3\nAAAA\n",
        "origin\n3\n\u20ac\n",
        HEAD.text() + "\n",
        "\n" + HEAD.text(),
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(CheckpointMalformedError) as caught:
        Checkpoint.parse(text)

    assert caught.value.code == "checkpoint.malformed"


def pin(genesis: bytes = b"g", address: bytes = b"a" * 20, chain: int = 7) -> ChainPin:
    contract = ContractPin(address=Address(address), code_hash=Digest(bytes(32)))
    return ChainPin(
        chain_id=ChainId(chain),
        genesis=Digest(genesis.ljust(32)),
        chain_class=ChainClass.LOCAL,
        contracts={ContractName.LOG: contract},
    )


def test_a_log_has_one_name_at_every_node_and_another_on_every_chain() -> None:
    names = {
        origin_of(pin(), LogNumber(1)),
        origin_of(pin(), LogNumber(2)),
        origin_of(pin(chain=8), LogNumber(1)),
        origin_of(pin(b"h"), LogNumber(1)),
        origin_of(pin(address=b"b" * 20), LogNumber(1)),
    }

    assert len(names) == 5
    assert origin_of(pin(), LogNumber(1)).startswith("guildmark.org/7/")


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(level=0, index=0), "tile/0/000"),
        (Tile(level=0, index=0, width=5), "tile/0/000.p/5"),
        (Tile(level=1, index=999), "tile/1/999"),
        (Tile(level=2, index=1000), "tile/2/x001/000"),
        (Tile(level=0, index=1234067), "tile/0/x001/x234/067"),
        (Tile(level=0, index=1234067, width=255), "tile/0/x001/x234/067.p/255"),
    ],
)
def test_tiles_have_the_paths_of_the_specification(tile: Tile, path: str) -> None:
    _, level, place = path.split("/", 2)

    assert tile.path == path
    assert Tile.parse(int(level), place) == tile
    assert tile.entries_path == path.replace(f"tile/{level}", "tile/entries")


@pytest.mark.parametrize(
    "place",
    [
        *("", "0", "00", "0000", "1000", "001/000", "x000/000", "x000/001", "000.p/0"),
        *("000.p/256", "000.p/05", "000.p", "000/", "-01", "x1/000", "000.p/300"),
        "x999/x999/x999/x999/x999/x999/x999/999",
    ],
)
def test_other_spellings_name_no_tile(place: str) -> None:
    with pytest.raises(TileMalformedError) as caught:
        Tile.parse(0, place)

    assert caught.value.code == "tile.malformed"


@pytest.mark.parametrize(("level", "index"), [(-1, 0), (8, 0), (0, -1)])
def test_no_tree_has_tiles_beyond_the_format(level: int, index: int) -> None:
    with pytest.raises(TileMalformedError):
        Tile(level=level, index=index)


def test_a_tree_of_70000_has_the_tiles_that_the_specification_counts() -> None:
    tiles = list(tiles_of(70_000))
    counted = [(tile.level, tile.width) for tile in tiles]

    assert counted.count((0, 256)) == 273
    assert [one for one in counted if one[1] != 256] == [(0, 112), (1, 17), (2, 1)]
    assert counted.count((1, 256)) == 1
    assert len(counted) == 277


def test_a_tree_of_256_has_a_full_tile_and_one_hash_above() -> None:
    assert [tile.path for tile in tiles_of(256)] == ["tile/0/000", "tile/1/000.p/1"]


@given(st.integers(0, 70_000), st.integers(0, 70_000))
def test_what_a_tree_gains_is_what_it_did_not_have(one: int, other: int) -> None:
    old, new = sorted((one, other))

    assert set(tiles_of(new, since=old)) == set(tiles_of(new)) - set(tiles_of(old))
    assert all(tile.is_in(new) for tile in tiles_of(new))
    assert not any(tile.is_in(old) for tile in tiles_of(new, since=old))


def test_hashes_of_a_tile_are_those_of_the_tree() -> None:
    grown = tree(600)
    leaves = [leaf_hash(leaf(number)) for number in range(600)]

    assert Tile(level=0, index=1).of(grown) == b"".join(leaves[256:512])
    assert Tile(level=0, index=2, width=88).of(grown) == b"".join(leaves[512:])
    above = Tile(level=1, index=0, width=2).of(grown)
    assert above == tree(256).root() + root_over(leaves[256:512])


def root_over(hashes: list[Digest]) -> Digest:
    while len(hashes) > 1:
        hashes = [node_hash(*hashes[at : at + 2]) for at in range(0, len(hashes), 2)]
    return hashes[0]


@pytest.mark.parametrize("tile", [Tile(level=0, index=2, width=89), Tile(level=1, index=0)])
def test_a_tile_that_the_tree_does_not_have_has_no_hashes(tile: Tile) -> None:
    assert not tile.is_in(600)
    with pytest.raises(ProofPositionError):
        tile.of(tree(600))


def test_entries_are_read_as_they_were_written() -> None:
    leaves = (b"", b"a", bytes(300))

    assert read_entries(entries(leaves)) == leaves
    assert entries([b"ab"]) == b"\x00\x02ab"


@pytest.mark.parametrize("data", [b"\x00", b"\x00\x01", b"\x00\x02a"])
def test_entries_that_break_off_are_refused(data: bytes) -> None:
    with pytest.raises(TileMalformedError):
        read_entries(data)


def proof(index: int = 3, size: int = 7) -> LogProof:
    path = tree(size).inclusion_path(index)
    return LogProof(index=index, path=path, checkpoint=signed(size, "a"))


def test_a_proof_is_read_as_it_was_written_and_holds() -> None:
    made = proof()

    read = LogProof.parse(made.encode())

    assert read == made
    assert read.verify(leaf(3), origin=ORIGIN, keys=[key("a")]).text.startswith(ORIGIN)
    assert made.encode().startswith(b"c2sp.org/tlog-proof@v1\nindex 3\n")


def test_a_proof_in_a_tree_of_one_has_no_hashes() -> None:
    made = proof(0, 1)

    assert LogProof.parse(made.encode()) == made
    made.verify(leaf(0), origin=ORIGIN, keys=[key("a")])


def test_what_a_proof_says_on_the_side_is_passed_over() -> None:
    data = proof().encode().replace(b"@v1\n", b"@v1\nextra AAAA\n", 1)

    assert LogProof.parse(data) == proof()


@pytest.mark.parametrize(
    "change",
    [
        lambda _: b"",
        lambda data: data.replace(b"@v1", b"@v2"),
        lambda data: data.replace(b"index 3\n", b""),
        lambda data: data.replace(b"index 3", b"index 03"),
        lambda data: data.replace(b"\n\n", b"\n"),
        lambda data: data.replace(b"index 3\n", b"index 3\n\xff\n"),
        lambda data: data.replace(b"index 3\n", b"index 3\n" + b"A" * 43 + b"=\n" * 1),
        lambda data: data.replace(
            b"index 3\n", b"index 3\n" + (b"A" * 43 + b"=\n") * PROOF_LINES_MAX
        ),
    ],
)
def test_what_is_no_proof_is_refused(change: Callable[[bytes], bytes]) -> None:
    with pytest.raises((CheckpointMalformedError, ProofError)):
        LogProof.parse(change(proof().encode())).verify(leaf(3), origin=ORIGIN, keys=[key("a")])


@pytest.mark.parametrize(
    ("wrong", "number"),
    [
        (proof(), 4),
        (replace(proof(), index=2), 3),
        (replace(proof(), path=proof().path[:-1]), 3),
        (replace(proof(), checkpoint=signed(8, "a")), 3),
    ],
)
def test_a_proof_of_another_leaf_place_or_tree_does_not_hold(wrong: LogProof, number: int) -> None:
    with pytest.raises(ProofError):
        wrong.verify(leaf(number), origin=ORIGIN, keys=[key("a")])


def test_a_checkpoint_of_another_log_is_refused() -> None:
    with pytest.raises(CheckpointMalformedError):
        proof().verify(leaf(3), origin="example.org/other", keys=[key("a")])


def test_as_many_keys_as_asked_must_have_signed() -> None:
    note = Note.parse(signed(3, "a", "b"))
    keys = [key("a"), key("b"), key("c")]

    assert open_checkpoint(note, origin=ORIGIN, keys=keys, quorum=2).size == 3
    with pytest.raises(NoteSignatureError) as caught:
        open_checkpoint(note, origin=ORIGIN, keys=keys, quorum=3)
    assert caught.value.detail == {"found": 2, "expected": 3}


def test_one_key_of_two_kinds_counts_once() -> None:
    text = HEAD.text()
    both = Note(text=text, signatures=(signature("a", text), cosignature("a", text=text)))
    keys = [key("a"), key("a", NoteKind.COSIGNATURE)]

    assert open_checkpoint(both, origin=ORIGIN, keys=keys).size == 3
    with pytest.raises(NoteSignatureError):
        open_checkpoint(both, origin=ORIGIN, keys=keys, quorum=2)


@pytest.mark.parametrize("old", [0, 3])
def test_a_request_to_a_witness_is_read_as_it_was_written(old: int) -> None:
    path = tree(7).consistency_proof(old) if old else ()
    made = Addition(old=old, proof=path, checkpoint=signed(7, "a"))

    assert Addition.parse(made.encode()) == made
    assert made.encode().startswith(f"old {old}\n".encode())


@pytest.mark.parametrize(
    "data", [b"", b"old 1\n", b"new 1\n\nrest", b"old 01\n\nrest", b"\xff\n\n"]
)
def test_what_is_no_request_is_refused(data: bytes) -> None:
    with pytest.raises(CheckpointMalformedError):
        Addition.parse(data)
