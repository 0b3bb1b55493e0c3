"""What we publish, read by libraries that others wrote: Go's sumdb and transparency-dev."""

import base64
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from fakes.notes import cosignature, key, signature
from fakes.records import grow
from fakes.world import make_world
from guildmark.domain.identifiers import Digest
from guildmark.domain.log import merkle
from guildmark.domain.log.merkle import MerkleTree, ProofError
from guildmark.domain.log.note import Note
from guildmark.services.log.publishing import Publishing, make_note_key

pytestmark = pytest.mark.needs("tlog")

READER = Path(__file__).parents[3] / "build" / "tlog" / "tlog"
SEED = 20_260_807


def read(*words: object, ask: str = "") -> subprocess.CompletedProcess[str]:
    command = [str(READER), *map(str, words)]
    return subprocess.run(command, input=ask, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("size", [1, 255, 256, 257, 700])
def test_the_stock_reader_reads_our_tiles(tmp_path: Path, size: int) -> None:
    world = make_world()
    make_note_key(world.tools.keys)
    service = Publishing(
        ledger=world.tools.chain,
        store=world.tools.store,
        keys=world.tools.keys,
        own_log=world.log,
    )
    grow(world.tools.store, world.log, size)
    service.advance()
    for path, data in service.files(world.log):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)

    sound = read("tree", tmp_path, service.key(world.log).encode())
    last = max(tmp_path.glob("tile/0/*"))
    last = last if last.is_file() else next(iter(last.glob("*")))
    last.write_bytes(bytes((last.read_bytes()[0] ^ 1,)) + last.read_bytes()[1:])
    broken = read("tree", tmp_path, service.key(world.log).encode())

    assert (sound.returncode, sound.stderr) == (0, "")
    assert sound.stdout.split()[:2] == [service.origin(world.log), str(size)]
    assert broken.returncode == 1


def test_the_stock_reader_knows_our_signatures(tmp_path: Path) -> None:
    text = "example.org/log\n3\n" + base64.b64encode(bytes(32)).decode() + "\n"
    note = Note(text=text, signatures=(signature("a", text), cosignature("w", text=text)))
    (tmp_path / "note").write_bytes(note.encode())

    plain = read("note", tmp_path / "note", key("a").encode())
    # This library reads the key in its plain form.
    cosigned = read("witnessed", tmp_path / "note", key("w").encode())
    (tmp_path / "note").write_bytes(note.encode().replace(b"\n3\n", b"\n4\n"))

    assert (plain.stdout, cosigned.stdout) == ("a\n", "w\n")
    assert read("note", tmp_path / "note", key("a").encode()).returncode == 1
    assert read("witnessed", tmp_path / "note", key("w").encode()).returncode


def test_both_judge_mutated_proofs_alike(volume: Callable[[int, int, int], int]) -> None:
    drawn = Random(SEED)
    claims = [claim(drawn) for _ in range(volume(1_500, 20_000, 200_000))]

    theirs = read("proofs", ask="".join(f"{json.dumps(one)}\n" for one in claims)).stdout.split()
    ours = ["ok" if holds(one) else "refused" for one in claims]

    assert ours == theirs
    # Neither side says always the same.
    assert min(ours.count("ok"), ours.count("refused")) > len(ours) // 5


def claim(drawn: Random) -> dict[str, object]:
    """Return a proof over up to 257 leaves, about half of them changed in one place."""
    size = drawn.randint(1, 257)
    tree = MerkleTree(drawn.randbytes(8) for _ in range(size))
    index, old = drawn.randrange(size), drawn.randint(1, size)
    inclusion = drawn.random() < 0.5
    proof = list(tree.inclusion_path(index) if inclusion else tree.consistency_proof(old))
    leaf = bytes(tree.nodes(0, index, 1))
    root, old_root, moved = tree.root(), tree.root(old), 0
    match drawn.randrange(12):
        case 0 if proof:
            proof.pop(drawn.randrange(len(proof)))
        case 1:
            proof.insert(drawn.randint(0, len(proof)), merkle.leaf_hash(b"more"))
        case 2 if proof:
            proof[drawn.randrange(len(proof))] = merkle.leaf_hash(b"other")
        case 3:
            root = merkle.leaf_hash(b"root")
        case 4:
            leaf = old_root = merkle.leaf_hash(b"old")
        case 5:
            moved = 1
        case 6 if len(proof) > 1:
            proof.reverse()
        case _:
            pass
    return {
        "kind": "inclusion" if inclusion else "consistency",
        "index": (index + moved) % size,
        "old": (old + moved - 1) % size + 1,
        "size": size,
        "leafHash": base64.b64encode(leaf).decode(),
        "oldRoot": base64.b64encode(old_root).decode(),
        "root": base64.b64encode(root).decode(),
        "proof": [base64.b64encode(one).decode() for one in proof],
    }


def holds(one: dict[str, object]) -> bool:
    found = {name: value for name, value in one.items() if isinstance(value, int)}
    texts = {name: base64.b64decode(str(one[name])) for name in ("leafHash", "oldRoot", "root")}
    listed = one["proof"]
    assert isinstance(listed, list)
    proof = [base64.b64decode(text) for text in listed]
    try:
        if one["kind"] == "inclusion":
            leaf = Digest(texts["leafHash"])
            root = merkle.root_of_path(
                leaf=leaf, index=found["index"], count=found["size"], path=proof
            )
            return root == texts["root"]
        merkle.verify_consistency(
            old=found["old"],
            new=found["size"],
            proof=proof,
            old_root=texts["oldRoot"],
            new_root=texts["root"],
        )
    except ProofError:
        return False
    return True
