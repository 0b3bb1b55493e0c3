"""A thin JSON-RPC client: one HTTP request for any number of calls, limits on all of them."""

import re
import weakref
from binascii import unhexlify
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from time import monotonic
from types import TracebackType
from typing import Any, Self, TypeAlias

import orjson

from guildmark.adapters.chain.carrier import Answer, Carrier, HttpCarrier, NotCarriedError
from guildmark.ports.chain import LedgerAnswerError, LedgerUnavailableError

Request: TypeAlias = tuple[str, list[Any]]

TIMEOUT = 10.0
PATIENCE = 120.0
"""How long a whole answer may take, however steadily it trickles."""
ANSWER_LIMIT = 64 * 1024 * 1024
_OK = 200
_SHOWN = 200


class RpcRefusedError(LedgerAnswerError):
    """The node answered a call with an error of its own."""

    code = "chain.nodeRefused"

    @property
    def rpc_code(self) -> int:
        """Return the JSON-RPC error code."""
        return int(str(self.detail["rpcCode"]))

    @property
    def data(self) -> bytes:
        """Return the revert data, empty where there is none."""
        data = self.detail["data"]
        return data if isinstance(data, bytes) else b""


@dataclass(slots=True, weakref_slot=True, kw_only=True)
class Rpc:
    """One node of a chain, by its URL; safe to use from several threads.

    Args:
        url: The node's.
        timeout: How many seconds to wait for each step of an exchange.
        patience: How many a whole answer may take.
        answer_limit: How many bytes an answer may have, unpacked.
        carrier: What carries the requests, the network by default.
    """

    url: str
    timeout: float = TIMEOUT
    patience: float = PATIENCE
    answer_limit: int = ANSWER_LIMIT
    carrier: Carrier | None = None
    _carrier: Carrier = field(init=False)

    def __post_init__(self) -> None:
        self._carrier = self.carrier or HttpCarrier(self.url)
        # A home lives as long as its process or test: nobody has to close it for its sockets' sake.
        weakref.finalize(self, self._carrier.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def place(self) -> str:
        """Return which node it is, for whoever reads a message."""
        return server_of(self.url)

    def close(self) -> None:
        """Close the connections."""
        self._carrier.close()

    def call(self, method: str, *params: Any) -> Any:
        """Return the result of one call.

        Raises:
            LedgerUnavailableError: The node cannot be reached in time.
            LedgerAnswerError: The answer is no JSON-RPC.
            RpcRefusedError: The node answered with an error.
        """
        return self.batch([(method, list(params))])[0]

    def batch(self, requests: Sequence[Request]) -> list[Any]:
        """Return the results of several calls, asked in one HTTP request; the node orders them.

        Raises:
            LedgerUnavailableError: The node cannot be reached in time.
            LedgerAnswerError: The answer is no JSON-RPC.
            RpcRefusedError: The node answered a call with an error; the first one is raised.
        """
        results = self.attempt(requests)
        for result in results:
            if isinstance(result, RpcRefusedError):
                raise result
        return results

    def attempt(self, requests: Sequence[Request]) -> list[Any]:
        """Return results as ``batch`` does, with each refusal in its place instead of raised.

        Raises:
            LedgerUnavailableError: The node cannot be reached in time.
            LedgerAnswerError: The answer is no JSON-RPC.
        """
        if not requests:
            return []
        calls = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
            for number, (method, params) in enumerate(requests)
        ]
        answer = self._post(orjson.dumps(calls if len(calls) > 1 else calls[0]))
        answers = answer if isinstance(answer, list) else [answer]
        by_id = {item.get("id"): item for item in answers if isinstance(item, dict)}
        return [self._result(by_id.get(number)) for number in range(len(calls))]

    def _post(self, body: bytes) -> Any:
        try:
            with closing(self._carrier.post(body, timeout=self.timeout)) as answer:
                content, status = self._content(answer), answer.status
        except NotCarriedError as exc:
            message = f"The chain's node at {self.place} does not answer: {exc}."
            raise LedgerUnavailableError(message, url=self.place) from exc
        if status != _OK:
            message = f"The chain's node at {self.place} answered with HTTP status {status}."
            raise LedgerUnavailableError(message, url=self.place, status=status)
        try:
            return orjson.loads(content)
        except orjson.JSONDecodeError as exc:
            raise self._malformed("no JSON") from exc

    def _content(self, answer: Answer) -> bytes:
        content, end = bytearray(), monotonic() + self.patience
        for piece in answer.pieces():
            content += piece
            if len(content) > self.answer_limit:
                raise self._malformed(f"more than {self.answer_limit} bytes")
            if monotonic() > end:
                message = f"The chain's node at {self.place} did not end its answer in time."
                raise LedgerUnavailableError(message, url=self.place)
        return bytes(content)

    def _result(self, answer: Any) -> Any:
        if not isinstance(answer, dict):
            raise self._malformed("a call without answer")
        error = answer.get("error")
        if error is None:
            if "result" not in answer:
                raise self._malformed("neither result nor error")
            return answer["result"]
        if not isinstance(error, dict):
            raise self._malformed("an error that is no object")
        return _refusal(error)

    def _malformed(self, found: str) -> LedgerAnswerError:
        message = f"The chain's node at {self.place} answered with {found}."
        return LedgerAnswerError(message, url=self.place)


def server_of(url: str) -> str:
    """Return the server of a URL: name, password, path and query may hold its reader's secrets."""
    scheme, _, rest = url.partition("://")
    server = re.split(r"[/?#]", rest, maxsplit=1)[0]
    return f"{scheme}://{server.rpartition('@')[2]}"


def _refusal(error: dict[str, Any]) -> RpcRefusedError:
    text = str(error.get("message", ""))[:_SHOWN]
    code = error.get("code")
    return RpcRefusedError(
        f"The chain's node refused the call: {text}",
        rpcCode=code if isinstance(code, int) else 0,
        rpcMessage=text,
        data=_revert_data(error.get("data")),
    )


def _revert_data(data: Any) -> bytes:
    # anvil and geth give the bytes bare, Hardhat wraps them in an object.
    if isinstance(data, dict):
        return _revert_data(data.get("data"))
    if not (isinstance(data, str) and data.startswith("0x")):
        return b""
    try:
        return bytes.fromhex(data[2:])
    except ValueError:
        return b""


def quantity(value: Any) -> int:
    """Return the number that a JSON-RPC quantity writes.

    Raises:
        LedgerAnswerError: Anything else.
    """
    if isinstance(value, str) and value.startswith("0x"):
        try:
            return int(value, 16)
        except ValueError:
            pass
    message = f"The chain's node answered {str(value)[:_SHOWN]!r} where a number belongs."
    raise LedgerAnswerError(message)


def data(value: Any, size: int | None = None) -> bytes:
    """Return the bytes that a JSON-RPC answer writes.

    Raises:
        LedgerAnswerError: Anything else, or another size.
    """
    if isinstance(value, str) and value[:2] == "0x":
        try:
            found = unhexlify(value[2:])
        except ValueError:
            found = None
        if found is not None and (size is None or size == len(found)):
            return found
    message = f"The chain's node answered {str(value)[:_SHOWN]!r} where bytes belong."
    raise LedgerAnswerError(message)
