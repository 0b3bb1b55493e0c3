"""``guildmark tx``: what this home sent to the chain, or will send."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from guildmark.adapters.clock import SystemClock
from guildmark.adapters.store.engine import open_database
from guildmark.adapters.store.outbox import Attempt, OutboxTable, Outgoing
from guildmark.cli.answers import Answer, Moment, Value, say
from guildmark.cli.arguments import AsJson, Folder
from guildmark.cli.homes import settings_of
from guildmark.cli.opening import enter
from guildmark.domain.identifiers import to_hex
from guildmark.ports.chain import TransactionId, TransactionStatus, TransactionUnknownError

app = typer.Typer(
    help="Follow what this home sent to the chain; hurry it, take it back.", no_args_is_help=True
)

_MANY = 1_000

_Id = Annotated[str, typer.Argument(metavar="ID", help="The transaction, as `tx list` prints it.")]


@app.command("list")
def list_(
    every: Annotated[
        bool, typer.Option("--all", help="Settled ones, too; else those that are open.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=_MANY, help="How many at most.")] = 50,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """List transactions, newest first, and why each one waits; asks no chain."""
    chain_id = settings_of(home).chain.chain_id
    with _table(home) as table:
        found = table.newest(limit) if every else table.open(chain_id, limit)[::-1]
    now = SystemClock().now()
    say({"transactions": [_row(item, now) for item in found]}, as_json=as_json)


@app.command()
def show(transaction: _Id, home: Folder = None, as_json: AsJson = False) -> None:
    """Show a transaction with all its attempts; asks no chain."""
    with _table(home) as table:
        found = table.find(TransactionId(transaction))
    if found is None:
        message = f"The outbox holds no transaction {transaction[:80]}."
        raise TransactionUnknownError(message, transaction=transaction[:80])
    answer: dict[str, Value] = {
        **_row(found, SystemClock().now()),
        "name": found.request.idempotency,
        "account": to_hex(found.request.sender),
        "hash": None if found.hash is None else to_hex(found.hash),
        "gasUsed": found.gas_used,
        "code": found.code,
        "attempts": [_attempt(attempt) for attempt in found.attempts],
    }
    say(answer, as_json=as_json)


@app.command()
def bump(transaction: _Id, home: Folder = None, as_json: AsJson = False) -> None:
    """Offer an eighth more for a transaction that no block has."""
    status = enter(home).transactions.bump(TransactionId(transaction))
    say(_status(status), as_json=as_json)


@app.command()
def cancel(transaction: _Id, home: Folder = None, as_json: AsJson = False) -> None:
    """Take a transaction back that no block has: a dearer one that does nothing replaces it.

    Which of the two lands the chain decides; `tx show` tells.
    """
    status = enter(home).transactions.cancel(TransactionId(transaction))
    say(_status(status), as_json=as_json)


@contextmanager
def _table(home: Path | None) -> Iterator[OutboxTable]:
    engine = open_database(settings_of(home).database)
    try:
        yield OutboxTable(engine)
    finally:
        engine.dispose()


def _row(outgoing: Outgoing, now: int) -> Answer:
    request = outgoing.request
    return {
        "id": request.id,
        "state": outgoing.state.value,
        "call": f"{request.contract}.{request.function}" if request.contract else "nonce",
        "key": request.key,
        "nonce": outgoing.nonce,
        "block": outgoing.block_number,
        "since": Moment(outgoing.changed),
        "seconds": now - outgoing.changed,
        "reason": outgoing.reason,
    }


def _attempt(attempt: Attempt) -> Answer:
    return {
        "hash": to_hex(attempt.hash),
        "nonce": attempt.nonce,
        "gas": attempt.gas,
        "maxFee": str(attempt.max_fee),
        "priority": str(attempt.priority),
        "cancels": attempt.cancels,
    }


def _status(status: TransactionStatus) -> Answer:
    return {
        "id": status.id,
        "state": status.state.value,
        "hash": None if status.hash is None else to_hex(status.hash),
        "code": status.code,
        "reason": status.reason,
    }
