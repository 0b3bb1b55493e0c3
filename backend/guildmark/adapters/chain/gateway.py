"""A hub's door to the chain for shops that joined: they read, and send what they signed themselves.

The hub passes bytes on, signs none of them and cannot change one; it can keep them back.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson

from guildmark.adapters.chain.methods import READS, SEND
from guildmark.adapters.chain.rpc import Rpc, RpcRefusedError
from guildmark.domain.chain.ethproof import rlp
from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.errors import GuildmarkError, MalformedError
from guildmark.domain.identifiers import Address, from_hex
from guildmark.domain.signatures import recover_address

Answer: TypeAlias = Mapping[str, Any]

BODY_MAX = 1 << 20
BATCH_MAX = 400

_TYPE = 2
_FIELDS = 12
_SIGNED = 9
_V_BASE = 27
_INVALID_REQUEST = -32600
_METHOD_NOT_FOUND = -32601
_REJECTED = -32003


class GatewayBodyError(MalformedError):
    """What was sent to the hub's door to the chain is no JSON-RPC."""

    code = "invitation.callMalformed"
    hint = f"Send JSON-RPC 2.0, at most {BATCH_MAX} calls at once."


@dataclass(frozen=True, slots=True)
class Gateway:
    """Passes the calls of accounts that joined to the hub's own node of the chain."""

    rpc: Rpc

    def answer(self, body: bytes, account: Address) -> bytes:
        """Return the answers to JSON-RPC calls in the name of an account.

        Raises:
            GatewayBodyError: The body is no JSON-RPC.
            LedgerUnavailableError: The chain's node cannot be reached.
        """
        calls = _calls(body)
        refused = [_refusal(call, account) for call in calls]
        good = [call for call, why in zip(calls, refused, strict=True) if why is None]
        found = iter(self.rpc.attempt([(call["method"], call.get("params", [])) for call in good]))
        answers = [
            _answer(call, next(found) if why is None else why)
            for call, why in zip(calls, refused, strict=True)
        ]
        return orjson.dumps(answers if body.lstrip()[:1] == b"[" else answers[0])


def sender_of(raw: bytes) -> Address:
    """Return who signed a raw transaction (EIP-1559).

    Raises:
        MalformedError: It is none, or its signature is none.
    """
    fields = rlp.decode(raw[1:]) if raw[:1] == bytes([_TYPE]) else b""
    if isinstance(fields, bytes) or len(fields) != _FIELDS:
        message = "The bytes are no transaction of type 2."
        raise GatewayBodyError(message)
    digest = keccak256(raw[:1] + rlp.encode(fields[:_SIGNED]))
    parity, r, s = (rlp.integer(field) for field in fields[_SIGNED:])
    if parity > 1:
        message = "The signature of the transaction is none."
        raise GatewayBodyError(message)
    words = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return recover_address(digest, words + bytes([_V_BASE + parity]))


def _calls(body: bytes) -> Sequence[Answer]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        message = "The body is no JSON."
        raise GatewayBodyError(message) from exc
    calls = document if isinstance(document, list) else [document]
    if not 1 <= len(calls) <= BATCH_MAX or not all(_is_call(call) for call in calls):
        message = f"The body is not 1 to {BATCH_MAX} calls."
        raise GatewayBodyError(message)
    return calls


def _is_call(call: object) -> bool:
    return (
        isinstance(call, dict)
        and isinstance(call.get("method"), str)
        and isinstance(call.get("params", []), list)
    )


def _refusal(call: Answer, account: Address) -> RpcRefusedError | None:
    if call["method"] in READS:
        return None
    if call["method"] != SEND:
        return _refused(_METHOD_NOT_FOUND, f"{call['method'][:80]} is not offered here")
    try:
        (raw,) = call.get("params", [])
        sender = sender_of(from_hex(str(raw).lower()))
    except (GuildmarkError, ValueError) as error:
        return _refused(_INVALID_REQUEST, f"expected one signed transaction: {error}")
    if sender != account:
        return _refused(_REJECTED, "only the account that joined may send here")
    return None


def _refused(code: int, reason: str) -> RpcRefusedError:
    return RpcRefusedError(reason, rpcCode=code, rpcMessage=reason, data=b"")


def _answer(call: Answer, found: object) -> Answer:
    number = call.get("id")
    if not isinstance(found, RpcRefusedError):
        return {"jsonrpc": "2.0", "id": number, "result": found}
    error = {
        "code": found.rpc_code,
        "message": str(found.detail["rpcMessage"]),
        **({"data": "0x" + found.data.hex()} if found.data else {}),
    }
    return {"jsonrpc": "2.0", "id": number, "error": error}
