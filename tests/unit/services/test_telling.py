"""Telling of recalls: early where it is bad news, taken back where the chain takes it away."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from threading import Semaphore
from typing import Any

import pytest

from fakes.releases import TickingClock
from fakes.world import DESIGNER, World, make_world
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Bytes32, IdentityId, Index, LicenseId, LogNumber
from guildmark.domain.letters import (
    WAITS,
    LetterState,
    Position,
    RecallWatch,
    Stage,
    WatchId,
    secret_text,
    signed_headers,
)
from guildmark.domain.recall import OWNERS, RecallCause, Severity, Thing
from guildmark.ports.chain import Block, Stretch
from guildmark.ports.letters import (
    AddressGoneError,
    LetterReader,
    UndeliveredError,
    WatchAddressError,
)
from guildmark.ports.store import DocumentKind, NodeStore, StoreUnavailableError, View, Work
from guildmark.services.recalls.delivering import LANES, LEASE, ROUND, Delivering
from guildmark.services.recalls.recalling import Said
from guildmark.services.recalls.telling import Telling
from guildmark.services.recalls.watches import Watches, WatchUnknownError

SAID = Said(severity=Severity.DANGER, reason=sha256(b"why"))
NOBODYS = Bytes32(b"\7" * 32)
URL = "https://example.org/recalls"


@dataclass
class Taking:
    """A courier that keeps what it brings; ``fail`` lets it lose letters."""

    fail: type[UndeliveredError] | None = None
    brought: list[tuple[str, bytes, dict[str, str], bool]] = field(default_factory=list)

    def check(self, url: str) -> None:
        if url != URL:
            message = "It is no address."
            raise WatchAddressError(message)

    def deliver(self, url: str, body: bytes, headers: Any, *, allows_private: bool) -> None:
        self.brought.append((url, body, dict(headers), allows_private))
        if self.fail is not None:
            raise self.fail("Nobody took it.")

    @property
    def told(self) -> list[tuple[str, str]]:
        """Return what was told: kind and id."""
        return [(json.loads(body)["type"], sent["webhook-id"]) for _, body, sent, _ in self.brought]

    @property
    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.told]


@dataclass
class Post:
    """A node's letters: its world, the watches, what brings them."""

    world: World
    courier: Taking = field(default_factory=Taking)
    clock: TickingClock = field(default_factory=TickingClock)

    @property
    def store(self) -> NodeStore:
        return self.world.tools.store

    @property
    def watches(self) -> Watches:
        tools = self.world.tools
        return Watches(
            ledger=tools.chain, store=tools.store, entropy=tools.entropy, courier=self.courier
        )

    @property
    def delivering(self) -> Delivering:
        return Delivering(store=self.store, clock=self.clock, courier=self.courier)

    def watch(self, **wishes: Any) -> RecallWatch:
        wanted = RecallWatch(id=WatchId(""), url=URL, since=0, **wishes)
        return self.watches.add(wanted)[0]

    def look(self) -> None:
        Telling(ledger=self.world.tools.chain, store=self.store).look()

    def follow(self) -> None:
        self.world.tools.chain.unfinal = 0
        self.world.tools.indexing().follow()

    def issue(self, thing: Thing | None = None, said: Said = SAID, number: int = 1) -> None:
        """Recall something in a block that is not final."""
        chain, named = self.world.tools.chain, thing or self.design
        chain.mine()
        chain.unfinal += 1
        chain.emit(
            ContractName.RECALLS,
            "RecallIssued",
            key=named.key(),
            by=OWNERS,
            issuer=NOBODYS,
            number=number,
            thing={"cause": int(named.cause), "id": named.id, "detail": named.detail},
            terms={
                "follows": number - 1,
                "from": said.since,
                "to": said.until,
                "severity": int(said.severity),
                "reason": said.reason,
            },
        )

    def close(self) -> None:
        chain = self.world.tools.chain
        chain.mine()
        chain.unfinal += 1
        place = {"key": self.design.key(), "by": OWNERS, "number": 1}
        chain.emit(ContractName.RECALLS, "RecallClosed", **place, reason=NOBODYS)

    def undo(self, blocks: int = 1) -> None:
        """Let the newest blocks never have been, and others stand in their places."""
        chain = self.world.tools.chain
        kept = len(chain.blocks) - blocks
        chain.log[:] = [event for event in chain.log if event.block_number < kept]
        for number in range(kept, len(chain.blocks)):
            chain.blocks[number] = replace(
                chain.blocks[number], hash=sha256(chain.blocks[number].hash)
            )

    @property
    def design(self) -> Thing:
        return Thing(cause=RecallCause.DESIGN, id=Bytes32(self.world.revision.design))

    def sent(self) -> list[str]:
        self.delivering.round()
        return self.courier.kinds


@pytest.fixture
def post() -> Post:
    made = Post(world=make_world())
    made.follow()
    made.watch()
    return made


def bodies(post: Post) -> list[dict[str, Any]]:
    return [json.loads(body)["data"] for _, body, _, _ in post.courier.brought]


def test_a_recall_is_told_once_before_it_is_final(post: Post) -> None:
    post.issue()
    for _ in range(2):
        post.look()
        assert post.sent() == ["recall.issued"]
    post.follow()
    post.look()

    assert post.sent() == ["recall.issued"]
    (said,) = bodies(post)
    assert (said["final"], said["thing"], said["severity"]) == (False, post.design.text(), "danger")
    assert (said["role"], said["number"], said["chain"]) == ("owner", 1, str(said["chain"]))


def test_what_was_never_seen_early_is_told_when_it_is_final(post: Post) -> None:
    post.issue()
    post.follow()

    assert post.sent() == ["recall.issued"]
    assert bodies(post)[0]["final"] is True


def test_that_a_recall_is_closed_is_told_when_that_is_final(post: Post) -> None:
    post.issue()
    post.close()
    post.look()
    early = list(post.sent())
    post.follow()

    assert (early, post.sent()) == (["recall.issued"], ["recall.issued", "recall.closed"])
    assert bodies(post)[1]["closedAt"] == post.world.tools.chain.now
    assert bodies(post)[1]["final"] is True


def test_what_the_chain_takes_away_is_taken_back(post: Post) -> None:
    post.issue()
    post.look()
    post.undo()
    post.look()
    post.look()

    assert post.sent() == ["recall.issued", "recall.retracted"]
    assert bodies(post)[1]["retracts"] == post.courier.told[0][1]
    with post.store.writing() as work:
        assert work.letters.early() == []


def test_what_comes_back_is_told_under_another_id(post: Post) -> None:
    post.issue()
    post.look()
    post.undo()
    post.look()
    post.issue()
    post.look()
    post.follow()

    assert post.sent() == ["recall.issued", "recall.retracted", "recall.issued"]
    assert len({name for _, name in post.courier.told}) == 3


def test_a_recall_that_another_block_holds_is_the_same(post: Post) -> None:
    post.issue()
    post.look()
    post.undo()
    post.issue()
    post.look()
    post.follow()

    assert post.sent() == ["recall.issued"]


@pytest.mark.parametrize("is_final", [False, True])
def test_another_recall_in_its_place_takes_it_back(post: Post, is_final: bool) -> None:
    post.issue()
    post.look()
    post.undo()
    post.issue(said=replace(SAID, severity=Severity.INSPECT))
    if is_final:
        post.follow()
    else:
        post.look()

    assert post.sent() == ["recall.issued", "recall.retracted", "recall.issued"]
    assert [one.get("severity") for one in bodies(post)] == ["danger", None, "inspect"]


def test_what_a_final_block_does_not_hold_is_taken_back(post: Post) -> None:
    post.issue()
    post.look()
    post.undo()
    post.follow()
    post.look()

    assert post.sent() == ["recall.issued", "recall.retracted"]


def test_a_node_that_is_behind_takes_nothing_back(post: Post) -> None:
    chain = post.world.tools.chain
    post.issue()
    post.look()
    last, event = chain.blocks.pop(), chain.log.pop()
    chain.unfinal = 0
    post.look()
    chain.blocks.append(last)
    chain.log.append(event)
    chain.unfinal = 1
    post.look()

    assert post.sent() == ["recall.issued"]


def test_an_index_that_is_read_anew_tells_nothing_again(post: Post) -> None:
    post.issue()
    post.close()
    post.follow()
    before = list(post.sent())

    post.world.tools.indexing().rebuild()

    assert post.sent() == before == ["recall.issued", "recall.closed"]


def test_what_was_issued_before_letters_were_is_told_when_it_is_closed(post: Post) -> None:
    post.issue()
    post.follow()
    state: Any = post.store
    state._state.told.clear()
    state._state.letters.clear()
    post.close()
    post.follow()

    assert post.sent() == ["recall.closed"]


def test_an_index_that_is_on_its_way_or_elsewhere_is_not_looked_at(post: Post) -> None:
    chain = post.world.tools.chain
    empty = Post(world=make_world())
    empty.world.tools.store.__init__()  # type: ignore[misc]  # as if it had read nothing
    empty.look()
    post.issue()
    cursor = chain.blocks[-2]
    chain.blocks[-2] = replace(cursor, hash=sha256(b"fork"))
    post.look()
    assert post.sent() == []
    chain.blocks[-2] = cursor
    for _ in range(1_000):
        chain.mine()
    chain.unfinal += 1_000
    post.look()

    assert post.sent() == []


@dataclass
class Overtaken:
    """A ledger beside which the index reads on."""

    post: Post

    def head(self, *, final: bool) -> Block:
        return self.post.world.tools.chain.head(final=final)

    def stretch(self, first: int, last: int) -> Stretch:
        read = self.post.world.tools.chain.stretch(first, last)
        self.post.follow()
        return read

    def event(self, log: Any, block: Block) -> Any:
        return self.post.world.tools.chain.event(log, block)


def test_an_index_that_reads_on_meanwhile_tells_by_itself(post: Post) -> None:
    post.issue()
    ledger: Any = Overtaken(post)

    Telling(ledger=ledger, store=post.store).look()

    assert post.sent() == ["recall.issued"]
    assert bodies(post)[0]["final"] is True


def test_who_came_later_hears_of_what_comes_later(post: Post) -> None:
    post.issue()
    post.follow()
    post.world.tools.chain.mine()
    late = post.watch()
    post.issue(number=2)
    post.follow()
    post.close()
    post.follow()
    with post.store.writing() as work:
        heard = [one for one in work.letters.letters(None, 99) if one.watch == late.id]

    assert [json.loads(one.body)["data"]["number"] for one in reversed(heard)] == [2, 1]


def test_letters_are_signed_with_a_secret_that_is_shown_once(post: Post) -> None:
    watch, secret = post.watches.add(RecallWatch(id=WatchId(""), url=URL, since=0))
    post.issue()
    post.look()
    post.delivering.round()

    (mine,) = [one for one in post.courier.brought if _is_signed(one, secret, post)]
    assert mine[0] == URL
    assert watch.since == post.world.tools.chain.now - 1
    post.watches.remove(watch.id)
    with post.store.reading() as view:
        assert view.documents.get(DocumentKind.WATCH_SECRET, watch.id.encode()) == b""
    with pytest.raises(WatchUnknownError):
        post.watches.remove(watch.id)
    with pytest.raises(WatchAddressError):
        post.watches.add(replace(watch, url="ftp://example.org"))
    assert [one.id for one in post.watches.all()] != [watch.id]


def _is_signed(brought: tuple[str, bytes, dict[str, str], bool], secret: bytes, post: Post) -> bool:
    _, body, headers, _ = brought
    name: Any = headers["webhook-id"]
    return signed_headers(name, body, secret=secret, at=post.clock.now()) == headers


def test_the_signature_is_that_of_the_standard() -> None:
    # The example of the specification's libraries.
    headers = signed_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",  # type: ignore[arg-type]  # a plain name
        b'{"test": 2432232314}',
        secret=bytes.fromhex(SPECIFIED),
        at=1614265330,
    )

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert secret_text(bytes.fromhex(SPECIFIED)) == "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


SPECIFIED = "31f290f6bf06298aab4f08d43c3f082cf648a362da2da4b0"


def test_a_letter_that_nobody_takes_is_sent_again_and_dies_in_the_end(post: Post) -> None:
    post.courier.fail = UndeliveredError
    post.issue()
    post.issue(number=2)
    post.look()

    for wait in WAITS:
        assert post.delivering.round() == 0
        assert post.delivering.round() == 0
        post.clock.time += wait + wait // 10
    letters = post.watches.letters(LetterState.WAITING, 99)
    post.delivering.round()
    (dead,) = post.watches.letters(LetterState.DEAD, 99)

    # A receiver that fails once gets no other letter in the same round.
    assert len(post.courier.brought) >= len(WAITS) + 1
    assert {one.code for one in letters} <= {"letter.undelivered", ""}
    assert (dead.code, dead.tries) == ("letter.undelivered", len(WAITS) + 1)


def test_a_receiver_that_is_gone_gets_no_letter_again(post: Post) -> None:
    post.courier.fail = AddressGoneError
    post.issue()
    post.look()
    post.delivering.round()
    post.clock.time += 10 * WAITS[-1]
    post.delivering.round()

    (dead,) = post.watches.letters(LetterState.DEAD, 99)
    assert (dead.code, len(post.courier.brought)) == ("letter.addressGone", 1)


def test_letters_of_a_recall_go_out_in_order(post: Post) -> None:
    post.courier.fail = UndeliveredError
    post.issue()
    post.look()
    post.delivering.round()
    post.courier.fail = None
    post.courier.brought.clear()
    post.undo()
    post.look()

    assert post.sent() == []
    post.clock.time += 10
    assert post.sent() == ["recall.issued", "recall.retracted"]


def test_a_letter_that_somebody_holds_is_not_sent_by_another(post: Post) -> None:
    post.issue()
    post.look()
    with post.store.writing() as work:
        (watch,) = work.letters.due(post.clock.now())
        held = work.letters.claim(watch, post.clock.now(), post.clock.now() + LEASE)

    assert post.sent() == []
    post.clock.time += LEASE
    assert held is not None
    assert post.sent() == ["recall.issued"]


@dataclass
class Reading:
    """A store whose writing transactions are counted."""

    store: NodeStore
    written: int = 0

    def reading(self) -> AbstractContextManager[View]:
        return self.store.reading()

    def reading_letters(self) -> AbstractContextManager[LetterReader]:
        return self.store.reading_letters()

    def writing(self) -> AbstractContextManager[Work]:
        self.written += 1
        return self.store.writing()


@dataclass
class Overtaking(Reading):
    """A store beside which the index reads on when the letters have been read."""

    follow: Callable[[], None] = field(kw_only=True)

    @contextmanager
    def reading_letters(self) -> Iterator[LetterReader]:
        with self.store.reading_letters() as letters:
            yield letters
        self.follow()


def test_an_index_that_reads_on_before_the_letters_are_written_tells_by_itself(post: Post) -> None:
    post.issue()
    store = Overtaking(post.store, follow=post.follow)

    Telling(ledger=post.world.tools.chain, store=store).look()

    assert post.sent() == ["recall.issued"]
    assert bodies(post)[0]["final"] is True


def test_nothing_new_is_no_transaction(post: Post) -> None:
    store = Reading(post.store)
    telling = Telling(ledger=post.world.tools.chain, store=store)
    delivering = Delivering(store=store, clock=post.clock, courier=post.courier)
    counts = []
    for _ in range(2):
        telling.look()
        delivering.round()
        counts.append(store.written)
    post.issue()
    for _ in range(3):
        telling.look()
        delivering.round()
        counts.append(store.written)

    # One tells; one claims and one settles; one finds that there is no further letter.
    assert counts == [0, 0, 4, 4, 4]
    assert post.courier.kinds == ["recall.issued"]


def test_a_recall_in_another_block_is_noted_where_it_is(post: Post) -> None:
    post.issue()
    post.look()
    post.undo()
    post.issue()
    post.look()
    with post.store.reading_letters() as letters:
        (told,) = letters.early()

    assert told.hash == post.world.tools.chain.blocks[told.block].hash
    assert post.sent() == ["recall.issued"]


@dataclass
class Slow(Taking):
    """A courier that one address holds up until the others have their letters."""

    others: Semaphore = field(default_factory=lambda: Semaphore(0))
    waited: list[bool] = field(default_factory=list)

    def deliver(self, url: str, body: bytes, headers: Any, *, allows_private: bool) -> None:
        if allows_private:
            self.waited.append(self.others.acquire(timeout=20))
        super().deliver(url, body, headers, allows_private=allows_private)
        if not allows_private:
            self.others.release()


def test_a_slow_receiver_does_not_hold_up_the_others() -> None:
    courier = Slow()
    post = Post(world=make_world(), courier=courier)
    post.follow()
    post.watch(allows_private=True)
    post.watch()
    post.issue()
    post.look()

    taken = post.delivering.round()

    assert (taken, courier.waited) == (2, [True])
    assert [private for _, _, _, private in courier.brought] == [False, True]


@pytest.mark.parametrize(("seconds", "count"), [(ROUND - 1, 2), (ROUND, 1)])
def test_a_receiver_that_takes_long_gets_the_rest_in_the_next_round(
    seconds: int, count: int
) -> None:
    post = Post(world=make_world())
    post.follow()
    post.watch()
    post.issue()
    post.issue(number=2)
    post.look()
    courier, clock = post.courier, post.clock

    def deliver(*args: Any, **kinds: Any) -> None:
        clock.time += seconds
        Taking.deliver(courier, *args, **kinds)

    courier.deliver = deliver  # type: ignore[method-assign]  # time goes by

    assert post.delivering.round() == count
    assert post.delivering.round() == 2 - count


def test_more_receivers_than_lanes_are_all_served(post: Post) -> None:
    for _ in range(LANES):
        post.watch()
    post.issue()
    post.look()

    assert post.delivering.round() == LANES + 1


def test_a_database_that_is_away_ends_no_lane(post: Post, caplog: pytest.LogCaptureFixture) -> None:
    post.issue()
    post.look()
    store = Reading(post.store)

    def away() -> AbstractContextManager[Work]:
        message = "The disk is full."
        raise StoreUnavailableError(message)

    store.writing = away  # type: ignore[method-assign]  # as a full disk does
    taken = Delivering(store=store, clock=post.clock, courier=post.courier).round()

    assert taken == 0
    assert "The disk is full." in caplog.text
    assert post.sent() == ["recall.issued"]


def test_what_was_delivered_long_ago_is_forgotten(post: Post) -> None:
    post.issue()
    post.look()
    post.sent()
    kept = replace(post.delivering, days=1)

    post.clock.time += 86_400
    before = kept.prune()
    post.clock.time += 1

    assert (before, kept.prune(), post.watches.letters(None, 9)) == (0, 1, [])


def test_dead_letters_are_sent_anew_when_somebody_asks(post: Post) -> None:
    post.courier.fail = AddressGoneError
    post.issue()
    post.look()
    post.delivering.round()
    (watch,) = post.watches.all()
    post.courier.fail = None

    count = post.watches.resend(watch.id)

    assert (count, post.delivering.round()) == (1, 1)
    assert post.watches.letters(LetterState.DEAD, 9) == []
    with pytest.raises(WatchUnknownError):
        post.watches.resend(WatchId("nobody"))


@pytest.fixture
def made() -> Post:
    """Return a node with one part in its log."""
    world = make_world()
    world.disclose()
    world.tools.ingest(world.log).receive([world.envelope(1)])
    line = world.tools.line(world.log)
    line.step()
    line.step()
    found = Post(world=world)
    found.follow()
    return found


def reaching(post: Post) -> list[Thing]:
    """Return what reaches the part of the world, lots included."""
    world, own = post.world, post.world.site_recipe
    return [
        Thing.serial(world.log, Index(0)),
        Thing(cause=RecallCause.LOT, id=Bytes32(world.maker), detail=NOBODYS),
        Thing(cause=RecallCause.MACHINE, id=Bytes32(world.machine)),
        Thing(cause=RecallCause.RECIPE, id=Bytes32(world.recipe.id())),
        Thing(cause=RecallCause.SITE_RECIPE, id=Bytes32(own)),
        post.design,
    ]


def others(post: Post) -> list[Thing]:
    changed = [replace(one, id=NOBODYS) for one in reaching(post)]
    changed[0] = Thing.serial(post.world.log, Index(99))
    return changed


def heard(post: Post, thing: Thing, said: Said = SAID) -> int:
    post.issue(thing, said)
    post.look()
    count = len(post.sent())
    post.courier.brought.clear()
    post.undo()
    post.look()
    post.sent()
    post.courier.brought.clear()
    return count


def license_of(post: Post) -> LicenseId:
    return post.world.license


@pytest.mark.parametrize("wish", ["part", "license"])
def test_what_reaches_a_part_or_a_license_is_told(made: Post, wish: str) -> None:
    if wish == "part":
        place = Position(log=made.world.log, index=Index(0))
        made.watch(parts=(place,))
    else:
        made.watch(licenses=(license_of(made),))

    assert [heard(made, thing) for thing in reaching(made)] == [1] * 6
    assert [heard(made, thing) for thing in others(made)] == [0] * 6


def test_what_is_not_here_reaches_nothing(made: Post) -> None:
    made.watch(parts=(Position(log=LogNumber(99), index=Index(0)),), licenses=(LicenseId(NOBODYS),))

    assert [heard(made, thing) for thing in reaching(made)] == [0] * 6
    assert heard(made, Thing.serial(LogNumber(99), Index(0))) == 1


def test_a_window_before_a_part_does_not_reach_it(made: Post) -> None:
    made.watch(parts=(Position(log=made.world.log, index=Index(0)),))
    machine = reaching(made)[2]

    assert heard(made, machine, replace(SAID, until=1)) == 0


def test_causes_and_things_are_told(made: Post) -> None:
    made.watch(causes=(RecallCause.LOT,), things=(made.design,))

    assert [heard(made, thing) for thing in reaching(made)] == [0, 1, 0, 0, 0, 1]


def test_recalls_are_told_of_the_stage_they_are_at(post: Post) -> None:
    post.issue()
    post.look()
    with post.store.writing() as work:
        (told,) = work.letters.early()
    assert (told.stage, told.turn) == (Stage.EARLY, 1)
    assert told.recall.by == IdentityId(OWNERS)
    assert DESIGNER
