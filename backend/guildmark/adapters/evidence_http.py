"""Where the stand-alone verifier gets bundles and blocks on line; the standard library alone.

Nothing that arrives here is trusted: bundles are checked, and a chain's node is the reader's own.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, NoReturn, Self
from urllib.parse import quote

from guildmark.adapters.addresses import split_url
from guildmark.domain.chain.contracts import (
    AccountProof,
    ChainClass,
    ChainPin,
    ContractName,
    ContractPin,
    SlotProof,
)
from guildmark.domain.chain.ethproof.header import HEADER_FIELDS, encode_header
from guildmark.domain.encoding import strictjson
from guildmark.domain.encoding.archive import DEFAULT_LIMITS
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.encoding.strictjson import JsonValue
from guildmark.domain.errors import (
    GuildmarkError,
    MalformedError,
    NetworkError,
    NotFinalError,
    NotFoundError,
    UncheckableError,
    UsageError,
)
from guildmark.domain.identifiers import (
    Address,
    ChainId,
    Digest,
    Index,
    LogNumber,
    from_hex,
    to_hex,
)
from guildmark.domain.log.positions import read_position, read_positions
from guildmark.domain.trust import TrustedBlock
from guildmark.domain.verification.case import Sighting
from guildmark.domain.verification.choice import ANYBODY, Choice

if TYPE_CHECKING:
    from http.client import HTTPResponse
    from socket import socket

TIMEOUT = 10.0
"""Seconds to wait for a connection, and for each further piece of an answer."""
DEADLINE = 60.0
"""Seconds in which an answer must be whole: whoever sends a byte now and then holds up nobody."""
_RPC_LIMITS = strictjson.Limits(size=4 << 20)
_TRUST, _TRUST_MAX = "/.well-known/guildmark-trust.json", 1 << 20
_WORD = 32
_SLOTS_A_CALL = 64
"""Of how many slots one call asks for proofs, so that no answer is too long to be read."""
# The members of IDirectory.Contracts, in order.
_LISTED = (
    ContractName.IDENTITIES,
    ContractName.DESIGNS,
    ContractName.LICENSES,
    ContractName.RECIPES,
    ContractName.LOG,
    ContractName.PARTS,
    ContractName.EQUIVALENCE,
    ContractName.RECALLS,
)


class SourceAddressError(UsageError):
    """An address that is no plain http or https URL."""

    code = "source.addressInvalid"
    hint = "Give an address that begins with http:// or https://."


class SourceInsecureError(UsageError):
    """Whom to trust would be read over a connection that anybody on the way can change."""

    code = "source.insecure"
    hint = "Give the address that begins with https://."


class SourceUnreachableError(NetworkError):
    """A node could not be reached, or took too long."""

    code = "source.unreachable"


class SourceNotFinalError(NotFinalError):
    """The node has the entry, but no final block that proves it, or none so old."""

    code = "source.notFinal"
    hint = "Wait for the chain to make the part's block final, or name a later block."


class SourceErasedError(UncheckableError):
    """The node counts the entry, and its content was erased."""

    code = "source.erased"
    hint = "Nothing gives it back. A bundle that was saved before still verifies."


class SourceAnswerError(NetworkError):
    """A node's answer is not what was asked for."""

    code = "source.answerInvalid"
    hint = "Ask another node."


class DirectoryMissingError(NotFoundError):
    """There is no directory of a deployment at an address."""

    code = "source.directoryMissing"
    hint = "Give the directory's address that the operator publishes, on the chain of this node."


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A Guildmark node that gives out bundles.

    Args:
        timeout: Seconds to wait for each piece of an answer.
        deadline: Seconds in which an answer must be whole.
    """

    url: str
    timeout: float = TIMEOUT
    deadline: float = DEADLINE

    def bundle(
        self, log: LogNumber, index: Index, *, block: int | None, choice: Choice = ANYBODY
    ) -> bytes | None:
        """Return a part's bundle at a block, None where the node holds no such part.

        Args:
            log: The log.
            index: The entry's index in it.
            block: The block of the proofs, None for the newest final one.
            choice: Whom the asker lists: they go before others where not all can be shown.

        Raises:
            SourceUnreachableError: The node could not be reached.
            SourceNotFinalError: The part is not final at that block.
            SourceErasedError: Its content was erased.
            SourceAnswerError: It answered with an error of its own, or with too many bytes.
        """
        asked = [*_named(choice)] if block is None else [f"block={block}", *_named(choice)]
        query = f"?{'&'.join(asked)}" if asked else ""
        return self._get(f"/v1/parts/{log}.{index}/bundle{query}")

    def positions(self, label: str) -> Sequence[tuple[LogNumber, Index]]:
        """Return the positions that the node knows for a label, the first known one first.

        Raises:
            SourceUnreachableError: The node could not be reached.
            SourceAnswerError: It answered with something else.
        """
        answer = self._get(f"/v1/parts?label={quote(label, safe='')}")
        if answer is None:
            return ()
        try:
            return read_positions(answer)
        except MalformedError as error:
            message = f"The node's answer cannot be read. {error.message}"
            raise SourceAnswerError(message) from error

    def find(self, label: str) -> tuple[LogNumber, Index] | None:
        """Return the first position that the node knows for a label, None where it knows none.

        Raises:
            SourceUnreachableError: The node could not be reached.
            SourceAnswerError: It answered with something else.
        """
        return next(iter(self.positions(label)), None)

    def find_serial(self, serial: str, gtin: str | None) -> tuple[LogNumber, Index] | None:
        """Return where the node knows a serial, below a GTIN or of its operator's own.

        Raises:
            SourceUnreachableError: The node could not be reached.
            SourceAnswerError: It answered with something else.
        """
        below = "" if gtin is None else f"&gtin={gtin}"
        answer = self._get(f"/v1/serials?serial={quote(serial, safe='')}{below}")
        if answer is None:
            return None
        try:
            return read_position(answer)
        except MalformedError as error:
            message = f"The node's answer cannot be read. {error.message}"
            raise SourceAnswerError(message) from error

    def record_proof(self, log: LogNumber, seq: int) -> bytes | None:
        """Return the proof that a record is in its log's newest checkpoint, None for no record.

        Raises:
            SourceUnreachableError: The node could not be reached.
            SourceAnswerError: It answered with an error of its own, or with too many bytes.
        """
        return self._get(f"/v1/logs/{log}/records/{seq}/proof")

    def published_trust(self) -> bytes | None:
        """Return the list by which the host's own pages judge, None where it publishes none.

        Raises:
            SourceInsecureError: The list could be changed on its way.
            SourceUnreachableError: The host could not be reached.
            SourceAnswerError: It answered with an error of its own, or with too many bytes.
        """
        address = _Address.of(self.url)
        if not address.is_secure and not address.is_own_machine:
            message = f"What {address.host} sends without TLS could be changed on its way."
            raise SourceInsecureError(message, host=address.host)
        return address.ask(_TRUST, patience=self._patience, limit=_TRUST_MAX)

    def _get(self, path: str) -> bytes | None:
        address = _Address.of(self.url)
        return address.ask(path, patience=self._patience, limit=DEFAULT_LIMITS.size)

    @property
    def _patience(self) -> "_Patience":
        return _Patience(timeout=self.timeout, deadline=self.deadline)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """The reader's own node of a chain, by JSON-RPC."""

    url: str
    timeout: float = TIMEOUT

    def sighting(self, number: int) -> Sighting:
        """Return what the node says of a block; an answer that cannot be used counts as none."""
        try:
            chain, block, final = self.identity(), self.block(number), self.final_block()
        except NetworkError:
            return Sighting(is_reached=False)
        return Sighting(
            is_reached=True,
            hash=None if block is None else block.hash,
            is_final=final is not None and number <= final.number,
            chain=chain,
        )

    def final_block(self) -> TrustedBlock | None:
        """Return the newest block that the node calls final, None where it knows none.

        Raises:
            SourceUnreachableError: The node could not be reached.
            SourceAnswerError: It answered with something else.
        """
        return self._block("finalized")

    def block(self, number: int) -> TrustedBlock | None:
        """Return a block, None where the node does not have it (yet).

        Raises:
            SourceUnreachableError: The node could not be reached.
            SourceAnswerError: It answered with something else.
        """
        return self._block(hex(number))

    def block_by(self, time: int) -> int | None:
        """Return the number of the newest final block by a time, None where there is none.

        Raises:
            SourceUnreachableError: The node could not be reached.
            SourceAnswerError: It answered with something else.
        """
        newest = self.final_block()
        low, high = -1, -1 if newest is None else newest.number
        while low < high:
            middle = (low + high + 1) // 2
            found = self.block(middle)
            if found is None:
                _refuse(f"it lacks block {middle} below its newest one")
            if found.time <= time:
                low = middle
            else:
                high = middle - 1
        return None if low < 0 else low

    def header(self, tag: str) -> bytes | None:
        """Return the header of the ``latest`` or the ``finalized`` block, None where none is.

        Raises:
            SourceUnreachableError: The node could not be reached.
            SourceAnswerError: It answered with something else.
        """
        answer = self._call("eth_getBlockByNumber", tag, False)
        if answer is None:
            return None
        block = _object(answer)
        encoded = encode_header(
            {
                name: _quantity(block[name]) if is_number else _hex(block[name])
                for name, is_number in HEADER_FIELDS
                if block.get(name) is not None
            }
        )
        if keccak256(encoded) != _digest(block.get("hash")):
            _refuse("a header does not hash to its block's hash")
        return encoded

    def proof(
        self, pin: ChainPin, number: int, slots: Mapping[ContractName, Sequence[bytes]]
    ) -> Mapping[ContractName, AccountProof]:
        """Return one account proof a contract at a block, with a proof of each slot.

        Raises:
            SourceUnreachableError: The node could not be reached.
            SourceAnswerError: It has no such proofs, or answered with something else.
        """
        return {
            name: self._proof_of(pin.contracts[name].address, wanted, hex(number))
            for name, wanted in slots.items()
        }

    def _proof_of(self, address: Address, slots: Sequence[bytes], block: str) -> AccountProof:
        parts = [slots[at : at + _SLOTS_A_CALL] for at in range(0, len(slots), _SLOTS_A_CALL)]
        answers = [
            _object(self._call("eth_getProof", to_hex(address), list(map(to_hex, part)), block))
            for part in parts or [()]
        ]
        first = answers[0]
        return AccountProof(
            address=address,
            nonce=_quantity(first.get("nonce")),
            balance=_quantity(first.get("balance")),
            storage_root=_digest(first.get("storageHash")),
            code_hash=_digest(first.get("codeHash")),
            nodes=_nodes(first.get("accountProof")),
            slots=tuple(
                one
                for part, answer in zip(parts, answers, strict=False)
                for one in _slot_proofs(part, answer.get("storageProof"))
            ),
        )

    def pin(self, directory: Address, chain_class: ChainClass) -> ChainPin:
        """Return what pins this chain and the deployment that a directory lists.

        Raises:
            SourceUnreachableError: The node could not be reached.
            SourceAnswerError: It answered with something else.
            DirectoryMissingError: No directory is there.
        """
        chain_id, genesis = self.identity()
        addresses = self._listed(directory)
        return ChainPin(
            chain_id=chain_id,
            genesis=genesis,
            chain_class=chain_class,
            contracts={name: self._pin_of(address) for name, address in addresses},
        )

    def identity(self) -> tuple[ChainId, Digest]:
        """Return the chain's id and the hash of its first block.

        Raises:
            SourceUnreachableError: The node could not be reached.
            SourceAnswerError: It answered with something else.
        """
        genesis = self.block(0)
        if genesis is None:
            _refuse("it has no first block")
        return ChainId(_quantity(self._call("eth_chainId"))), genesis.hash

    def _listed(self, directory: Address) -> Sequence[tuple[ContractName, Address]]:
        selector = keccak256(b"contracts()")[:4]
        call = {"to": to_hex(directory), "data": to_hex(selector)}
        answer = _hex(self._call("eth_call", call, "latest"))
        if len(answer) != _WORD * len(_LISTED):
            message = f"There is no directory at {to_hex(directory)}."
            raise DirectoryMissingError(message, directory=to_hex(directory))
        words = [answer[at : at + _WORD] for at in range(0, len(answer), _WORD)]
        listed = [(name, Address(word[12:])) for name, word in zip(_LISTED, words, strict=True)]
        return [*listed, (ContractName.DIRECTORY, directory)]

    def _pin_of(self, address: Address) -> ContractPin:
        code = _hex(self._call("eth_getCode", to_hex(address), "latest"))
        if not code:
            message = f"There is no code at {to_hex(address)}, which the directory lists."
            raise DirectoryMissingError(message, address=to_hex(address))
        return ContractPin(address=address, code_hash=keccak256(code))

    def _block(self, tag: str) -> TrustedBlock | None:
        answer = self._call("eth_getBlockByNumber", tag, False)
        if answer is None:
            return None
        block = _object(answer)
        return TrustedBlock(
            number=_quantity(block.get("number")),
            hash=_digest(block.get("hash")),
            time=_quantity(block.get("timestamp")),
        )

    def _call(self, method: str, *params: JsonValue) -> JsonValue:
        body = canonical({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
        address = _Address.of(self.url)
        patience = _Patience(timeout=self.timeout, deadline=DEADLINE)
        answer = address.ask("", body, patience=patience, limit=_RPC_LIMITS.size)
        result = _object(_parse(answer or b""))
        if "error" in result or "result" not in result:
            _refuse(f"it refused {method}")
        return result["result"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Patience:
    """How long one waits: for each piece of an answer, and for the whole; in seconds."""

    timeout: float
    deadline: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Address:
    """Where to connect, and the path that every request begins with."""

    is_secure: bool
    host: str
    port: int | None
    base: str

    @property
    def is_own_machine(self) -> bool:
        """Return whether nothing leaves this machine."""
        return self.host == "localhost" or self.host.startswith("127.") or self.host == "::1"

    @classmethod
    def of(cls, url: str) -> Self:
        parts = split_url(url)
        if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
            message = f"{url[:80]!r} is no http or https address."
            raise SourceAddressError(message, found=ascii(url[:80]))
        return cls(
            is_secure=parts.scheme == "https",
            host=parts.hostname,
            port=parts.port,
            base=parts.path.rstrip("/"),
        )

    def ask(
        self, path: str, body: bytes | None = None, *, patience: _Patience, limit: int
    ) -> bytes | None:
        """Return the body of the answer to GET, or POST where there is a body; None for 404.

        No redirect is followed: whoever is asked answers.
        """
        # Who verifies a file connects to nobody, and need not wait for TLS to be loaded.
        from http.client import (  # noqa: PLC0415 - see above
            HTTPConnection,
            HTTPException,
            HTTPSConnection,
        )

        connect = HTTPSConnection if self.is_secure else HTTPConnection
        connection = connect(self.host, self.port, timeout=patience.timeout)
        method, headers = "GET", {"accept": "*/*"}
        if body is not None:
            method, headers = "POST", {"content-type": "application/json"}
        try:
            connection.request(method, f"{self.base}{path}" or "/", body, headers)
            # An answer that ends the connection holds it alone: unread, it must be closed itself.
            with _cut_off(connection.sock, patience.deadline), connection.getresponse() as answer:
                return _body(answer, limit)
        except (OSError, HTTPException) as error:
            # Neither path nor query: they may name parts.
            message = f"{self.host} could not be reached."
            raise SourceUnreachableError(message, host=self.host) from error
        finally:
            connection.close()


@contextmanager
def _cut_off(connected: "socket", seconds: float) -> Iterator[None]:
    """End a connection that is not done in time, however often a byte comes.

    Raises:
        TimeoutError: It was ended.
    """
    from socket import SHUT_RDWR, socket  # noqa: PLC0415 - loaded with the connection
    from threading import Event, Timer  # noqa: PLC0415 - as above

    is_late = Event()

    def cut() -> None:
        is_late.set()
        with suppress(OSError):
            # Of the connection below TLS: that of TLS must stay for who reads from it.
            socket.shutdown(connected, SHUT_RDWR)

    timer = Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if is_late.is_set():
            # What came until then may look whole.
            raise TimeoutError


def _named(choice: Choice) -> Iterator[str]:
    for what in ("authorities", "issuers", "inspectors"):
        named = ",".join(map(to_hex, getattr(choice, what)))
        if named:
            yield f"{what}={named}"


def _body(answer: "HTTPResponse", limit: int) -> bytes | None:
    if answer.status == HTTPStatus.NOT_FOUND:
        return None
    if answer.status == HTTPStatus.GONE:
        message = "The part is withheld (erased): its node says that its content is gone."
        raise SourceErasedError(message)
    if answer.status == HTTPStatus.CONFLICT:
        message = "The node has no final block that proves the part as asked."
        raise SourceNotFinalError(message)
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        message = f"The node is out of order: it answered {answer.status}."
        raise SourceUnreachableError(message, status=answer.status)
    if answer.status != HTTPStatus.OK:
        _refuse(f"it answered {answer.status}")
    data = answer.read(limit + 1)
    if len(data) > limit:
        _refuse(f"it has more than {limit} bytes")
    return data


def _parse(data: bytes) -> JsonValue:
    try:
        return strictjson.parse(data, _RPC_LIMITS)
    except GuildmarkError as error:
        message = f"The node's answer cannot be read. {error.message}"
        raise SourceAnswerError(message) from error


def _object(value: JsonValue) -> strictjson.JsonObject:
    if not isinstance(value, dict):
        _refuse("it is no object")
    return value


def _quantity(value: JsonValue) -> int:
    try:
        number = int(value, 16) if isinstance(value, str) else -1
    except ValueError:
        number = -1
    if number < 0:
        _refuse("a quantity is missing")
    return number


def _hex(value: JsonValue) -> bytes:
    try:
        return from_hex(value if isinstance(value, str) else "")
    except GuildmarkError:
        _refuse("bytes are missing")


def _slot_proofs(slots: Sequence[bytes], answer: JsonValue) -> Sequence[SlotProof]:
    if not isinstance(answer, list) or len(answer) != len(slots):
        _refuse("proofs of slots are missing")
    found = [_object(one) for one in answer]
    return [
        SlotProof(slot=slot, value=_quantity(one.get("value")), nodes=_nodes(one.get("proof")))
        for slot, one in zip(slots, found, strict=True)
    ]


def _nodes(value: JsonValue) -> tuple[bytes, ...]:
    if not isinstance(value, list):
        _refuse("a proof is missing")
    nodes = tuple(_hex(node) for node in value)
    # anvil writes the empty trie as one node, 0x80; a proof of nothing has no nodes.
    return () if nodes == (b"\x80",) else nodes


def _digest(value: JsonValue) -> Digest:
    data = _hex(value)
    if len(data) != _WORD:
        _refuse("a hash has another size")
    return Digest(data)


def _refuse(reason: str) -> NoReturn:
    message = f"The node's answer is not what was asked for: {reason}."
    raise SourceAnswerError(message, reason=reason)
