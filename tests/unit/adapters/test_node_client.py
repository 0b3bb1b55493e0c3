"""A node as its clients see it, whatever it answers."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from guildmark.adapters.peers import client
from guildmark.adapters.peers.client import NodeClient, PeerRefusedError
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import (
    Cid,
    DesignId,
    EquivalencePlanId,
    IdentityId,
    Index,
    LogNumber,
    to_hex,
)
from guildmark.ports.peers import PeerUnavailableError
from guildmark.ports.store import DocumentKind

URL = "http://node.example"
DIGEST = sha256(b"envelope")
CID = Cid("b" + "a" * 58)
PROBLEM: dict[str, Any] = {"detail": "The lane is drawn.", "code": "license.quotaExceeded"}


class Answering:
    """A node that gives one answer, and keeps what it was asked."""

    def __init__(self, status: int = 200, body: bytes | None = None, **members: Any) -> None:
        self.answer = (status, json.dumps(members).encode() if body is None else body)
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.asked.append(request)
        status, body = self.answer
        return httpx.Response(status, content=body)


def node(answer: Callable[[httpx.Request], httpx.Response]) -> NodeClient:
    return NodeClient(URL, transport=httpx.MockTransport(answer))


def down(request: httpx.Request) -> httpx.Response:
    message = "refused"
    raise httpx.ConnectError(message, request=request)


@pytest.mark.parametrize(("status", "ready"), [(200, True), (503, False)])
def test_node_is_ready_when_it_says_so(status: int, ready: bool) -> None:
    with node(Answering(status)) as asked:
        assert asked.is_ready() is ready


def test_node_that_is_down_is_not_ready() -> None:
    assert not node(down).is_ready()


def test_beacon_is_as_the_node_tells_it() -> None:
    assert node(Answering(log=0, seq=3)).beacon() == {"log": 0, "seq": 3}


def test_envelopes_go_one_a_line() -> None:
    answering = Answering(answers=[{"reception": "accepted"}])

    answers = node(answering).submit([b'{"a":1}', b'{"b":2}'])

    assert answers == [{"reception": "accepted"}]
    assert answering.asked[0].content == b'{"a":1}\n{"b":2}'
    assert answering.asked[0].headers["content-type"] == "application/x-ndjson"


def test_build_is_asked_for_by_its_digest() -> None:
    answering = Answering(state="final")

    assert node(answering).build(DIGEST) == {"state": "final"}
    assert answering.asked[0].url.path == f"/v1/builds/{to_hex(DIGEST)}"


def test_document_goes_to_its_kind_and_key() -> None:
    answering = Answering(204, b"")

    node(answering).disclose(DocumentKind.SITE_RECIPE, DIGEST, b"{}")

    assert answering.asked[0].url.path == f"/v1/disclosures/siteRecipe/{to_hex(DIGEST)}"
    assert answering.asked[0].content == b"{}"


def test_content_goes_in_pieces_and_comes_back() -> None:
    sent, kept = Answering(201, cid=CID), Answering(body=b"ciphertext")

    assert node(sent).put_content(iter([b"cipher", b"text"])) == CID
    assert b"".join(node(kept).get_content(CID)) == b"ciphertext"
    assert sent.asked[0].content == b"ciphertext"


FILES = [{"cid": CID, "ciphertext": to_hex(DIGEST)}]


@pytest.mark.parametrize(
    ("revisions", "expected"),
    [
        ([{"number": 1, "files": None}, {"number": 2, "files": FILES}], FILES),
        ([{"number": 2, "files": None}], None),
        ([{"number": 2}], None),
        ([{"number": 1, "files": FILES}], None),
        ([2], None),
        ({}, None),
    ],
)
def test_encrypted_files_are_those_that_a_node_lists(revisions: Any, expected: Any) -> None:
    answering = Answering(revisions=revisions)

    found = node(answering).encrypted_files(DesignId(DIGEST), 2)

    assert answering.asked[0].url.path == f"/v1/designs/{to_hex(DIGEST)}"
    assert (found and [file.to_json() for file in found.files]) == expected
    assert found is None or found.revision == 2


def test_encrypted_files_of_an_unknown_design_are_none_and_a_refusal_is_told() -> None:
    asked = DesignId(DIGEST)

    assert node(Answering(404, b"")).encrypted_files(asked, 1) is None
    with pytest.raises(PeerRefusedError):
        node(Answering(400, b"{}")).encrypted_files(asked, 1)


def test_upload_is_begun_sent_and_ended() -> None:
    begun, part, ended = Answering(201, upload="ab"), Answering(offset=9), Answering(201, cid=CID)

    assert node(begun).begin_upload(9) == "ab"
    node(part).append_upload("ab", 4, iter([b"cip", b"her"]))
    assert node(ended).finish_upload("ab") == CID
    assert str(begun.asked[0].url).endswith("/v1/uploads?size=9")
    assert part.asked[0].method == "POST"
    assert str(part.asked[0].url).endswith("/v1/uploads/ab/parts?offset=4")
    assert part.asked[0].content == b"cipher"
    assert ended.asked[0].url.path == "/v1/uploads/ab/file"


def test_upload_is_somewhere_or_not_known() -> None:
    assert node(Answering(offset=7)).upload_offset("ab") == 7
    assert node(Answering(404, b"")).upload_offset("ab") is None
    with pytest.raises(PeerRefusedError):
        node(Answering(400, b"{}")).upload_offset("ab")


def test_bundle_is_asked_for_at_a_block() -> None:
    answering = Answering(body=b"zip")

    assert node(answering).bundle(LogNumber(3), Index(7), block=9, ask_peers=True) == b"zip"
    assert answering.asked[0].url.path == "/v1/parts/3.7/bundle"
    assert dict(answering.asked[0].url.params) == {"peers": "true", "block": "9"}


def test_peer_asks_without_letting_others_be_asked() -> None:
    answering = Answering(404, b"")

    assert node(answering).bundle(LogNumber(3), Index(7)) is None
    assert dict(answering.asked[0].url.params) == {"peers": "false"}


def read_all(asked: NodeClient) -> bytes:
    return b"".join(asked.get_content(CID))


@pytest.mark.parametrize(
    "ask",
    [
        lambda asked: asked.submit([b"{}"]),
        lambda asked: asked.bundle(LogNumber(3), Index(7)),
        read_all,
    ],
)
def test_refusal_carries_the_nodes_own_words(ask: Callable[[NodeClient], object]) -> None:
    refusing = Answering(409, **PROBLEM)

    with pytest.raises(PeerRefusedError) as caught:
        ask(node(refusing))

    assert caught.value.code == "peer.refused"
    assert "The lane is drawn." in caught.value.message
    assert caught.value.detail == {"status": 409, "reason": "license.quotaExceeded"}


def test_refusal_without_words_has_its_status() -> None:
    with pytest.raises(PeerRefusedError) as caught:
        node(Answering(502, b"<html>")).beacon()

    assert caught.value.detail == {"status": 502, "reason": ""}


@pytest.mark.parametrize(
    "ask",
    [
        lambda asked: asked.beacon(),
        lambda asked: asked.bundle(LogNumber(3), Index(7)),
        read_all,
    ],
)
def test_node_that_is_down_is_unavailable(ask: Callable[[NodeClient], object]) -> None:
    with pytest.raises(PeerUnavailableError) as caught:
        ask(node(down))

    assert caught.value.code == "peer.unavailable"
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("ask", "answer"),
    [
        (lambda asked: asked.beacon(), Answering(body=b"[]")),
        (lambda asked: asked.beacon(), Answering(body=b'{"a":NaN}')),
        (lambda asked: asked.submit([b"{}"]), Answering()),
        (lambda asked: asked.put_content([b""]), Answering()),
        (lambda asked: asked.begin_upload(1), Answering()),
        (lambda asked: asked.upload_offset("ab"), Answering()),
        (lambda asked: asked.upload_offset("ab"), Answering(offset="7")),
        (lambda asked: asked.upload_offset("ab"), Answering(offset=-1)),
        (lambda asked: asked.upload_offset("ab"), Answering(body=b"[]")),
        (lambda asked: asked.finish_upload("ab"), Answering()),
        (lambda asked: asked.encrypted_files(DesignId(DIGEST), 1), Answering()),
        (
            lambda asked: asked.encrypted_files(DesignId(DIGEST), 1),
            Answering(revisions=[{"number": 1, "files": [{"cid": 7}]}]),
        ),
    ],
)
def test_answer_that_no_node_gives_is_no_answer(
    ask: Callable[[NodeClient], object], answer: Answering
) -> None:
    with pytest.raises(PeerUnavailableError) as caught:
        ask(node(answer))

    assert caught.value.detail == {"url": URL}


def test_bundle_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "BUNDLE_MAX", 1_000)
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while True:
            sent += 100
            yield bytes(100)

    def answer(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=endless())

    with pytest.raises(PeerUnavailableError) as caught:
        node(answer).bundle(LogNumber(3), Index(7))

    assert caught.value.detail == {"limit": 1_000}
    assert sent < 2_000


def test_positions_of_a_label_are_as_the_node_tells_them() -> None:
    answering = Answering(log=1, index=3, others=[{"log": 2, "index": 7}])

    assert node(answering).positions("https://a.example/id/b") == [(1, 3), (2, 7)]
    assert answering.asked[0].url.params["label"] == "https://a.example/id/b"


def test_a_label_that_a_node_does_not_know_has_no_positions() -> None:
    assert node(Answering(404)).positions("https://a.example/id/b") == []


def test_positions_that_cannot_be_read_are_no_answer() -> None:
    with pytest.raises(PeerUnavailableError, match="does not answer as a node does"):
        node(Answering(log=1)).positions("https://a.example/id/b")


def test_a_refusal_to_name_positions_carries_the_nodes_own_words() -> None:
    with pytest.raises(PeerRefusedError, match="The lane is drawn"):
        node(Answering(409, **PROBLEM)).positions("https://a.example/id/b")


def test_a_state_that_cannot_be_read_is_no_answer() -> None:
    answering = Answering(standing="in force")

    with pytest.raises(PeerUnavailableError, match="does not answer as a node does"):
        node(answering).certificate_state(EquivalencePlanId(DIGEST), IdentityId(DIGEST))

    named = f"plans/{to_hex(DIGEST)}/sites/{to_hex(DIGEST)}"
    assert answering.asked[0].url.path == f"/v1/equivalence/{named}/certificate"


@pytest.mark.parametrize("status", [404, 410])
def test_a_part_that_is_not_there_or_erased_has_no_bundle(status: int) -> None:
    assert node(Answering(status, b"")).bundle(LogNumber(1), Index(0)) is None
