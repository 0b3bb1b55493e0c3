"""What a home sent to the chain: listed and shown without the chain, hurried, taken back."""

from collections.abc import Iterator

import pytest

from fakes.world import World
from guildmark.adapters.store.engine import open_database
from guildmark.adapters.store.outbox import Attempt, Change, OutboxTable, Request, State
from guildmark.bootstrap import Home
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.identifiers import Address, Digest, to_hex
from guildmark.ports.chain import Call, TransactionUnknownError
from guildmark.ports.keys import KeyName
from unit.cli.speaking import Speak

ATTEMPT = Attempt(
    hash=Digest(b"\x07" * 32), raw=b"raw", nonce=4, gas=21_000, max_fee=10**19, priority=2
)


@pytest.fixture
def table(home: Home) -> Iterator[OutboxTable]:
    engine = open_database(home.settings.database)
    yield OutboxTable(engine)
    engine.dispose()


def stored(table: OutboxTable, home: Home, name: str) -> str:
    request = Request.of_call(
        home.ledger.pin(),
        Call(contract=ContractName.LOG, function="tick"),
        data=b"",
        key=KeyName("writer"),
        sender=Address(b"\x0a" * 20),
        idempotency=name,
    )
    table.request(request, at=1_700_000_000)
    return request.id


def test_open_transactions_are_listed_with_the_reason_why_they_wait(
    speak: Speak, home: Home, table: OutboxTable
) -> None:
    waiting, done = stored(table, home, "one"), stored(table, home, "two")
    changes = [
        Change(number=1, seen=State.REQUESTED, values={"state": "requested", "reason": "busy"}),
        Change(number=2, seen=State.REQUESTED, values={"state": "final", "block_number": 9}),
    ]
    table.apply(changes, at=1_700_000_000)

    (row,) = speak("tx", "list", "--json").json["transactions"]
    both = speak("tx", "list", "--all", "--json").json["transactions"]
    newest = speak("tx", "list", "--all", "--limit", "1", "--json").json["transactions"]

    assert row.pop("seconds") > 0
    assert row == {
        "id": waiting,
        "state": "requested",
        "call": "log.tick",
        "key": "writer",
        "nonce": None,
        "block": None,
        "since": 1_700_000_000,
        "reason": "busy",
    }
    assert [one["id"] for one in both] == [done, waiting]
    assert [one["block"] for one in newest] == [9]


def test_a_transaction_is_shown_with_its_attempts(
    speak: Speak, home: Home, table: OutboxTable
) -> None:
    sent = stored(table, home, "one")
    outgoing = table.newest(1)[0]
    table.sign(outgoing, lambda _nonce: ATTEMPT, floor=4, at=1_700_000_000)

    shown = speak("tx", "show", sent, "--json").json

    assert (shown["name"], shown["state"], shown["nonce"]) == ("one", "signed", 4)
    assert shown["hash"] == to_hex(ATTEMPT.hash)
    assert shown["attempts"] == [
        {
            "hash": to_hex(ATTEMPT.hash),
            "nonce": 4,
            "gas": 21_000,
            "maxFee": str(10**19),
            "priority": "2",
            "cancels": False,
        }
    ]


def test_a_nonce_that_is_only_used_up_is_called_that(
    speak: Speak, home: Home, table: OutboxTable
) -> None:
    stored(table, home, "one")
    request = Request.empty(table.newest(1)[0].request, 4, gas=21_000)
    table.fill(request, ATTEMPT, at=1)

    rows = speak("tx", "list", "--json").json["transactions"]

    assert [row["call"] for row in rows] == ["nonce", "log.tick"]


@pytest.mark.usefixtures("table")
def test_an_unknown_transaction_is_named(speak: Speak) -> None:
    said = speak("tx", "show", "0x99", "--json")

    assert said.json["code"] == "transaction.unknown"
    assert said.exit == TransactionUnknownError.exit_code


@pytest.mark.usefixtures("home")
def test_a_transaction_is_hurried_and_taken_back(speak: Speak, world: World) -> None:
    outbox = world.tools.outbox
    outbox.held = True
    call = Call(contract=ContractName.LOG, function="tick")
    outbox.submit(call, key=KeyName("writer"), idempotency="one")
    outbox.submit(call, key=KeyName("writer"), idempotency="two")

    hurried = speak("tx", "bump", "one", "--json").json
    cancelled = speak("tx", "cancel", "two", "--json").json

    assert (hurried["state"], hurried["code"]) == ("final", None)
    assert (cancelled["state"], cancelled["code"]) == ("failed", "transaction.cancelled")
