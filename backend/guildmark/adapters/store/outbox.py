"""The outbox in SQL: each method that changes something is one durable transaction."""

import os
import re
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple, Self

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Engine,
    ForeignKey,
    Index,
    Insert,
    LargeBinary,
    Row,
    String,
    Table,
    Text,
    bindparam,
    exists,
    false,
    func,
    insert,
    or_,
    select,
    update,
)

from guildmark.adapters.store.engine import reading, writing
from guildmark.adapters.store.schema import (
    INSERTS,
    METADATA,
    execute_one,
    upsert,
    whole,
)
from guildmark.domain.chain.contracts import ChainPin, ContractName
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Address, ChainId, Digest, to_hex
from guildmark.ports.chain import Call, TransactionId, WriterBusyError
from guildmark.ports.keys import KeyName

TRANSACTIONS = Table(
    "transactions",
    METADATA,
    Column("number", whole(), primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("idempotency", String, nullable=False),
    Column("chain_id", BigInteger, nullable=False),
    Column("request", LargeBinary, nullable=False),
    Column("key", String, nullable=False),
    Column("sender", LargeBinary, nullable=False),
    Column("contract", String, nullable=False),
    Column("function", String, nullable=False),
    Column("target", LargeBinary, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("gas", whole()),
    Column("value", String, nullable=False),
    Column("nonce", whole()),
    Column("state", String, nullable=False),
    Column("changed", whole(), nullable=False),
    Column("hash", LargeBinary),
    Column("block_number", whole()),
    Column("block_hash", LargeBinary),
    Column("block_time", whole()),
    Column("gas_used", whole()),
    Column("logs", Text),
    Column("code", String),
    Column("reason", Text),
    Index("transactions_by_state", "state"),
    sqlite_autoincrement=True,
)

ATTEMPTS = Table(
    "attempts",
    METADATA,
    Column("hash", LargeBinary, primary_key=True),
    Column("transaction", whole(), ForeignKey(TRANSACTIONS.c.number), nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("nonce", whole(), nullable=False),
    Column("gas", whole(), nullable=False),
    Column("max_fee", String, nullable=False),
    Column("priority", String, nullable=False),
    Column("at", whole(), nullable=False),
    Column("cancels", Boolean, nullable=False, server_default=false()),
    Index("attempts_by_transaction", "transaction"),
)

NONCES = Table(
    "nonces",
    METADATA,
    Column("chain_id", BigInteger, primary_key=True),
    Column("sender", LargeBinary, primary_key=True),
    Column("next", whole(), nullable=False),
    Column("owner", String),
    Column("token", whole(), nullable=False, server_default="0"),
    Column("until", whole(), nullable=False, server_default="0"),
)

# Made once: making a query takes longer than to find one row by it.
_BY_ID = select(TRANSACTIONS).where(TRANSACTIONS.c.id == bindparam("id"))
_ATTEMPTS_OF = (
    select(ATTEMPTS)
    .where(ATTEMPTS.c.transaction.in_(bindparam("numbers", expanding=True)))
    .order_by(ATTEMPTS.c.at, ATTEMPTS.c.max_fee.cast(BigInteger))
)
_CHANGE = update(TRANSACTIONS).where(
    TRANSACTIONS.c.number == bindparam("of"), TRANSACTIONS.c.state == bindparam("seen")
)
_STATE = (
    select(TRANSACTIONS.c.state)
    .where(TRANSACTIONS.c.number == bindparam("number"))
    .with_for_update()
)
_SIGNED = update(TRANSACTIONS).where(TRANSACTIONS.c.number == bindparam("of"))
_ATTEMPT = insert(ATTEMPTS)
_WRITER = (
    select(NONCES.c.next, NONCES.c.owner, NONCES.c.token, NONCES.c.until)
    .where(NONCES.c.chain_id == bindparam("chain_id"), NONCES.c.sender == bindparam("sender"))
    .with_for_update()
)
_OWN = update(NONCES).where(
    NONCES.c.chain_id == bindparam("chain"), NONCES.c.sender == bindparam("of")
)

# A process that signed and is silent for this long has no claim on the key any more.
LEASE_SECONDS = 10

_PROCESS = re.compile(r"process (\d+) on (.+)", re.ASCII)


class State(StrEnum):
    """Where a transaction is on its way (trust model, "Faults")."""

    REQUESTED = "requested"
    SIGNED = "signed"
    SENT = "sent"
    INCLUDED = "included"
    FINAL = "final"
    FAILED = "failed"


OPEN = (State.REQUESTED, State.SIGNED, State.SENT, State.INCLUDED)

_OPEN_OF_KEY = exists().where(
    TRANSACTIONS.c.chain_id == NONCES.c.chain_id,
    TRANSACTIONS.c.sender == NONCES.c.sender,
    # Not `in_`, whose text is made anew for each number of values.
    or_(
        *(TRANSACTIONS.c.state == each.value for each in (State.SIGNED, State.SENT, State.INCLUDED))
    ),
)
_LET_GO = update(NONCES).where(NONCES.c.owner == bindparam("mine"), ~_OPEN_OF_KEY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A signed transaction as it is sent; one that is replaced stays on record.

    Args:
        cancels: Whether it does nothing but use up the nonce.
    """

    hash: Digest
    raw: bytes
    nonce: int
    gas: int
    max_fee: int
    priority: int
    cancels: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What shall be done, before it is signed."""

    id: TransactionId
    idempotency: str
    chain_id: ChainId
    digest: Digest
    key: KeyName
    sender: Address
    contract: str
    function: str
    target: Address
    data: bytes
    gas: int | None
    value: int = 0

    @classmethod
    def of_call(
        cls,
        chain: ChainPin,
        call: Call,
        *,
        data: bytes,
        key: KeyName,
        sender: Address,
        idempotency: str,
    ) -> Self:
        """Return the request for a call of one of the chain's contracts."""
        contract = call.contract
        place = chain.contracts[contract] if isinstance(contract, ContractName) else contract
        target = place.address
        return cls(
            id=_id(chain.chain_id, idempotency),
            idempotency=idempotency,
            chain_id=chain.chain_id,
            digest=sha256(sender + target + data + _paid(call.value)),
            key=key,
            sender=sender,
            contract=str(contract),
            function=call.function,
            target=target,
            data=data,
            gas=call.gas,
            value=call.value,
        )

    def named(self, idempotency: str) -> Self:
        """Return the same request under another name."""
        named = _id(self.chain_id, idempotency)
        return replace(self, id=named, idempotency=idempotency)

    @classmethod
    def empty(cls, other: Self, nonce: int, *, gas: int) -> Self:
        """Return the request that sends nothing to the sender of ``other`` itself."""
        idempotency = f"nonce:{to_hex(other.sender)}:{nonce}"
        return replace(
            other,
            id=_id(other.chain_id, idempotency),
            idempotency=idempotency,
            digest=sha256(other.sender + other.sender),
            contract="",
            function="",
            target=other.sender,
            data=b"",
            gas=gas,
            value=0,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A transaction of the outbox with all its attempts, the newest last."""

    number: int
    request: Request
    state: State
    changed: int
    nonce: int | None
    attempts: tuple[Attempt, ...]
    hash: Digest | None
    block_number: int | None = None
    block_hash: Digest | None = None
    block_time: int | None = None
    gas_used: int | None = None
    logs: str | None = None
    code: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """New values of a transaction that is in one of the states ``seen``."""

    number: int
    seen: State
    values: Mapping[str, Any]

    @property
    def is_settled(self) -> bool:
        """Return whether nothing can happen to the transaction any more."""
        return self.values["state"] in {State.FINAL, State.FAILED}


class _Writer(NamedTuple):
    """Who writes with a key, as a row says it.

    Args:
        next: The nonce that is taken next.
        owner: The process, None for none.
        token: Its fencing token.
        until: The second at which the owner, should it stay silent, loses the key.
    """

    next: int
    owner: str | None
    token: int
    until: int


def this_process() -> str:
    """Return the name under which this process owns keys."""
    return f"process {os.getpid()} on {socket.gethostname()}"


@dataclass(frozen=True, slots=True)
class OutboxTable:
    """The outbox of a home.

    A key has one writer at a time: who signs owns the key for some seconds, or until everything
    that was signed with it is settled; each change of owner raises the key's fencing token.

    Args:
        owner: Names this process.
    """

    engine: Engine
    owner: Callable[[], str] = this_process

    def find(self, transaction: TransactionId) -> Outgoing | None:
        """Return a transaction by its id."""
        with reading(self.engine) as connection:
            found = _outgoings(connection, connection.execute(_BY_ID, {"id": transaction}))
        return found[0] if found else None

    def open(self, chain_id: ChainId, limit: int) -> Sequence[Outgoing]:
        """Return the oldest transactions that are neither final nor failed."""
        states = [state.value for state in OPEN]
        condition = TRANSACTIONS.c.state.in_(states) & (TRANSACTIONS.c.chain_id == chain_id)
        with reading(self.engine) as connection:
            return _select(connection, condition, limit)

    def oldest(self, chain_id: ChainId) -> int | None:
        """Return since when the oldest open transaction is on its way, None without one."""
        states = [state.value for state in OPEN]
        condition = TRANSACTIONS.c.state.in_(states) & (TRANSACTIONS.c.chain_id == chain_id)
        signed = (
            select(func.min(ATTEMPTS.c.at))
            .join(TRANSACTIONS, ATTEMPTS.c.transaction == TRANSACTIONS.c.number)
            .where(condition)
        )
        requested = select(func.min(TRANSACTIONS.c.changed)).where(
            condition & (TRANSACTIONS.c.state == State.REQUESTED.value)
        )
        with reading(self.engine) as connection:
            found = [connection.execute(query).scalar_one() for query in (signed, requested)]
        return min((one for one in found if one is not None), default=None)

    def after(self, number: int, chain_id: ChainId, limit: int) -> Sequence[Outgoing]:
        """Return the next transactions of a chain behind a number, in order."""
        condition = (TRANSACTIONS.c.number > number) & (TRANSACTIONS.c.chain_id == chain_id)
        with reading(self.engine) as connection:
            return _select(connection, condition, limit)

    def counters(self, chain_id: ChainId) -> Mapping[Address, int]:
        """Return for each sender the nonce that it takes next."""
        query = select(NONCES.c.sender, NONCES.c.next).where(NONCES.c.chain_id == chain_id)
        with reading(self.engine) as connection:
            rows = connection.execute(query).all()
        return {Address(row.sender): row.next for row in rows}

    def newest(self, limit: int) -> Sequence[Outgoing]:
        """Return the newest transactions of all chains, settled ones too, newest first."""
        newest = select(TRANSACTIONS.c.number).order_by(TRANSACTIONS.c.number.desc()).limit(limit)
        with reading(self.engine) as connection:
            found = _select(connection, TRANSACTIONS.c.number.in_(newest))
        return found[::-1]

    def request(self, request: Request, *, at: int) -> None:
        """Store what shall be done; nothing where the id is there already."""
        with writing(self.engine) as connection:
            _store(connection, request, at)

    def enter(
        self, request: Request, sign: Callable[[int], Attempt], *, floor: int, at: int
    ) -> Outgoing | None:
        """Store what shall be done and what ``sign`` makes of it, in one transaction.

        Nothing happens where the id is there already.

        Args:
            request: What shall be done.
            sign: Signs with a nonce.
            floor: The lowest nonce that the chain can still take of this sender.
            at: The time now.

        Raises:
            WriterBusyError: Another process owns the key; nothing was stored.
        """
        with writing(self.engine) as connection:
            number = _store(connection, request, at)
            if number is None:
                return None
            attempt = sign(_own(connection, request, self.owner(), at, floor=floor))
            _attempt(connection, number, attempt, at)
        return Outgoing(
            number=number,
            request=request,
            state=State.SIGNED,
            changed=at,
            nonce=attempt.nonce,
            attempts=(attempt,),
            hash=attempt.hash,
        )

    def sign(
        self, outgoing: Outgoing, sign: Callable[[int], Attempt], *, floor: int, at: int
    ) -> None:
        """Take the sender's next nonce and store what ``sign`` makes of it, in one transaction.

        Nothing happens where another process signed it in between. The write lock is held from
        the beginning, so that a sender's nonces have one writer at a time.

        Args:
            outgoing: A requested transaction.
            sign: Signs with a nonce.
            floor: The lowest nonce that the chain can still take of this sender.
            at: The time now.

        Raises:
            WriterBusyError: Another process owns the key; nothing was signed.
        """
        request = outgoing.request
        with writing(self.engine) as connection:
            if _state(connection, outgoing.number) is not State.REQUESTED:
                return
            nonce = _own(connection, request, self.owner(), at, floor=floor)
            _attempt(connection, outgoing.number, sign(nonce), at)

    def fill(self, request: Request, attempt: Attempt, *, at: int) -> None:
        """Store a signed transaction that only uses up a nonce that was left out.

        Raises:
            WriterBusyError: Another process owns the key; nothing was stored.
        """
        numbers = select(TRANSACTIONS.c.number).where(TRANSACTIONS.c.id == request.id)
        with writing(self.engine) as connection:
            _own(connection, request, self.owner(), at)
            _store(connection, request, at)
            number = connection.execute(numbers).scalar_one()
            if _state(connection, number) is State.REQUESTED:
                _attempt(connection, number, attempt, at)

    def replace(self, outgoing: Outgoing, attempt: Attempt, *, at: int) -> None:
        """Store a dearer attempt with the same nonce, to be sent instead of the last one.

        Raises:
            WriterBusyError: Another process owns the key; nothing was stored.
        """
        with writing(self.engine) as connection:
            if _state(connection, outgoing.number) in {State.SIGNED, State.SENT}:
                _own(connection, outgoing.request, self.owner(), at)
                _attempt(connection, outgoing.number, attempt, at)

    def apply(self, changes: Sequence[Change], *, at: int) -> None:
        """Write what was seen, where the state is still the one that it was seen in."""
        if not changes:
            return
        with writing(self.engine) as connection:
            for change in changes:
                seen = {"of": change.number, "seen": change.seen.value}
                execute_one(connection, _CHANGE, {**change.values, "changed": at, **seen})
            if any(change.is_settled for change in changes):
                _let_go(connection, self.owner())


def _store(connection: Connection, request: Request, at: int) -> int | None:
    """Store a request and return its number, None where its id is there already."""
    values = {
        "id": request.id,
        "idempotency": request.idempotency,
        "chain_id": request.chain_id,
        "request": request.digest,
        "key": request.key,
        "sender": request.sender,
        "contract": request.contract,
        "function": request.function,
        "target": request.target,
        "data": request.data,
        "value": str(request.value),
        "gas": request.gas,
        "state": State.REQUESTED.value,
        "changed": at,
    }
    stored = execute_one(connection, _storing(connection.dialect.name), values)
    return stored[0][0] if stored else None


@cache
def _storing(dialect: str) -> Insert:
    stored = INSERTS[dialect](TRANSACTIONS).on_conflict_do_nothing()
    return stored.returning(TRANSACTIONS.c.number)


def _own(
    connection: Connection, request: Request, owner: str, at: int, *, floor: int | None = None
) -> int:
    """Make this process the key's writer, unless another one is; return the key's next nonce.

    The nonce is taken where a ``floor`` says the least that may be.
    """
    found = _writer(connection, request)
    if found.owner is not None and found.owner != owner and _is_owned(found.owner, found.until, at):
        message = f"{found.owner} signs with the key {request.key} now."
        raise WriterBusyError(message, key=request.key, owner=found.owner, token=found.token)
    nonce: int = found.next if floor is None else max(floor, found.next)
    kept = {
        "owner": owner,
        "token": found.token + (found.owner != owner),
        "until": at + LEASE_SECONDS,
        "next": nonce + (floor is not None),
    }
    where = {"chain": request.chain_id, "of": request.sender}
    execute_one(connection, _OWN, {**kept, **where})
    return nonce


def _writer(connection: Connection, request: Request) -> _Writer:
    """Return who writes with a key, locked: of processes that come at once, one goes on."""
    key = {"chain_id": request.chain_id, "sender": request.sender}
    found = execute_one(connection, _WRITER, key)
    if not found:
        nobody = upsert(connection, NONCES).values({**key, "next": 0})
        connection.execute(nobody.on_conflict_do_nothing())
        found = execute_one(connection, _WRITER, key)
    return _Writer(*found[0])


def _is_owned(owner: str, until: int, at: int) -> bool:
    # A lease that ends too far ahead was taken before the clock was set back.
    return 0 < until - at <= LEASE_SECONDS and not _is_gone(owner)


def _is_gone(owner: str) -> bool:
    """Return whether a process of this machine has ended."""
    named = _PROCESS.fullmatch(owner)
    if named is None or named[2] != socket.gethostname():
        return False
    with suppress(PermissionError):
        try:
            os.kill(int(named[1]), 0)
        except ProcessLookupError:
            return True
    return False


def _let_go(connection: Connection, owner: str) -> None:
    """Give keys up of which nothing that was signed is open."""
    execute_one(connection, _LET_GO, {"mine": owner, "owner": None})


def _paid(value: int) -> bytes:
    return value.to_bytes(32, "big") if value else b""


def _id(chain_id: ChainId, idempotency: str) -> TransactionId:
    named = chain_id.to_bytes(32, "big") + idempotency.encode()
    return TransactionId(to_hex(sha256(named)[:16]))


def _select(connection: Connection, condition: Any, limit: int | None = None) -> list[Outgoing]:
    query = select(TRANSACTIONS).where(condition).order_by(TRANSACTIONS.c.number).limit(limit)
    return _outgoings(connection, connection.execute(query))


def _outgoings(connection: Connection, found: Iterable[Row[Any]]) -> list[Outgoing]:
    rows = list(found)
    if not rows:
        return []
    attempts: dict[int, list[Attempt]] = {row.number: [] for row in rows}
    for row in connection.execute(_ATTEMPTS_OF, {"numbers": list(attempts)}):
        attempts[row.transaction].append(_to_attempt(row))
    return [_to_outgoing(row, attempts[row.number]) for row in rows]


def _state(connection: Connection, number: int) -> State:
    return State(connection.execute(_STATE, {"number": number}).scalar_one())


def _attempt(connection: Connection, number: int, attempt: Attempt, at: int) -> None:
    values = {
        "hash": attempt.hash,
        "transaction": number,
        "raw": attempt.raw,
        "nonce": attempt.nonce,
        "gas": attempt.gas,
        "max_fee": str(attempt.max_fee),
        "priority": str(attempt.priority),
        "at": at,
        "cancels": attempt.cancels,
    }
    signed = {
        "of": number,
        "state": State.SIGNED.value,
        "nonce": attempt.nonce,
        "hash": attempt.hash,
        "changed": at,
        "code": None,
        "reason": None,
    }
    execute_one(connection, _ATTEMPT, values)
    execute_one(connection, _SIGNED, signed)


def _to_attempt(row: Row[Any]) -> Attempt:
    return Attempt(
        hash=Digest(row.hash),
        raw=row.raw,
        nonce=row.nonce,
        gas=row.gas,
        max_fee=int(row.max_fee),
        priority=int(row.priority),
        cancels=row.cancels,
    )


def _to_outgoing(row: Row[Any], attempts: Sequence[Attempt]) -> Outgoing:
    return Outgoing(
        number=row.number,
        request=Request(
            id=TransactionId(row.id),
            idempotency=row.idempotency,
            chain_id=ChainId(row.chain_id),
            digest=Digest(row.request),
            key=KeyName(row.key),
            sender=Address(row.sender),
            contract=row.contract,
            function=row.function,
            target=Address(row.target),
            data=row.data,
            gas=row.gas,
            value=int(row.value),
        ),
        state=State(row.state),
        changed=row.changed,
        nonce=row.nonce,
        attempts=tuple(attempt for attempt in attempts if attempt.nonce == row.nonce),
        hash=None if row.hash is None else Digest(row.hash),
        block_number=row.block_number,
        block_hash=None if row.block_hash is None else Digest(row.block_hash),
        block_time=row.block_time,
        gas_used=row.gas_used,
        logs=row.logs,
        code=row.code,
        reason=row.reason,
    )
