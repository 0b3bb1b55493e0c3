"""Cases for check (12): recalls of everything that a part has in common with others."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from fakes import simulator as sim
from fakes.cases.draft import DAY, Draft, breaks, other, word
from fakes.cases.equivalent import EVALUATOR, GOOD, LISTED, certified
from fakes.cases.notices import KEY_ID, list_authority
from fakes.simulator import (
    AUTHORITY,
    BEGUN,
    DESIGN,
    GAUGE,
    LOG,
    LOGGED,
    LOOKED,
    MACHINE,
    MAKER,
    SITE,
    identity_word,
    salt,
)
from guildmark.domain.builds.dependencies import Dependency, dependencies_root
from guildmark.domain.chain import storage
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.identifiers import Bytes32, IdentityId, Index
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.recall import OWNERS, RecallCause, Severity, Thing
from guildmark.domain.verification.case import Question
from guildmark.domain.verification.evidence import RECALLS_MAX, Evidence, RecallsDisclosure

ISSUED = LOGGED + 50
REASON = sim.as_int(other("reason"))

LOT = Thing(cause=RecallCause.LOT, id=Bytes32(MAKER), detail=Bytes32(other("lot")))
SPOOL = Thing(cause=RecallCause.LOT, id=Bytes32(SITE), detail=Bytes32(other("spool")))
LOTS = (
    Dependency(thing=LOT, salt=salt("lot")),
    Dependency(thing=SPOOL, salt=salt("spool")),
    Dependency(thing=Thing.serial(LOG, Index(7)), salt=salt("child")),
)


@dataclass(frozen=True, kw_only=True)
class Recall:
    """A recall as the chain holds it."""

    since: int = 0
    until: int = 0
    at: int = ISSUED
    closed: int = 0
    severity: int = Severity.WITHDRAW

    def word(self) -> int:
        times = ((time, 40) for time in (self.at, self.since, self.until, self.closed))
        return sim.pack(*times, (self.severity, 8))


OPEN = Recall()
CLOSED = Recall(closed=LOOKED - 10)


def recall(
    draft: Draft,
    thing: Thing,
    *recalls: Recall,
    by: IdentityId = OWNERS,
    shown: int | None = None,
    beyond: tuple[int, ...] = (),
) -> None:
    """Let the chain hold recalls of a thing, and the bundle prove them, or some of them."""
    key, simulator = Bytes32(thing.key()), draft.simulator
    for number, one in enumerate(recalls, start=1):
        simulator.words[storage.RECALLS.at(key, by, number)] = one.word()
        simulator.words[storage.RECALL_REASONS.at(key, by, number)] = REASON
    simulator.words[storage.RECALL_COUNTS.at(key, by)] = len(recalls)
    count = len(recalls) if shown is None else shown
    lists = simulator.disclosed.get("recalls", ())
    if count:
        told = RecallsDisclosure(key=key, by=by, count=count, beyond=beyond)
        simulator.disclosed["recalls"] = (*lists, told)


def declare(draft: Draft, *declared: Dependency) -> None:
    """Let statement and entry commit to what the maker declared, and the bundle show it."""
    draft.simulator.statement["dependencies"] = dependencies_root(declared)
    draft.simulator.disclosed["dependencies"] = declared


def machine() -> Thing:
    return Thing(cause=RecallCause.MACHINE, id=Bytes32(MACHINE))


_RECIPE = Bytes32(sim.Simulator().make_recipe().id())
_SITE_RECIPE = Bytes32(sim.Simulator().make_site_recipe().id())
_DERIVED = {
    "part": Thing.serial(LOG, Index(103)),
    "machine": machine(),
    "key": Thing(cause=RecallCause.KEY, id=Bytes32(KEY_ID)),
    "recipe": Thing(cause=RecallCause.RECIPE, id=_RECIPE),
    "site_recipe": Thing(cause=RecallCause.SITE_RECIPE, id=_SITE_RECIPE),
    "design": Thing(cause=RecallCause.DESIGN, id=Bytes32(DESIGN)),
}


def _recalled(name: str, thing: Thing) -> None:
    def by_owner(draft: Draft) -> None:
        recall(draft, thing, OPEN)

    def by_authority(draft: Draft) -> None:
        list_authority(draft)
        recall(draft, thing, OPEN, by=AUTHORITY)

    def hidden(draft: Draft) -> None:
        recall(draft, thing, CLOSED, OPEN, shown=1)

    def unproven(draft: Draft) -> None:
        draft.simulator.unproven.add(storage.RECALL_COUNTS.at(thing.key(), OWNERS))

    kinds: tuple[tuple[str, str, int, Callable[[Draft], None]], ...] = (
        ("recalled_by_its_owner", "recalled", 20, by_owner),
        ("recalled_by_an_authority", "recalled", 20, by_authority),
        ("of_which_a_recall_is_not_shown", "recallsHidden", 23, hidden),
        ("whose_recalls_are_not_proven", "proofMissing", 23, unproven),
    )
    for what, code, exit_code, change in kinds:
        change.__name__ = f"{name}_{what}"
        breaks(12, code, exit_code)(change)


for _name, _thing in _DERIVED.items():
    _recalled(_name, _thing)


_FLOOD = (Recall(until=BEGUN - 1),) * RECALLS_MAX


@breaks(12, "recalled", 20)
def machine_recalled_behind_a_flood(draft: Draft) -> None:
    last = len(_FLOOD) + 1
    recall(draft, machine(), *_FLOOD, OPEN, shown=RECALLS_MAX - 1, beyond=(last,))


@breaks(12, "recallsHidden", 23)
def machine_flooded_with_recalls_of_another_time(draft: Draft) -> None:
    recall(draft, machine(), *_FLOOD, _FLOOD[0], shown=RECALLS_MAX)


@breaks(12, "recallsHidden", 23)
def machine_of_which_a_further_recall_is_not_proven(draft: Draft) -> None:
    last = len(_FLOOD) + 1
    recall(draft, machine(), *_FLOOD, OPEN, shown=RECALLS_MAX - 1, beyond=(last,))
    draft.simulator.unproven.add(storage.RECALLS.at(machine().key(), OWNERS, last))


@breaks(12, "recallsHidden", 23)
def machine_of_which_a_further_recall_is_behind_the_count(draft: Draft) -> None:
    recall(draft, machine(), *_FLOOD, _FLOOD[0], shown=2, beyond=(len(_FLOOD) + 2,))


@breaks(12, "recalled", 20)
def lot_recalled_by_its_maker(draft: Draft) -> None:
    declare(draft, *LOTS)
    recall(draft, LOT, OPEN)


@breaks(12, "recalled", 20)
def lot_of_a_supplier_recalled(draft: Draft) -> None:
    declare(draft, *LOTS)
    recall(draft, SPOOL, Recall(severity=Severity.DANGER))


@breaks(12, "recallsHidden", 23)
def lot_of_which_no_recall_is_shown(draft: Draft) -> None:
    declare(draft, *LOTS)
    recall(draft, LOT, OPEN, shown=0)


@breaks(12, "recalled", 20)
def certificate_recalled_by_its_evaluator(draft: Draft) -> None:
    (shown,) = certified(draft, GOOD)
    recall(draft, _certificate(shown.plan.id()), OPEN)


@breaks(12, "recalled", 20)
def one_of_two_certificates_recalled_by_an_authority(draft: Draft) -> None:
    first, _ = certified(draft, GOOD, GOOD)
    recall(draft, _certificate(first.plan.id()), OPEN, by=AUTHORITY)


@breaks(12, "recallsHidden", 23)
def certificate_of_which_a_recall_is_not_shown(draft: Draft) -> None:
    (shown,) = certified(draft, GOOD)
    recall(draft, _certificate(shown.plan.id()), OPEN, shown=0)


@breaks(12, "recallKeysUnproven", 23, decides=False)
def certificate_of_a_plan_that_is_not_shown(draft: Draft) -> None:
    _, second = certified(draft, GOOD, GOOD)
    draft.simulator.disclosed["equivalence"] = (second,)


@breaks(12, "recallKeysUnproven", 23, decides=False)
def key_that_is_not_shown(draft: Draft) -> None:
    draft.simulator.disclosed["key"] = None


@breaks(12, "recalled", 20)
def machine_recalled_for_exactly_the_time_of_the_build(draft: Draft) -> None:
    recall(draft, machine(), Recall(since=BEGUN, until=LOGGED + 1))


@breaks(12, "recalled", 20)
def machine_recalled_twice_which_together_is_the_time_of_the_build(draft: Draft) -> None:
    recall(draft, machine(), Recall(until=BEGUN + 10), Recall(since=BEGUN + 10))


@breaks(12, "recalledPartly", 23)
def machine_recalled_from_a_second_after_the_beacon(draft: Draft) -> None:
    recall(draft, machine(), Recall(since=BEGUN + 1))


@breaks(12, "recalledPartly", 23)
def machine_recalled_until_the_second_of_the_record(draft: Draft) -> None:
    recall(draft, machine(), Recall(until=LOGGED))


@breaks(12, "recalled", 20)
def machine_recalled_anew_after_a_recall_was_closed(draft: Draft) -> None:
    recall(draft, machine(), CLOSED, Recall(at=LOOKED - 5))


@breaks(12, "recalled", 20)
def recall_of_a_severity_that_nobody_knows(draft: Draft) -> None:
    recall(draft, machine(), Recall(severity=9))


@breaks(12, "recalled", 20)
def recall_whose_reason_is_not_proven(draft: Draft) -> None:
    recall(draft, machine(), OPEN)
    place = storage.RECALL_REASONS.at(machine().key(), OWNERS, 1)
    draft.simulator.unproven.add(place)


@breaks(12, "authorityMissing", 23)
def authority_of_whom_no_recall_is_proven(draft: Draft) -> None:
    list_authority(draft)
    draft.simulator.unproven.add(storage.RECALL_COUNTS.at(machine().key(), AUTHORITY))


@breaks(12, "recallsHidden", 23)
def authority_of_whom_a_recall_is_not_shown(draft: Draft) -> None:
    list_authority(draft)
    recall(draft, machine(), OPEN, by=AUTHORITY, shown=0)


@breaks(12, "proofInvalid", 20)
def recall_with_a_wrong_proof(draft: Draft) -> None:
    recall(draft, machine(), OPEN)
    _spoil(draft, storage.RECALLS.at(machine().key(), OWNERS, 1))


@breaks(12, "proofInvalid", 20)
def count_of_recalls_with_a_wrong_proof(draft: Draft) -> None:
    recall(draft, machine(), OPEN)
    _spoil(draft, storage.RECALL_COUNTS.at(machine().key(), OWNERS))


@breaks(12, "declaredMismatch", 20)
def lot_left_out_of_the_list(draft: Draft) -> None:
    declare(draft, *LOTS)
    draft.simulator.disclosed["dependencies"] = LOTS[:2]


@breaks(12, "declaredMismatch", 20)
def lots_in_another_order(draft: Draft) -> None:
    declare(draft, *LOTS)
    draft.simulator.disclosed["dependencies"] = LOTS[::-1]


@breaks(12, "declaredMismatch", 20)
def lot_under_another_salt(draft: Draft) -> None:
    declare(draft, LOTS[0])
    changed = replace(LOTS[0], salt=salt("other"))
    draft.simulator.disclosed["dependencies"] = (changed,)


@breaks(12, "declaredMismatch", 20)
def lot_shown_where_none_was_declared(draft: Draft) -> None:
    draft.simulator.disclosed["dependencies"] = LOTS


@breaks(12, "declaredWithheld", 23)
def lots_that_are_not_shown(draft: Draft) -> None:
    declare(draft, *LOTS)
    draft.simulator.disclosed["dependencies"] = ()


@breaks(12, "recallsStale", 23, decides=False)
def recalls_as_of_long_ago(draft: Draft) -> None:
    draft.question = Question(now=LOOKED + 30 * DAY + 1)


@breaks(12, "proofMissing", 23)
def bundle_from_before_recalls_were_proven(draft: Draft) -> None:
    def without(evidence: Evidence) -> Evidence:
        accounts = dict(evidence.chain.accounts)
        del accounts[ContractName.RECALLS]
        return replace(evidence, chain=replace(evidence.chain, accounts=accounts))

    draft.tampers.append(without)


def evaluated(draft: Draft) -> None:
    """Let the evaluator recall in a list of its own, too, as an authority."""
    (shown,) = certified(draft, GOOD)
    draft.trust["authorities"] = LISTED
    word(storage.IDENTITIES.at(EVALUATOR), identity_word(IdentityKind.AUTHORITY))(draft)
    recall(draft, _certificate(shown.plan.id()), CLOSED, by=EVALUATOR)


def others_recalled(draft: Draft) -> None:
    """Let much be recalled that this part has nothing of."""
    declare(draft, LOTS[0])
    recall(draft, SPOOL, OPEN)
    recall(draft, Thing(cause=RecallCause.MACHINE, id=Bytes32(GAUGE)), OPEN)
    recall(draft, Thing.serial(LOG, Index(104)), OPEN)


def _certificate(plan: bytes) -> Thing:
    return Thing(cause=RecallCause.CERTIFICATE, id=Bytes32(plan), detail=Bytes32(SITE))


def _spoil(draft: Draft, place: storage.Location) -> None:
    """Let the bundle show another value of a slot than its proof proves."""

    def tamper(evidence: Evidence) -> Evidence:
        proof = evidence.chain.accounts[place.contract]
        slots = tuple(
            replace(one, value=one.value + 1) if one.slot == place.slot else one
            for one in proof.slots
        )
        accounts = {**evidence.chain.accounts, place.contract: replace(proof, slots=slots)}
        return replace(evidence, chain=replace(evidence.chain, accounts=accounts))

    draft.tampers.append(tamper)
