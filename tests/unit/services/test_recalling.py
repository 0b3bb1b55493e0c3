"""Recalls: which call each cause becomes, what the index keeps of them, what they hold back."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from fakes.world import DESIGNER, ISSUER, MAKER, SITE, World, make_world
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.facts import (
    ControllerFact,
    KeyFact,
    RecallAskFact,
    RecallFact,
    RecipeFact,
    RecordFact,
    SiteRecipeFact,
)
from guildmark.domain.chain.refusals import (
    CallerRefusedError,
    KeyUnknownError,
    RecallUnknownError,
    RecipeUnknownError,
    RecordUnknownError,
)
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import Bytes32, IdentityId, Index, LogNumber
from guildmark.domain.recall import OWNERS, RecallCause, Severity, Thing
from guildmark.ports.chain import Call, Finality, TransactionId, TransactionState, TransactionStatus
from guildmark.ports.keys import KeyName
from guildmark.services.builds.parts import record_struct
from guildmark.services.recalls.recalling import Recalling, Said
from guildmark.services.recipes.recipes import recipe_struct, site_recipe_struct

SAID = Said(severity=Severity.WITHDRAW, reason=sha256(b"cracks"))
TERMS = (0, 0, 0, Severity.WITHDRAW, SAID.reason)
MENDED = sha256(b"mended")
NOBODYS = Bytes32(b"\7" * 32)


@dataclass
class SentCalls:
    """Fulfils what an account needs of ``Transactions``: it keeps what it is given."""

    calls: list[Call] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def submit(
        self, call: Call, *, key: KeyName, idempotency: str, former: str | None = None
    ) -> TransactionId:
        assert key
        assert former
        self.calls.append(call)
        self.names.append(idempotency)
        return TransactionId(idempotency)

    def wait(
        self, transaction: TransactionId, *, finality: Finality, timeout: float
    ) -> TransactionStatus:
        state = TransactionState.FINAL if finality is Finality.FINAL and timeout else None
        assert state
        return TransactionStatus(id=transaction, state=state)


@pytest.fixture
def world() -> World:
    return make_world()


def recorded(world: World, name: str) -> tuple[Recalling, SentCalls]:
    """Return use cases in the name of a key, and where their calls go."""
    sent = SentCalls()
    transactions: Any = sent
    recalling = world.tools.recalling(name)
    account = replace(recalling.account, transactions=transactions)
    return replace(recalling, account=account), sent


def facts(world: World, kind: type[Any], *prefix: bytes | int) -> Sequence[Any]:
    world.tools.indexing().follow()
    with world.tools.store.reading() as view:
        found: Sequence[Any] = view.facts.each(kind, *prefix)
    return found


def of(cause: RecallCause, identifier: bytes, detail: bytes = bytes(32)) -> Thing:
    return Thing(cause=cause, id=Bytes32(identifier), detail=Bytes32(detail))


def sent_for(world: World, thing: Thing, *, key: str = MAKER, said: Said = SAID) -> Call:
    recalling, sent = recorded(world, key)
    assert recalling.issue(thing, said) == 1
    (call,) = sent.calls
    assert call.contract is ContractName.RECALLS
    return call


def test_a_lot_a_certificate_and_a_design_name_themselves(world: World) -> None:
    lot = of(RecallCause.LOT, world.maker, NOBODYS)
    certificate = of(RecallCause.CERTIFICATE, NOBODYS, world.site)
    design = of(RecallCause.DESIGN, world.revision.design)

    calls = [sent_for(world, thing) for thing in (lot, certificate, design)]

    assert [(call.function, *call.args) for call in calls] == [
        ("recallLot", world.maker, NOBODYS, TERMS),
        ("recallCertificate", NOBODYS, world.site, TERMS),
        ("recallDesign", world.revision.design, TERMS),
    ]


def test_recipes_are_shown_in_full(world: World) -> None:
    (recipe,) = facts(world, RecipeFact)
    (own,) = facts(world, SiteRecipeFact)

    of_recipe = sent_for(world, of(RecallCause.RECIPE, recipe.id))
    of_site = sent_for(world, of(RecallCause.SITE_RECIPE, own.id))

    assert of_recipe.args == (recipe_struct(recipe.recipe), TERMS)
    assert of_site.args == (site_recipe_struct(own.recipe), TERMS)
    assert [of_recipe.function, of_site.function] == ["recallRecipe", "recallSiteRecipe"]


def test_a_part_is_shown_in_its_record(world: World) -> None:
    envelope = world.envelope(1)
    world.disclose()
    world.tools.ingest(world.log).receive([envelope])
    line = world.tools.line(world.log)
    line.step()
    line.step()
    (fact,) = (one for one in facts(world, RecordFact) if one.record.log == world.log)

    call = sent_for(world, Thing.serial(world.log, Index(fact.record.first_index)))

    assert (call.function, *call.args) == ("recallPart", record_struct(fact.record), 0, TERMS)


@pytest.mark.parametrize(
    ("thing", "error"),
    [
        (Thing.serial(LogNumber(99), Index(0)), RecordUnknownError),
        (of(RecallCause.KEY, NOBODYS), KeyUnknownError),
        (of(RecallCause.RECIPE, NOBODYS), RecipeUnknownError),
        (of(RecallCause.SITE_RECIPE, NOBODYS), RecipeUnknownError),
        (of(RecallCause.MACHINE, NOBODYS), CallerRefusedError),
    ],
)
def test_what_no_final_block_holds_is_refused(
    world: World, thing: Thing, error: type[GuildmarkError]
) -> None:
    recalling, sent = recorded(world, SITE)

    with pytest.raises(error):
        recalling.issue(thing, SAID)

    assert sent.calls == []


def controllers(world: World) -> tuple[ControllerFact, ControllerFact]:
    """Sell the machine; return its first controller, and the second."""
    chain = world.tools.chain
    chain.mine()
    world.tools.identities(SITE).propose_controller(
        world.machine, world.tools.account(DESIGNER).address
    )
    world.tools.identities(DESIGNER).accept_controller(world.machine)
    first, second = facts(world, ControllerFact, world.machine)
    return first, second


def test_a_machine_and_its_key_are_recalled_within_the_controllers_own_time(world: World) -> None:
    first, second = controllers(world)
    (key,) = (one for one in facts(world, KeyFact) if one.machine == world.machine)
    machine = of(RecallCause.MACHINE, world.machine)

    sold = sent_for(world, machine, key=SITE)
    bought = sent_for(world, machine, key=DESIGNER)
    of_key = sent_for(world, of(RecallCause.KEY, key.id), key=SITE)

    window = (0, first.since, second.since, *TERMS[3:])
    assert (sold.function, *sold.args) == ("recallMachine", world.machine, 1, window)
    assert bought.args == (world.machine, 2, (0, second.since, 0, *TERMS[3:]))
    shown = (world.machine, key.algorithm, key.public_key, 1)
    assert (of_key.function, *of_key.args) == ("recallKey", *shown, window)


def test_a_controller_names_its_own_window(world: World) -> None:
    first, second = controllers(world)
    machine = of(RecallCause.MACHINE, world.machine)
    since, until = first.since + 1, first.since + 2

    named = sent_for(world, machine, key=SITE, said=replace(SAID, since=since, until=until))

    assert named.args == (world.machine, 1, (0, since, until, *TERMS[3:]))
    recalling, _ = recorded(world, DESIGNER)
    with pytest.raises(CallerRefusedError):
        recalling.issue(machine, replace(SAID, since=second.since - 1))


def test_only_the_very_same_recall_is_the_same_call(world: World) -> None:
    recalling, sent = recorded(world, DESIGNER)
    design = of(RecallCause.DESIGN, world.revision.design)

    for said in (SAID, SAID, replace(SAID, reason=MENDED), replace(SAID, until=9)):
        recalling.issue(design, said)

    assert len(set(sent.names)) == 3


def test_recalls_become_facts_and_stay_when_they_are_closed(world: World) -> None:
    design = of(RecallCause.DESIGN, world.revision.design)
    recalling = world.tools.recalling(DESIGNER)
    first = recalling.issue(design, replace(SAID, since=5, until=9))
    world.tools.indexing().follow()
    second = recalling.issue(design, SAID)
    world.tools.indexing().follow()
    recalling.close(design, 1, MENDED)

    closed, stands = facts(world, RecallFact, design.key())
    assert (first, second) == (1, 2)
    assert (closed.number, closed.since, closed.until) == (1, 5, 9)
    assert (closed.closed_at, closed.closing) == (world.tools.chain.now, MENDED)
    assert (stands.severity, stands.reason, stands.closed_at) == (2, SAID.reason, 0)
    assert stands.issuer[12:] == world.tools.account(DESIGNER).address
    assert (stands.by, stands.thing) == (OWNERS, design)


def test_an_authority_has_a_list_of_its_own(world: World) -> None:
    design = of(RecallCause.DESIGN, world.revision.design)
    number = world.tools.recalling(ISSUER).issue_as(world.issuer, design, SAID)

    (fact,) = facts(world, RecallFact, design.key())

    assert (number, fact.by, fact.issuer) == (1, world.issuer, Bytes32(world.issuer))
    assert not fact.is_owners
    world.tools.recalling(ISSUER).close(design, 1, MENDED, by=world.issuer)
    (fact,) = facts(world, RecallFact, design.key())
    assert fact.closing == MENDED


def test_what_anybody_asks_is_no_recall(world: World) -> None:
    design = of(RecallCause.DESIGN, world.revision.design)
    world.tools.recalling(SITE).ask(design, SAID)

    (asked,) = facts(world, RecallAskFact, design.key())

    assert (asked.thing, asked.reason, asked.at) == (design, SAID.reason, world.tools.chain.now)
    assert asked.account == world.tools.account(SITE).address
    assert facts(world, RecallFact) == []


def test_a_recall_that_is_not_on_record_cannot_be_closed(world: World) -> None:
    design = of(RecallCause.DESIGN, world.revision.design)
    recalling = world.tools.recalling(DESIGNER)
    recalling.issue(design, SAID)
    world.tools.indexing().follow()

    for number, by in ((0, OWNERS), (2, OWNERS), (1, IdentityId(NOBODYS))):
        with pytest.raises(RecallUnknownError):
            recalling.close(design, number, MENDED, by=by)


def test_nobody_else_recalls_a_design(world: World) -> None:
    with pytest.raises(CallerRefusedError):
        world.tools.recalling(SITE).issue(of(RecallCause.DESIGN, world.revision.design), SAID)
