"""What can be recalled: its key on chain, and how people name it."""

import pytest

from guildmark.domain.chain.facts import RecallFact
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import (
    Bytes32,
    IdentityId,
    Index,
    LogNumber,
    MalformedHexError,
    to_hex,
)
from guildmark.domain.recall import (
    OWNERS,
    RecallCause,
    RecallId,
    RecallIdMalformedError,
    Severity,
    Thing,
    ThingMalformedError,
    issuer_text,
)

ONE, OTHER = Bytes32(b"\1" * 32), Bytes32(b"\2" * 32)


def test_the_key_is_the_contracts() -> None:
    # keccak256(abi.encode(keccak256("guildmark/recall/v1"), 3, 0x01.., 0)) by eth_abi.
    thing = Thing(cause=RecallCause.MACHINE, id=ONE)

    assert to_hex(thing.key()) == (
        "0x95c8326c7893b529b6522a3fa10c003d8fb14af52322eef5bfbb4b94390aab64"
    )


def test_each_thing_has_a_key_of_its_own() -> None:
    things = [Thing(cause=cause, id=ONE, detail=OTHER) for cause in RecallCause]
    things += [Thing(cause=RecallCause.LOT, id=OTHER, detail=ONE)]

    assert len({thing.key() for thing in things}) == len(things)


@pytest.mark.parametrize("cause", RecallCause)
def test_what_is_written_is_read_again(cause: RecallCause) -> None:
    two = cause in {RecallCause.LOT, RecallCause.CERTIFICATE}
    text = f"{to_hex(ONE)}:{to_hex(OTHER)}" if two else to_hex(ONE)
    text = "7.12" if cause is RecallCause.SERIAL else text

    thing = Thing.parse(cause, text)

    assert (thing.cause, thing.text()) == (cause, text)


def test_a_part_is_a_log_and_an_index() -> None:
    thing = Thing.parse(RecallCause.SERIAL, "7.12")

    assert thing == Thing.serial(LogNumber(7), Index(12))
    assert (thing.log, thing.index) == (7, 12)


@pytest.mark.parametrize(
    ("cause", "text"),
    [
        (RecallCause.SERIAL, "7"),
        (RecallCause.SERIAL, "7."),
        (RecallCause.SERIAL, "07.1"),
        (RecallCause.SERIAL, "0.1"),
        (RecallCause.SERIAL, "-7.1"),
        (RecallCause.SERIAL, "7.1.2"),
        (RecallCause.SERIAL, "\u0667.1"),
        (RecallCause.SERIAL, f"{2**40}.1"),
        (RecallCause.SERIAL, f"1.{2**64}"),
        (RecallCause.SERIAL, "1" * 5000 + ".1"),
        (RecallCause.LOT, to_hex(ONE)),
        (RecallCause.MACHINE, f"{to_hex(ONE)}:{to_hex(OTHER)}"),
    ],
)
def test_what_names_nothing_is_refused(cause: RecallCause, text: str) -> None:
    with pytest.raises(ThingMalformedError):
        Thing.parse(cause, text)


def test_the_largest_numbers_are_read() -> None:
    thing = Thing.parse(RecallCause.SERIAL, f"{2**40 - 1}.{2**64 - 1}")

    assert thing.text() == f"{2**40 - 1}.{2**64 - 1}"


def test_an_id_is_read_strictly() -> None:
    with pytest.raises(MalformedHexError):
        Thing.parse(RecallCause.LOT, f"{to_hex(ONE)}:lot")


def fact(since: int = 0, until: int = 0, closed_at: int = 0) -> RecallFact:
    return RecallFact(
        thing=Thing(cause=RecallCause.MACHINE, id=ONE),
        by=OWNERS,
        number=1,
        issuer=ONE,
        at=50,
        since=since,
        until=until,
        severity=Severity.INSPECT,
        reason=sha256(b"cracks"),
        closed_at=closed_at,
    )


@pytest.mark.parametrize(
    ("made", "time", "expected"),
    [
        (fact(), 0, True),
        (fact(since=10), 9, False),
        (fact(since=10), 10, True),
        (fact(until=20), 19, True),
        (fact(until=20), 20, False),
        (fact(closed_at=60), 5, False),
    ],
)
def test_an_open_recall_reaches_its_window(made: RecallFact, time: int, expected: bool) -> None:
    assert made.reaches(time) is expected


def test_a_list_is_the_owners_or_an_authoritys() -> None:
    made = fact()

    assert made.is_owners
    assert made.key == (made.thing.key(), IdentityId(OWNERS), 1)


@pytest.mark.parametrize("cause", RecallCause)
def test_a_thing_is_named_with_its_cause(cause: RecallCause) -> None:
    two = cause in {RecallCause.LOT, RecallCause.CERTIFICATE}
    detail = OTHER if two else Bytes32(bytes(32))
    thing = Thing(cause=cause, id=ONE, detail=detail)
    thing = Thing.serial(LogNumber(7), Index(12)) if cause is RecallCause.SERIAL else thing

    assert Thing.named(thing.name()) == thing
    assert RecallCause.of_word(cause.word) is cause


def test_causes_and_severities_are_written_as_commands_take_them() -> None:
    assert RecallCause.SERIAL.word == "part"
    assert RecallCause.SITE_RECIPE.word == "site-recipe"
    assert [severity.word for severity in Severity] == ["inspect", "withdraw", "danger"]


@pytest.mark.parametrize("text", ["", "serial:7.12", "machine", f"Machine:{to_hex(ONE)}"])
def test_what_names_no_cause_is_refused(text: str) -> None:
    with pytest.raises((ThingMalformedError, MalformedHexError)):
        Thing.named(text)


@pytest.mark.parametrize("by", [OWNERS, IdentityId(OTHER)])
def test_a_recall_is_named_by_key_list_and_number(by: IdentityId) -> None:
    key = Thing(cause=RecallCause.MACHINE, id=ONE).key()
    recall = RecallId(key=key, by=by, number=12)

    text = recall.text()

    assert text == f"{to_hex(key)}.{'owner' if by == OWNERS else to_hex(by)}.12"
    assert RecallId.parse(text) == recall


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{to_hex(ONE)}.owner",
        f"{to_hex(ONE)}.owner.0",
        f"{to_hex(ONE)}.owner.01",
        f"{to_hex(ONE)}.Owner.1",
        f"{to_hex(ONE)}.owner.{'1' * 13}",
        # The owners' list has one spelling.
        f"{to_hex(ONE)}.{to_hex(OWNERS)}.1",
    ],
)
def test_what_names_no_recall_is_refused(text: str) -> None:
    with pytest.raises(RecallIdMalformedError) as caught:
        RecallId.parse(text)

    assert caught.value.code == "recall.idMalformed"


def test_an_issuer_is_an_identity_or_an_account() -> None:
    account = Bytes32(bytes(12) + b"\3" * 20)

    assert issuer_text(ONE) == to_hex(ONE)
    assert issuer_text(account) == "0x" + "03" * 20
