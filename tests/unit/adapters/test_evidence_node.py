"""A node as an auditor asks it for the bytes of an address: nothing that it says is believed."""

from collections.abc import Callable

import httpx
import pytest

from guildmark.adapters.peers import evidence
from guildmark.adapters.peers.client import NodeClient, PeerRefusedError
from guildmark.adapters.peers.evidence import EvidenceNode
from guildmark.domain.identifiers import Cid
from guildmark.ports.peers import PeerUnavailableError
from guildmark_ipfs.memory import AddressOnly
from guildmark_ipfs.unixfs import Builder

DATA = b"an encrypted chunk" * 10


def address(data: bytes) -> Cid:
    builder = Builder(AddressOnly())
    builder.write(data)
    return Cid(str(builder.finish().cid))


def node(answer: Callable[[httpx.Request], httpx.Response]) -> EvidenceNode:
    transport = httpx.MockTransport(answer)
    return EvidenceNode(client=NodeClient("http://node.example", transport=transport))


def answering(status: int, body: bytes) -> EvidenceNode:
    return node(lambda _: httpx.Response(status, content=body))


def test_what_hashes_to_the_address_is_held() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(200, content=DATA)

    assert node(answer).holds(address(DATA))
    assert asked == [f"/v1/content/{address(DATA)}"]


def test_other_bytes_are_not_what_the_address_stands_for() -> None:
    assert not answering(200, DATA + b"!").holds(address(DATA))
    assert not answering(404, b"{}").holds(address(DATA))


@pytest.mark.parametrize("cid", ["", "../parts/1.0/bundle", "b" + "a" * 58])
def test_what_is_no_address_is_held_by_nobody_and_not_asked_for(cid: str) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, content=b"")

    assert not node(answer).holds(Cid(cid))
    assert asked == []


def test_no_more_is_read_than_a_chunk_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "HELD_MAX", len(DATA))
    assert answering(200, DATA).holds(address(DATA))

    monkeypatch.setattr(evidence, "HELD_MAX", len(DATA) - 1)
    assert not answering(200, DATA).holds(address(DATA))


def test_who_refuses_or_is_away_is_no_answer() -> None:
    def away(request: httpx.Request) -> httpx.Response:
        message = "refused"
        raise httpx.ConnectError(message, request=request)

    with pytest.raises(PeerRefusedError):
        answering(503, b"{}").holds(address(DATA))
    with pytest.raises(PeerUnavailableError):
        node(away).holds(address(DATA))
