"""A node's line that hangs, breaks or is left half open: one call fails in time, the next is well.

The node is a socket of this test's own, so that each byte that it sends, or does not, is chosen.
"""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from guildmark.adapters.chain.rpc import Rpc
from guildmark.ports.chain import LedgerUnavailableError

BODY = b'{"jsonrpc":"2.0","id":0,"result":"0x7"}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY)

Behaviour = Callable[[socket.socket], None]


def answer(line: socket.socket) -> None:
    """Answer one request as a node does, and keep the line for the next one."""
    if line.recv(1 << 16):
        line.sendall(HEAD + BODY)


def hang(line: socket.socket) -> None:
    """Take the request and say nothing until the other side goes."""
    while line.recv(1 << 16):
        pass


def stop_in_the_middle(line: socket.socket) -> None:
    """Say half of the answer and nothing more until the other side goes."""
    line.recv(1 << 16)
    line.sendall(HEAD + BODY[:10])
    hang(line)


def tear(line: socket.socket) -> None:
    """End the line in the middle of the answer."""
    line.recv(1 << 16)
    line.sendall(HEAD + BODY[:10])


def reset(line: socket.socket) -> None:
    """End the line by RST, as a machine does that was started again."""
    line.recv(1 << 16)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def answer_then_reset(line: socket.socket) -> None:
    """Answer one request, then drop the line that the client keeps for its next one."""
    answer(line)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@contextmanager
def serving(*lines: Behaviour) -> Iterator[tuple[str, threading.Semaphore]]:
    """Serve one line after another, each by its behaviour; yield the address, and what ended."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = threading.Semaphore(0)

        def serve() -> None:
            for behave in lines:
                line, _ = server.accept()
                # The client may go first.
                with suppress(OSError), line:
                    behave(line)
                ended.release()

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", ended
        thread.join(60)
        assert not thread.is_alive()


@pytest.mark.parametrize(
    "bad", [hang, stop_in_the_middle, tear, reset], ids=lambda bad: bad.__name__
)
def test_a_bad_line_costs_one_call(bad: Behaviour) -> None:
    hangs = bad in {hang, stop_in_the_middle}
    with serving(bad, answer) as (url, _), Rpc(url=url, timeout=0.3 if hangs else 60.0) as rpc:
        with pytest.raises(LedgerUnavailableError, match="does not answer"):
            rpc.call("eth_blockNumber")
        # A loaded machine may answer late; the line itself is well now.
        rpc.timeout = 60.0

        assert rpc.call("eth_blockNumber") == "0x7"


def test_a_kept_line_that_went_away_meanwhile_is_replaced() -> None:
    with (
        serving(answer_then_reset, answer) as (url, ended),
        Rpc(url=url, timeout=60.0) as rpc,
    ):
        first = rpc.call("eth_blockNumber")
        assert ended.acquire(timeout=60)

        assert (first, rpc.call("eth_blockNumber")) == ("0x7", "0x7")
