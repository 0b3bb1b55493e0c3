"""An old bundle asked anew: bad news count at once, good ones when they are final."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from fakes import simulator as sim
from fakes.inspecting import INSPECTOR, LABORATORY, PROBE, Inspecting
from fakes.newer import OwnNode
from fakes.rivals import EARLIER, other_entry, stand_beside
from fakes.simulator import (
    AUTHORITY,
    BEGUN,
    LOG,
    LOGGED,
    LOOKED,
    MACHINE,
    MAKER,
    NUMBER,
    REGISTERED,
    SITE,
    Simulator,
)
from guildmark.domain import bundle
from guildmark.domain.chain import storage
from guildmark.domain.chain.contracts import AccountProof, ChainPin, ContractName
from guildmark.domain.chain.storage import VOIDED, Location
from guildmark.domain.identifiers import ChainId, Digest, Index
from guildmark.domain.identity.identity import IdentityKind, controller_target, key_id
from guildmark.domain.trust import Listed, Policy, Trust
from guildmark.domain.verification.case import Question
from guildmark.domain.verification.evidence import (
    INTERVALS_MAX,
    STEPS_MAX,
    CountersignerDisclosure,
)
from guildmark.domain.verification.report import AsOf, Report, State, Verdict
from guildmark.verify import verify_bundle
from guildmark.verify.renewing import renewed

MACHINES_KEY = key_id(MACHINE, sim.Signer("machine").public)
FATE = storage.FATES.at(LOG, Index(103))


def later(block: int, words: Mapping[Location, int] | None = None, **changes: Any) -> Simulator:
    """Return the same chain some blocks later."""
    simulator = Simulator(block=block, **changes)
    simulator.words |= words or {}
    return simulator


def judged(
    node: OwnNode, *, old: Simulator | None = None, trust: Trust | None = None, now: int = 3_000
) -> Report:
    old = old or Simulator()
    return verify_bundle(
        bundle.write(old.evidence()), trust or old.trust(), Question(now=now), source=node
    )


def test_a_good_part_is_verified_as_of_the_newest_final_block() -> None:
    node = OwnNode(latest=later(99), final=later(90))

    report = judged(node)

    assert (report.verdict, report.exit) == (Verdict.VERIFIED, 0)
    assert report.as_of == AsOf(block=90, time=LOOKED)
    assert report.newest == AsOf(block=99, time=LOOKED)
    assert {number for number, _ in node.asked} == {99, 90}


@pytest.mark.parametrize(("word", "code"), [(VOIDED, 19), (200, 19)])
def test_a_part_superseded_since_then_is_no_longer_green(word: int, code: int) -> None:
    for node in (
        OwnNode(latest=later(99, {FATE: word}), final=later(90)),
        OwnNode(latest=later(99, {FATE: word}), final=later(90, {FATE: word})),
        OwnNode(latest=later(99, {FATE: word})),
    ):
        report = judged(node)

        assert report.verdict is not Verdict.VERIFIED
        assert report.checks[4].code == (
            "verify.partVoided" if word == VOIDED else "verify.replacementMissing"
        )
        assert report.exit in {code, 23}


@pytest.mark.parametrize(
    ("at", "since", "code"),
    [
        (LOGGED, REGISTERED, "verify.keyUnderNotice"),
        (LOOKED + 50, LOGGED, "verify.keyInDoubt"),
        (LOOKED + 50, LOGGED + 1, None),
    ],
)
def test_a_notice_counts_before_it_is_final(at: int, since: int, code: str | None) -> None:
    noticed = {
        storage.KEYS.at(MACHINES_KEY): sim.key_word(REGISTERED, notice_at=at, suspected_from=since)
    }

    report = judged(OwnNode(latest=later(99, noticed), final=later(90)))

    assert report.checks[2].code == code
    assert (report.verdict is Verdict.VERIFIED) is (code is None)


def test_a_license_stopped_before_the_part_was_logged_is_seen() -> None:
    stopped = {storage.LICENSES.at(NUMBER): sim.license_word(stop_at=BEGUN)}

    report = judged(OwnNode(latest=later(99, stopped), final=later(90)))

    assert (report.verdict, report.checks[6].state) == (Verdict.PROBLEM, State.FAIL)


def test_what_was_contradicted_at_the_bundles_block_stays_so() -> None:
    old = Simulator()
    old.words[FATE] = VOIDED

    report = judged(OwnNode(latest=later(99), final=later(90)), old=old)

    assert (report.verdict, report.checks[4].code) == (Verdict.PROBLEM, "verify.partVoided")


def test_what_the_bundle_left_open_is_answered_by_a_final_block_alone() -> None:
    old = Simulator(unproven={storage.KEYS.at(MACHINES_KEY)})

    assert judged(OwnNode(latest=later(99), final=later(90)), old=old).exit == 0
    without = judged(OwnNode(latest=later(99)), old=old)
    assert (without.verdict, without.checks[2].code) == (
        Verdict.UNCHECKABLE,
        "verify.proofMissing",
    )
    assert without.as_of == AsOf(block=77, time=LOOKED)


def test_a_claim_made_since_then_counts_when_it_is_final() -> None:
    old = Simulator()
    absent = {storage.CLAIMS.at(one.id()): 0 for one in old.claims}
    old.words |= absent

    assert judged(OwnNode(latest=later(99), final=later(90, absent)), old=old).exit == 16
    assert judged(OwnNode(latest=later(99), final=later(90)), old=old).exit == 0


def test_an_old_bundle_is_as_fresh_as_the_final_block() -> None:
    old = Simulator()
    trust = replace(old.trust(), policy=Policy(max_age=100))
    limits = ((LOOKED + 100, 0), (LOOKED + 101, 23))

    for now, code in limits:
        assert judged(OwnNode(latest=later(99), final=later(90)), trust=trust, now=now).exit == code


def test_the_readers_own_authorities_are_asked_for() -> None:
    trust = replace(Simulator().trust(), authorities=(Listed(id=AUTHORITY),))
    notice = {storage.NOTICES.at(MACHINES_KEY, AUTHORITY): sim.notice_word(LOOKED + 5, LOGGED)}

    assert judged(OwnNode(latest=later(99), final=later(90)), trust=trust).exit == 0
    report = judged(OwnNode(latest=later(99, notice), final=later(90)), trust=trust)
    assert report.checks[2].code == "verify.keyInDoubt"


def test_what_changed_since_then_is_counted_again() -> None:
    """Links, controllers and steps that came later are proven, too, and take nothing from it."""
    target = controller_target(MAKER, 2)
    grown = {
        storage.LINK_COUNTS.at(SITE, MAKER): 2,
        storage.LINKS.at(SITE, MAKER, 1): sim.interval_word(REGISTERED, LOOKED + 5),
        storage.LINKS.at(SITE, MAKER, 2): sim.interval_word(LOOKED + 9),
        storage.IDENTITIES.at(MAKER): sim.identity_word(IdentityKind.ORGANIZATION, controllers=2),
        storage.CONTROLLERS.at(MAKER, 2): sim.controller_word(LOOKED + 7),
        storage.NOTICES.at(target, b"\0" * 32): sim.notice_word(LOOKED + 8, LOOKED + 8),
    }

    report = judged(OwnNode(latest=later(99, grown), final=later(90, grown)))

    assert (report.verdict, report.exit) == (Verdict.VERIFIED, 0)


def test_counts_are_bounded() -> None:
    recipe = Simulator().make_recipe().id()
    many = {
        storage.LINK_COUNTS.at(SITE, MAKER): INTERVALS_MAX + 1,
        storage.IDENTITIES.at(MAKER): sim.identity_word(
            IdentityKind.ORGANIZATION, controllers=INTERVALS_MAX + 1
        ),
        storage.RECIPES.at(recipe): sim.pack((1_100, 40), (STEPS_MAX + 1, 40)),
    }
    old = Simulator()

    newer = renewed(old.evidence(), old.trust(), OwnNode(latest=later(99, many)))

    shown = newer.latest.disclosed
    assert shown.maker_link is not None
    assert shown.recipe is not None
    assert (shown.maker_link.count, shown.recipe.steps) == (INTERVALS_MAX, STEPS_MAX)
    assert [(one.identity, one.count) for one in shown.controllers] == [(MAKER, INTERVALS_MAX)]
    assert newer.final is None


def test_a_bundle_without_its_papers_is_asked_anew_for_what_it_has() -> None:
    bare = {"site_link": None, "maker_link": None, "recipe": None, "owner": None}
    old = Simulator(disclosed=bare)

    newer = renewed(old.evidence(), old.trust(), OwnNode(latest=later(99)))

    assert newer.latest.disclosed == replace(old.evidence().disclosed)


def test_links_of_inspectors_and_countersigners_are_counted_again() -> None:
    old = Simulator()
    Inspecting(simulator=old).show()
    link = replace(old.disclosed["inspections"][0].site_link)
    above = replace(old.disclosed["inspections"][0].inspector_link)
    old.disclosed["countersigner"] = CountersignerDisclosure(
        machine=PROBE, key=sim.Signer("probe").public, site_link=link, link=above
    )
    newest = Simulator(block=99, disclosed=dict(old.disclosed), words=dict(old.words))
    newest.words[storage.LINK_COUNTS.at(PROBE, LABORATORY)] = 3
    newest.words[storage.LINK_COUNTS.at(LABORATORY, INSPECTOR)] = 2

    shown = renewed(old.evidence(), old.trust(), OwnNode(latest=newest)).latest.disclosed

    assert shown.countersigner is not None
    inspection = shown.inspections[0]
    assert inspection.site_link is not None
    assert inspection.inspector_link is not None
    assert (inspection.site_link.count, inspection.inspector_link.count) == (3, 2)
    assert (shown.countersigner.site_link.count, shown.countersigner.link.count) == (3, 2)


def test_other_entries_and_replacements_are_asked_anew_with_it() -> None:
    ours, other = Simulator(), other_entry(EARLIER)
    stand_beside(ours, other)
    rivals_fate = storage.FATES.at(LOG, Index(93))
    newest, voided = (Simulator(block=99, words=dict(ours.words)) for _ in range(2))
    voided.words[rivals_fate] = VOIDED

    assert judged(OwnNode(latest=newest), old=ours).exit == 19
    newer = renewed(ours.evidence(), ours.trust(), OwnNode(latest=voided))
    (rival,) = newer.latest.rivals
    assert rival.chain.header == newer.latest.chain.header

    replacing = replace(ours.evidence(), rivals=(), replacement=rival)
    again = renewed(replacing, ours.trust(), OwnNode(latest=voided)).latest
    assert again.replacement is not None
    assert again.replacement.chain.header == again.chain.header


def broken(
    accounts: Mapping[ContractName, AccountProof],
) -> Mapping[ContractName, AccountProof]:
    parts = accounts[ContractName.PARTS]
    return {**accounts, ContractName.PARTS: replace(parts, nodes=parts.nodes[:-1])}


def lying(
    accounts: Mapping[ContractName, AccountProof],
) -> Mapping[ContractName, AccountProof]:
    parts = accounts[ContractName.PARTS]
    slots = tuple(replace(one, value=VOIDED) for one in parts.slots)
    return {**accounts, ContractName.PARTS: replace(parts, slots=slots)}


class Endless(OwnNode):
    """A node out of order."""

    def header(self, tag: str) -> bytes | None:
        return b"\0" * (70_000 + len(tag))


class Forgetful(OwnNode):
    """A node that keeps the newest state alone."""

    def proof(
        self, pin: ChainPin, number: int, slots: Mapping[ContractName, Sequence[bytes]]
    ) -> Mapping[ContractName, AccountProof]:
        return super().proof(pin, number if number == self.latest.block else 1, slots)


@pytest.mark.parametrize(
    ("node", "reason"),
    [
        (OwnNode(latest=later(99), chain=(ChainId(5), Digest(b"\5" * 32))), "on another chain"),
        (OwnNode(latest=later(76)), "older than block 77 of the bundle"),
        (OwnNode(latest=later(99), change=broken), "do not hold under its own block 99"),
        (OwnNode(latest=later(99), change=lying), "do not hold under its own block 99"),
        (Endless(latest=later(99)), "the limit is 65536"),
    ],
)
def test_a_node_that_cannot_answer_leaves_the_bundles_own_answer(
    node: OwnNode, reason: str
) -> None:
    report = judged(node)

    assert (report.exit, report.as_of, report.newest) == (0, AsOf(block=77, time=LOOKED), None)
    (note,) = [one for one in report.notes if one.startswith("Could not check the newest state")]
    assert reason in note


def test_other_code_at_a_contracts_address_is_bad_news() -> None:
    newest = later(99)
    contracts = dict(newest.pin.contracts)
    changed = replace(contracts[ContractName.PARTS], code_hash=Digest(b"\6" * 32))
    newest.pin = replace(newest.pin, contracts={**contracts, ContractName.PARTS: changed})

    report = judged(OwnNode(latest=newest))

    assert report.checks[0].code == "verify.codeMismatch"


def test_a_part_of_an_untrusted_block_is_not_asked_anew() -> None:
    old, node = Simulator(), OwnNode(latest=later(99), final=later(90))
    data = bundle.write(old.evidence())

    unknown = verify_bundle(data, replace(old.trust(), blocks=()), source=node)
    nobody = verify_bundle(data, None, source=node)

    assert (unknown.checks[0].code, nobody.exit, node.asked) == ("verify.blockUnknown", 16, [])


def test_a_final_block_that_the_node_cannot_prove_is_done_without() -> None:
    node = Forgetful(latest=later(99), final=later(90))

    report = judged(node)

    assert (report.exit, report.as_of, report.newest) == (
        0,
        AsOf(block=77, time=LOOKED),
        AsOf(block=99, time=LOOKED),
    )
