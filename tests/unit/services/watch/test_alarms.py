"""Alarms: each is raised beyond its bound and not at it, and names the command that mends it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from fakes.chain import MemoryVitals, address
from fakes.store import MemoryNodeStore
from fakes.witnesses import StillClock
from fakes.world import World, make_world
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import IdentityId, LogNumber
from guildmark.domain.letters import Letter, LetterId, LetterState, WatchId
from guildmark.domain.trust import VERSION, Listed, Trust, TrustFileError
from guildmark.ports.chain import Block, Handles, LedgerUnavailableError, Purse
from guildmark.ports.store import NodeStore
from guildmark.services.index.checking import FactDiffersError
from guildmark.services.neighbours.cosigning import WitnessState
from guildmark.services.neighbours.mirroring import MirrorState
from guildmark.services.watch.alarms import (
    ALARMS,
    RECORD_GAS,
    RECORDS_LEAST,
    Alarms,
    Beside,
    CoinLowError,
    Figures,
    FinalityStalledError,
    HandlesShortError,
    IndexBehindError,
    LettersDeadError,
    MirrorFailingError,
    TransactionStuckError,
    TrustOlderError,
    WitnessFailingError,
)

SECONDS, PRICE, NOW = 60, 10**9, 1_900_000_000
TRUST = Trust(version=VERSION, chain=make_world().tools.chain.pin())
ENOUGH = RECORDS_LEAST * RECORD_GAS * PRICE


@dataclass
class Heads:
    """A chain whose heads a test sets; whatever else is asked it does not answer."""

    newest: int
    final: int
    is_away: bool = False

    def head(self, *, final: bool) -> Block:
        if self.is_away:
            message = "The chain's node does not answer."
            raise LedgerUnavailableError(message)
        return Block(number=9, hash=sha256(b"9"), time=self.final if final else self.newest)


@dataclass
class Place:
    world: World = field(default_factory=make_world)
    vitals: MemoryVitals = field(default_factory=MemoryVitals)
    listed: Callable[[], Trust] = lambda: TRUST

    def __post_init__(self) -> None:
        with self.world.tools.store.reading() as view:
            cursor = view.facts.cursor()
        assert cursor is not None
        self.read = cursor.time
        self.heads = Heads(newest=self.read, final=self.read)
        self.vitals.purse_ = Purse(balance=ENOUGH, price=PRICE)

    def watch(
        self, beside: Beside | None = None, *, store: NodeStore | None = None
    ) -> tuple[Figures, list[type[GuildmarkError]]]:
        alarms = Alarms(
            ledger=self.heads,  # type: ignore[arg-type] # nothing else is asked
            store=store or self.world.tools.store,
            vitals=self.vitals,
            clock=StillClock(NOW),
            writer=address("writer"),
            seconds=SECONDS,
            trust=TRUST,
            listed=self.listed,
        )
        found = alarms.watch(beside or Beside())
        return found.figures, [type(one) for one in found.alarms]


@pytest.fixture
def place() -> Place:
    return Place()


def test_node_that_is_well_raises_nothing(place: Place) -> None:
    figures, alarms = place.watch()

    assert alarms == []
    assert figures == Figures(behind=0, lag=0, balance=ENOUGH, records=RECORDS_LEAST, oldest=0)


@pytest.mark.parametrize(("behind", "raised"), [(3 * SECONDS, False), (3 * SECONDS + 1, True)])
def test_finality_that_does_not_move_is_told(place: Place, behind: int, raised: bool) -> None:
    place.heads.newest = place.read + behind

    figures, alarms = place.watch()

    assert figures.behind == behind
    assert alarms == [FinalityStalledError] * raised


@pytest.mark.parametrize(("missing", "raised"), [(0, False), (1, True)])
def test_coin_for_few_records_is_told(place: Place, missing: int, raised: bool) -> None:
    place.vitals.purse_ = Purse(balance=ENOUGH - missing, price=PRICE)

    assert place.watch()[1] == [CoinLowError] * raised


def test_gas_that_costs_nothing_makes_no_account_poor(place: Place) -> None:
    place.vitals.purse_ = Purse(balance=ENOUGH, price=0)

    assert place.watch()[1] == []


@pytest.mark.parametrize(("age", "raised"), [(780, False), (781, True)])
def test_transaction_that_does_not_settle_is_told(place: Place, age: int, raised: bool) -> None:
    place.vitals.since = NOW - age

    figures, alarms = place.watch()

    assert figures.oldest == age
    assert alarms == [TransactionStuckError] * raised


def test_list_that_was_changed_after_the_start_is_told(place: Place) -> None:
    place.listed = lambda: replace(TRUST, operators=(Listed(id=IdentityId(sha256(b"other"))),))

    assert place.watch()[1] == [TrustOlderError]


def test_list_that_the_next_start_cannot_read_is_told(place: Place) -> None:
    def listed() -> Trust:
        message = "The trust file is no JSON."
        raise TrustFileError(message)

    place.listed = listed

    assert place.watch()[1] == [TrustFileError]


@pytest.mark.parametrize(("lag", "raised"), [(120, False), (121, True)])
def test_index_that_does_not_keep_up_is_told(place: Place, lag: int, raised: bool) -> None:
    place.heads = replace(place.heads, newest=place.read + lag, final=place.read + lag)

    figures, alarms = place.watch()

    assert figures.lag == lag
    assert alarms == [IndexBehindError] * raised


@pytest.mark.parametrize(("held", "raised"), [(90, False), (91, True)])
def test_process_that_may_open_little_more_is_told(place: Place, held: int, raised: bool) -> None:
    place.vitals.handles_ = Handles(held=held, most=100)

    assert place.watch()[1] == [HandlesShortError] * raised


def test_index_that_has_read_nothing_has_no_lag(place: Place) -> None:
    figures, alarms = place.watch(store=MemoryNodeStore())

    assert (figures.lag, alarms) == (None, [])


def test_chain_that_is_away_hides_what_it_would_tell(place: Place) -> None:
    place.heads.is_away = True
    place.vitals.since = NOW - 781

    figures, alarms = place.watch()

    assert alarms == [LedgerUnavailableError, TransactionStuckError]
    assert (figures.behind, figures.oldest) == (None, 781)


def test_what_rounds_beside_the_log_showed_is_told(place: Place) -> None:
    message = "The index holds another fact."
    beside = Beside(
        mirrors=[
            MirrorState(log=LogNumber(2), entries=1, kept=1),
            MirrorState(log=LogNumber(3), entries=1, kept=0, code="peer.unavailable"),
        ],
        witnesses=[WitnessState(name="a", size=1), WitnessState(name="b", code="witness.forked")],
        replay=FactDiffersError(message),
    )

    assert place.watch(beside)[1] == [MirrorFailingError, WitnessFailingError, FactDiffersError]


def test_every_alarm_names_a_next_step() -> None:
    assert all(kind.hint for kind in ALARMS)
    assert len({kind.code for kind in ALARMS}) == len(ALARMS)


def test_letters_that_reached_nobody_are_told(place: Place) -> None:
    letter = Letter(id=LetterId("one"), watch=WatchId("a"), recall="r", body=b"", due=0)
    with place.world.tools.store.writing() as work:
        for name in ("two", "three"):
            dead = replace(letter, id=LetterId(name), state=LetterState.DEAD)
            work.letters.post(dead)
        work.letters.post(letter)

    assert place.watch()[1] == [LettersDeadError]
