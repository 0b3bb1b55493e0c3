"""One connection before it is a request: what is counted, how long it is waited for."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from guildmark.api import wire
from guildmark.api.wire import Wire

pytestmark = pytest.mark.enable_socket


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the body's length; /begun begins before it reads the body."""
    if scope["path"] == "/begun":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"begun", "more_body": True})
    size = 0
    while True:
        message = await receive()
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    if scope["path"] == "/begun":
        await send({"type": "http.response.body", "body": b"ended"})
        return
    await PlainTextResponse(str(size))(scope, receive, send)


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bytes]]


def told(talk: Talk) -> bytes:
    """Serve the application once and return what a conversation brought."""

    async def run() -> bytes:
        config = uvicorn.Config(app, http=Wire, log_config=None, lifespan="off", port=0)
        config.load()
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        protocol: Any = lambda: Wire(config=config, server_state=server.server_state, app_state={})  # noqa: E731 - one use
        listening = await asyncio.get_running_loop().create_server(protocol, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            return await asyncio.wait_for(talk(reader, writer), 10)
        finally:
            writer.close()
            listening.close()

    return asyncio.run(run())


async def to_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    return await reader.read()


def test_silent_connection_ends_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "HEAD_SECONDS", 0.05)

    answer = told(to_end)

    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b'"code":"http.headTooSlow"' in answer


def test_head_that_trickles_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "HEAD_SECONDS", 0.1)

    async def trickle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b"GET / HTTP/1.1\r\n")
        for number in range(5):
            writer.write(b"X%d: a\r\n" % number)
            await asyncio.sleep(0.01)
        return await reader.read()

    assert b"http.headTooSlow" in told(trickle)


def test_connection_may_rest_longer_than_a_head_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "HEAD_SECONDS", 0.05)

    async def rest(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        first = await reader.readuntil(b"\r\n\r\n0")
        await asyncio.sleep(0.2)
        writer.write(b"GET / HTTP/1.1\r\n\r\nGET / HT")
        return first + await reader.read()

    answer = told(rest)

    assert answer.count(b"HTTP/1.1 200 OK\r\n") == 2
    assert b"HTTP/1.1 408 " in answer


def test_body_may_take_longer_than_the_head(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "HEAD_SECONDS", 0.05)

    async def slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b"POST / HTTP/1.1\r\nConnection: close\r\nContent-Length: 2\r\n\r\na")
        await asyncio.sleep(0.2)
        writer.write(b"b")
        return await reader.read()

    assert told(slowly).endswith(b"\r\n\r\n2")


def test_second_head_on_a_connection_is_waited_for_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "HEAD_SECONDS", 0.2)

    async def twice(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        await asyncio.sleep(0.1)
        writer.write(b"GET / HT")
        return await reader.read()

    answer = told(twice)

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"HTTP/1.1 408 " in answer


@pytest.mark.parametrize(("size", "is_taken"), [(30 << 10, True), (33 << 10, False)])
def test_field_is_counted_while_it_arrives(size: int, *, is_taken: bool) -> None:
    async def long(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b"GET / HTTP/1.1\r\nConnection: close\r\nX: ")
        for _ in range(2):
            await asyncio.sleep(0.05)
            writer.write(b"a" * size)
        await asyncio.sleep(0.05)
        if is_taken:
            writer.write(b"\r\n\r\n")
        return await reader.read()

    answer = told(long)

    assert answer.startswith(b"HTTP/1.1 200 " if is_taken else b"HTTP/1.1 431 ")


def test_bad_chunk_before_an_answer_is_a_problem() -> None:
    async def broken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\nzz")
        return await reader.read()

    assert b'"code":"http.requestMalformed"' in told(broken)


def test_bad_chunk_in_the_middle_of_an_answer_ends_it() -> None:
    async def broken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b"POST /begun HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        begun = await reader.readuntil(b"begun")
        writer.write(b"zz\r\n")
        return begun + await reader.read()

    answer = told(broken)

    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"requestMalformed" not in answer
    assert b"ended" not in answer


def test_good_request_without_memory_for_its_body_is_to_be_sent_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def starved(_protocol: HttpToolsProtocol, _body: bytes) -> None:
        raise MemoryError

    async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        writer.write(b"POST / HTTP/1.1\r\nHost: node\r\nContent-Length: 2\r\n\r\nab")
        return await reader.read()

    monkeypatch.setattr(HttpToolsProtocol, "on_body", starved)

    answer = told(send)

    assert answer.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert b"retry-after: 5\r\n" in answer.lower()
    assert b'"code":"node.memoryShort"' in answer
