"""The local chain's door: JSON-RPC on this machine, for what an honest user needs.

Nothing that changes time, accounts or blocks goes through; ``finalized`` and ``safe`` are the
journal's head, which is the only head that anybody sees.
"""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from guildmark.adapters.chain.anvil import AnvilFailedError
from guildmark.adapters.chain.endpoint import FILE_NAME as ENDPOINT
from guildmark.adapters.chain.endpoint import PORT_FILE
from guildmark.adapters.chain.local import Accepted, Keeper, Refused
from guildmark.adapters.chain.methods import READS, SEND
from guildmark.adapters.files import write_durably
from guildmark.domain.errors import ConflictError, GuildmarkError, MalformedError
from guildmark.domain.identifiers import Address, address_from_hex, from_hex, to_hex

Answer: TypeAlias = dict[str, Any]

FUND = "guildmark_fund"

_BODY_MAX = 16 * 1024 * 1024
_BATCH_MAX = 2_000
_COINS = 1_000
COINS_MAX = 1_000_000

_PARSE_ERROR = -32700
_INVALID_REQUEST = -32600
_METHOD_NOT_FOUND = -32601
_INVALID_PARAMS = -32602
_INTERNAL_ERROR = -32603
_REJECTED = -32003

_FINAL_TAGS = frozenset({"finalized", "safe"})

_OWN_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})
# A frame without an origin of its own says null; an extension is no page of a site.
_PAGES = frozenset({"http", "https", "null"})
_ASKING_FIRST = MappingProxyType(
    {
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": "content-type",
        "Access-Control-Max-Age": "600",
    }
)
"""What a browser is told that asks before it lets a page ask (CORS)."""


class PortTakenError(ConflictError):
    """The port for the chain is in use."""

    code = "chain.portTaken"
    hint = "Choose another with --port, or --port 0 for a free one."


@dataclass(frozen=True, slots=True)
class Door:
    """Lets in who asks on this machine: programs, and pages, of which browsers say whose they are.

    Pages of this machine may read, those of other sites nothing: a local chain tells them who works
    here, and its number which machine it is.
    """

    proxy: "Proxy"

    async def answer(self, request: Request) -> Response:
        """Answer one HTTP request."""
        origin = request.headers.get("origin")
        if origin is None or origin.partition(":")[0] not in _PAGES:
            return await self.proxy.answer(request)
        if not _is_of_this_machine(origin):
            message = "only pages of this machine may ask"
            return _response(_failed(None, _INVALID_REQUEST, message), 403)
        if request.method == "OPTIONS":
            answer = Response(status_code=204, headers=_ASKING_FIRST)
        else:
            answer = await replace(self.proxy, only_reads=True).answer(request)
        answer.headers.update({"Access-Control-Allow-Origin": origin, "Vary": "Origin"})
        return answer


@dataclass(frozen=True, slots=True)
class Proxy:
    """Answers JSON-RPC for one keeper.

    Args:
        keeper: Makes the blocks.
        only_reads: Whether nothing is sent, and no coin given.
    """

    keeper: Keeper
    only_reads: bool = False

    async def answer(self, request: Request) -> Response:
        """Answer one HTTP request of somebody who may ask."""
        # A page in a browser may send other types to this machine without asking first.
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            return _response(_failed(None, _INVALID_REQUEST, "expected application/json"), 415)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > _BODY_MAX:
                return _response(_failed(None, _INVALID_REQUEST, "the body is too large"), 413)
        try:
            document = orjson.loads(bytes(body))
        except orjson.JSONDecodeError:
            return _response(_failed(None, _PARSE_ERROR, "the body is no JSON"))
        if not isinstance(document, list):
            return _response((await self._answers([document]))[0])
        if not 1 <= len(document) <= _BATCH_MAX:
            message = f"a batch holds 1 to {_BATCH_MAX} calls"
            return _response(_failed(None, _INVALID_REQUEST, message))
        return _response(await self._answers(document))

    async def _answers(self, calls: list[Any]) -> list[Answer]:
        """Answer calls in their order: what is sent is sent first, then all is read at once."""
        changes = [self._change(call) for call in calls]
        pending = [change for change in changes if change is not None]
        changed = iter(await asyncio.gather(*pending))
        reads = [call for call, change in zip(calls, changes, strict=True) if change is None]
        read = iter(await self._read(reads))
        return [next(read) if change is None else next(changed) for change in changes]

    def _change(self, call: Any) -> asyncio.Task[Answer] | None:
        method = call.get("method") if isinstance(call, dict) else None
        if self.only_reads:
            return None
        if method == SEND:
            return asyncio.create_task(self._send(call))
        if method == FUND:
            return asyncio.create_task(self._fund(call))
        return None

    async def _send(self, call: Answer) -> Answer:
        try:
            (raw,) = call["params"]
            transaction = from_hex(str(raw).lower())
        except (KeyError, TypeError, ValueError, MalformedError):
            return _failed(call, _INVALID_PARAMS, "expected one raw transaction")
        return await self._sent(call, self.keeper.submit(transaction))

    async def _fund(self, call: Answer) -> Answer:
        try:
            account, coins = _funding(call["params"])
        except (KeyError, TypeError, ValueError, MalformedError):
            message = f"expected an address and at most {COINS_MAX} coins"
            return _failed(call, _INVALID_PARAMS, message)
        return await self._sent(call, self.keeper.fund(account, coins))

    async def _sent(self, call: Answer, sending: Awaitable[Accepted | Refused]) -> Answer:
        outcome = await sending
        if isinstance(outcome, Refused):
            return _failed(call, _REJECTED, outcome.reason)
        return {"jsonrpc": "2.0", "id": call.get("id"), "result": to_hex(outcome.hash)}

    async def _read(self, calls: list[Any]) -> list[Answer]:
        faults = [_fault(call) for call in calls]
        good = [_forwarded(n, call) for n, call in enumerate(calls) if faults[n] is None]
        if not good:
            return [fault for fault in faults if fault is not None]
        async with self.keeper.gate.reading():
            self.keeper.check()
            answers = await self.keeper.evm.forward(orjson.dumps(good))
        by_number = {answer["id"]: answer for answer in answers}
        return [
            {**by_number[number], "id": call.get("id")} if fault is None else fault
            for number, (call, fault) in enumerate(zip(calls, faults, strict=True))
        ]


def _is_of_this_machine(origin: str) -> bool:
    """Return whether a page came from this machine, by the origin that its browser names."""
    try:
        return urlsplit(origin).hostname in _OWN_MACHINE
    except ValueError:
        return False


def _funding(params: Any) -> tuple[Address, int]:
    account, *rest = params
    (coins,) = rest or [_COINS]
    if not isinstance(coins, int) or not 0 < coins <= COINS_MAX:
        raise ValueError(coins)
    return address_from_hex(str(account).lower()), coins


def _fault(call: Any) -> Answer | None:
    if not isinstance(call, dict) or not isinstance(call.get("method"), str):
        return _failed(None, _INVALID_REQUEST, "expected a call with a method")
    if not isinstance(call.get("params", []), list):
        return _failed(call, _INVALID_PARAMS, "expected params as an array")
    if call["method"] not in READS:
        return _failed(call, _METHOD_NOT_FOUND, f"{call['method'][:80]} is not offered here")
    return None


def _forwarded(number: int, call: Answer) -> Answer:
    params = [_tagged(param) for param in call.get("params", [])]
    return {"jsonrpc": "2.0", "id": number, "method": call["method"], "params": params}


def _tagged(param: Any) -> Any:
    if isinstance(param, str):
        return "latest" if param in _FINAL_TAGS else param
    if isinstance(param, dict):
        ends = {key: _tagged(param[key]) for key in ("fromBlock", "toBlock") if key in param}
        return {**param, **ends}
    return param


def _failed(call: Any, code: int, message: str) -> Answer:
    number = call.get("id") if isinstance(call, dict) else None
    return {"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": message}}


def _response(answer: Answer | list[Answer], status: int = 200) -> Response:
    return Response(orjson.dumps(answer), status_code=status, media_type="application/json")


async def _on_failure(_request: Request, error: Any) -> Response:
    # Not an answer to the call: whoever sent it asks again when the chain is back.
    return _response(_failed(None, _INTERNAL_ERROR, error.message), 503)


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # uvicorn would raise the signal again after its end, and the process would die of it.
        yield

    def end_by_signals(self) -> None:
        """End in good order by SIGTERM or Ctrl-C, from now on."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, setattr, self, "should_exit", True)


async def serve(
    keeper: Keeper, folder: Path, *, ports: Sequence[int], on_ready: Callable[[str], None]
) -> None:
    """Offer the chain on this machine until SIGTERM or Ctrl-C; say where in ``endpoint.json``.

    Args:
        keeper: Makes the blocks.
        folder: The chain's folder.
        ports: Tried in turn; 0 is a free one.
        on_ready: Called with the URL.

    Raises:
        PortTakenError: Other programs use the ports.
        JournalUnwritableError: The journal cannot be written; no block was shown.
        AnvilFailedError: The EVM ended.
    """
    app = Starlette(
        routes=[Route("/", Door(Proxy(keeper)).answer, methods=["OPTIONS", "POST"])],
        exception_handlers={GuildmarkError: _on_failure},
    )
    server = _Server(uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off"))
    with _listening(ports) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        failing = [asyncio.create_task(keeper.keep()), asyncio.create_task(_watch(keeper))]
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        # Whoever reads that it is ready may end it at once.
        server.end_by_signals()
        _publish(folder, keeper, url)
        on_ready(url)
        try:
            await asyncio.wait((serving, *failing), return_when=asyncio.FIRST_COMPLETED)
        finally:
            (folder / ENDPOINT).unlink(missing_ok=True)
            await _end(server, serving, failing)


async def _watch(keeper: Keeper) -> None:
    await keeper.evm.process.wait()
    raise AnvilFailedError("The EVM ended by itself.")


async def _end(
    server: uvicorn.Server, serving: asyncio.Task[None], failing: list[asyncio.Task[None]]
) -> None:
    """Finish what is under way, unless blocks cannot be made any more; raise why they cannot."""
    server.should_exit = True
    server.force_exit = any(task.done() for task in failing)
    await serving
    for task in failing:
        task.cancel()
    for outcome in await asyncio.gather(*failing, return_exceptions=True):
        if isinstance(outcome, GuildmarkError):
            raise outcome


@contextlib.contextmanager
def _listening(ports: Sequence[int]) -> Iterator[socket.socket]:
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if not any(_bound(listening, port) for port in ports):
            message = f"Port {ports[0]} of this machine is in use."
            raise PortTakenError(message, port=ports[0])
        # From now on connections wait instead of being refused.
        listening.listen()
        yield listening


def _bound(listening: socket.socket, port: int) -> bool:
    try:
        listening.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


def _publish(folder: Path, keeper: Keeper, url: str) -> None:
    endpoint = {
        "url": url,
        "pid": os.getpid(),
        "chainId": keeper.beginning.genesis.chain_id,
    }
    write_durably(folder / PORT_FILE, url.rpartition(":")[2].encode())
    write_durably(folder / ENDPOINT, orjson.dumps(endpoint, option=orjson.OPT_INDENT_2) + b"\n")
