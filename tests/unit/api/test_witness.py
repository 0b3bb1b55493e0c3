"""A witness's interface: the statuses of c2sp.org/tlog-witness, one by one."""

import httpx
import pytest

from asgi import Client
from fakes.notes import key, signature
from fakes.witnesses import witness
from fakes.world import World, make_world
from guildmark.api.witness import witness_app
from guildmark.domain.log.checkpoint import Addition, Checkpoint
from guildmark.domain.log.merkle import MerkleTree
from guildmark.domain.log.note import Note, NoteKind, read_signatures
from guildmark.services.neighbours.witnessing import Witnessing

LOG = key("example.org/log")
TREE = MerkleTree(bytes((number,)) for number in range(9))
FORKED = MerkleTree(bytes((number + 1,)) for number in range(9))


@pytest.fixture
def world() -> World:
    return make_world()


@pytest.fixture
def service(world: World) -> Witnessing:
    service = witness(world.tools.chain)
    service.add_log(LOG)
    return service


def body(old: int, size: int, *, tree: MerkleTree = TREE, by: str = LOG.name) -> bytes:
    text = Checkpoint(origin=LOG.name, size=size, root=tree.root(size)).text()
    note = Note(text=text, signatures=(signature(by, text),))
    proof = tree.consistency_proof(old, size) if 0 < old <= size else ()
    return Addition(old=old, proof=proof, checkpoint=note.encode()).encode()


def add(service: Witnessing, content: bytes) -> httpx.Response:
    return Client(witness_app(service)).post("/add-checkpoint", content=content)


def test_growth_is_answered_with_a_cosignature(service: Witnessing) -> None:
    answer = add(service, body(0, 5))

    (made,) = read_signatures(answer.text)
    assert answer.status_code == 200
    text = body(0, 5).decode().split("\n\n")[1] + "\n"
    made.verify(service.key().of_kind(NoteKind.COSIGNATURE), text)


def test_another_old_size_is_answered_with_the_right_one(service: Witnessing) -> None:
    add(service, body(0, 5))

    answer = add(service, body(0, 7))

    assert (answer.status_code, answer.text) == (409, "5\n")
    assert answer.headers["content-type"] == "text/x.tlog.size"


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 400, "checkpoint.malformed"),
        (b"old 0\n\nnothing\n", 400, "note.malformed"),
        (body(5, 3), 400, "witness.badRequest"),
        (body(0, 5).replace(b"example.org/log\n", b"other\n"), 404, "witness.logUnknown"),
        (body(5, 6, by="stranger"), 403, "note.signatureWrong"),
        (body(5, 5, tree=FORKED), 409, "witness.forked"),
        (body(5, 8, tree=FORKED), 422, "proof.rootMismatch"),
        (b"x" * (80 << 10), 413, "The"),
    ],
)
def test_refusals_have_the_statuses_of_the_specification(
    service: Witnessing, content: bytes, status: int, code: str
) -> None:
    add(service, body(0, 5))

    answer = add(service, content)

    assert (answer.status_code, answer.text.split(":")[0].split(" ")[0]) == (status, code)


def test_final_blocks_are_vouched_for(service: Witnessing, world: World) -> None:
    number = world.tools.chain.blocks[-1].number
    client = Client(witness_app(service))

    found, early = client.get(f"/block/{number}"), client.get(f"/block/{number + 9}")

    assert Note.parse(found.content).signers([service.key()])
    assert (early.status_code, early.text.split(":")[0]) == (404, "witness.blockNotFinal")
    assert client.get("/key").text == f"{service.key().encode()}\n"
