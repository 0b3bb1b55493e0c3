"""Check (9) in a whole verdict: which certificates hold, and what is said of every plan."""

from dataclasses import replace

import pytest

from fakes.cases.draft import Draft, Sealed, other
from fakes.cases.equivalent import (
    CERTIFIED,
    EVALUATOR,
    GOOD,
    LISTED,
    SILENT,
    Tried,
    ask,
    attempt,
    certified,
    run_firmware,
    stay,
    supersede,
)
from fakes.simulator import AUTHORITY, BEGUN, LOGGED, LOOKED, REGISTERED
from guildmark.domain import bundle
from guildmark.domain.chain import storage
from guildmark.domain.equivalence.registration import Outcome
from guildmark.domain.identifiers import to_hex
from guildmark.domain.recipes.recipe import Change
from guildmark.domain.trust import Policy
from guildmark.domain.verification.evidence import PLANS_MAX, Evidence, EvidenceRangeError
from guildmark.domain.verification.report import Report, State, Verdict
from guildmark.verify import verify_bundle


def judged(sealed: Sealed) -> Report:
    return verify_bundle(bundle.write(sealed.evidence), sealed.trust, sealed.question)


def said(draft: Draft) -> str:
    lead = "Equivalence of the maker's site: "
    return next(note for note in judged(draft.seal()).notes if note.startswith(lead))[len(lead) :]


@pytest.mark.parametrize(
    "tried",
    [
        GOOD,
        replace(GOOD, since=BEGUN),
        replace(GOOD, until=LOGGED + 1),
        replace(GOOD, suspended=LOGGED + 1),
        replace(GOOD, counters={EVALUATOR: 0}),
    ],
)
def test_a_part_of_a_certified_site_is_verified(tried: Tried) -> None:
    draft = Draft()
    certified(draft, tried)

    report = judged(draft.seal())

    assert (report.verdict, report.exit) == (Verdict.VERIFIED, 0)
    assert report.checks[9].state is State.OK


@pytest.mark.parametrize(
    "since",
    [
        (CERTIFIED,),
        (REGISTERED, CERTIFIED),
        # A stay that nobody shows was after what was built; check (1) looks at it.
        (REGISTERED, LOGGED + 2),
    ],
)
def test_a_machine_that_was_there_when_its_site_was_certified_is_covered(
    since: tuple[int, ...],
) -> None:
    draft = Draft()
    certified(draft)
    stay(draft, *since)

    assert judged(draft.seal()).checks[9].state is State.OK


def test_a_machine_that_came_later_needs_a_certificate_of_later() -> None:
    draft = Draft()
    certified(draft, GOOD, replace(GOOD, since=CERTIFIED + 50))
    stay(draft, CERTIFIED + 50)

    assert judged(draft.seal()).checks[9].state is State.OK


def test_a_link_that_is_not_the_machines_is_left_to_the_first_check() -> None:
    draft = Draft()
    certified(draft)
    draft.simulator.disclosed["site_link"] = None

    report = judged(draft.seal())

    assert report.checks[9].state is State.OK
    assert report.checks[1].state is not State.OK


@pytest.mark.parametrize(
    ("stated", "ran", "state"),
    [
        ("Marlin 2.1.2", "Marlin 2.9", State.OK),
        ("Prusa MK4 6.1.2", "6.0.0+14794", State.OK),
        ("6", "v6.2", State.OK),
        ("06.1", "6.2", State.OK),
        ("2.1", "20.1", State.FAIL),
        ("6", "7", State.FAIL),
        ("stable", "stable", State.OK),
        ("stable", "nightly", State.FAIL),
    ],
)
def test_firmware_is_compared_by_its_major_version(stated: str, ran: str, state: State) -> None:
    draft = Draft()
    run_firmware(draft, stated, ran, published=CERTIFIED)

    assert judged(draft.seal()).checks[9].state is state


def test_a_site_that_names_no_firmware_is_not_held_to_one() -> None:
    draft = Draft()
    certified(draft)
    draft.simulator.statement["firmware"] = "9.9"

    assert judged(draft.seal()).checks[9].state is State.OK


def test_the_plans_number_and_those_that_failed_are_printed() -> None:
    draft = Draft()
    certified(draft, SILENT, SILENT, GOOD)

    name = to_hex(EVALUATOR)
    assert said(draft) == f"plans 1, 2: FAIL, not revealed; plan 3: EQUIVALENT by {name}."


@pytest.mark.parametrize(
    ("tried", "words"),
    [
        (replace(SILENT, revealed=1_350), "revealed, not certified"),
        (replace(SILENT, committed=0), "FAIL, no data"),
        (replace(SILENT, reveal_by=LOOKED), "FAIL, not revealed"),
        (replace(SILENT, reveal_by=LOOKED + 1), "running"),
        (replace(SILENT, committed=0, commit_by=LOOKED, reveal_by=LOOKED + 1), "FAIL, no data"),
        (replace(SILENT, committed=0, commit_by=LOOKED + 1, reveal_by=LOOKED + 2), "running"),
    ],
)
def test_what_became_of_a_plan_without_certificate(tried: Tried, words: str) -> None:
    draft = Draft()
    certified(draft, tried)

    assert said(draft) == f"plan 1: {words}."


def test_a_doubted_certificate_does_no_harm_beside_one_that_holds() -> None:
    draft = Draft()
    certified(draft, replace(GOOD, counters={AUTHORITY: 1}), GOOD)

    assert judged(draft.seal()).exit == 0


def test_a_bad_end_before_the_certificate_is_told_and_does_no_harm() -> None:
    draft = Draft()
    bad = replace(GOOD, verdict=Outcome.NOT_EQUIVALENT, since=CERTIFIED - 1)
    certified(draft, bad, GOOD)

    assert judged(draft.seal()).exit == 0
    assert said(draft).startswith("plan 1: NOT_EQUIVALENT by ")


def test_a_listed_evaluator_takes_his_bad_word_back() -> None:
    draft = Draft()
    bad = replace(GOOD, verdict=Outcome.NOT_EQUIVALENT, since=LOGGED + 1)
    certified(draft, GOOD, bad, replace(GOOD, since=LOGGED + 2))

    assert judged(draft.seal()).exit == 0


def test_a_strangers_bad_word_does_no_harm() -> None:
    draft = Draft()
    bad = replace(GOOD, verdict=Outcome.NOT_EQUIVALENT, since=LOOKED, evaluator=AUTHORITY)
    certified(draft, GOOD, bad)
    draft.trust["authorities"] = LISTED[:1]

    assert judged(draft.seal()).exit == 0


def test_the_headline_names_an_evaluator_who_is_not_listed() -> None:
    draft = Draft()
    certified(draft, GOOD)
    draft.trust["authorities"] = LISTED[1:]

    headline = judged(draft.seal()).headline

    assert headline.endswith(
        "but the evaluator of the site's equivalence is not on your trust list."
    )


@pytest.mark.parametrize("change", [Change.EDITORIAL, Change.MINOR])
def test_a_small_change_of_the_recipe_keeps_its_certificates(change: Change) -> None:
    draft = Draft()
    supersede(draft, change)

    assert judged(draft.seal()).exit == 0


def test_without_a_list_nobody_says_whose_word_counts() -> None:
    draft = Draft()
    certified(draft, GOOD, replace(GOOD, verdict=Outcome.NOT_EQUIVALENT))
    draft.without_trust = True

    assert judged(draft.seal()).exit == 16


@pytest.mark.parametrize("cause", [1, 2, 3, 4, 9])
def test_what_a_certificate_lapsed_by_is_said(cause: int) -> None:
    draft = Draft()
    certified(draft, replace(GOOD, suspended=BEGUN - 1, lapsed=BEGUN, cause=cause))

    words = {
        1: "a machine moved",
        2: "firmware changed by a major version",
        3: "the recipe changed",
        4: "a key is under notice",
        9: "an unknown cause",
    }
    reason = judged(draft.seal()).checks[9].reason
    limits = f"; suspended at {BEGUN - 1}; lapsed at {BEGUN}: {words[cause]}"
    during = f"between {BEGUN} and {LOGGED}, when the part was built"
    assert reason == f"The certificate of plan 1{limits} did not hold {during}."


@pytest.mark.parametrize("hidden", ["recipe", "site_recipe"])
def test_without_the_papers_nothing_is_said(hidden: str) -> None:
    draft = Draft()
    certified(draft)
    draft.simulator.disclosed[hidden] = None

    report = judged(draft.seal())

    assert report.checks[9].state is State.UNKNOWN
    code = {"recipe": "verify.recipeMissing", "site_recipe": "verify.siteRecipeMissing"}[hidden]
    assert report.checks[9].code == code


def test_a_policy_may_leave_equivalence_out() -> None:
    draft = Draft()
    ask(draft)
    attempt(draft)
    required = tuple(number for number in range(11) if number != 9)
    draft.trust["policy"] = Policy(required=required)

    report = judged(draft.seal())

    assert (report.verdict, report.exit) == (Verdict.VERIFIED, 0)
    assert "Your policy does not ask for (9), which is not claimed." in report.notes


def test_a_bundle_of_a_recipe_that_does_not_ask_proves_no_plan() -> None:
    draft = Draft()

    assert storage.PLANS.contract not in draft.simulator.evidence().chain.accounts
    assert judged(draft.seal()).verdict is Verdict.VERIFIED


def test_the_proof_of_plans_is_missed_where_the_recipe_asks_for_them() -> None:
    draft = Draft()
    ask(draft)
    attempt(draft, Tried())

    def leave_out(evidence: Evidence) -> Evidence:
        accounts = dict(evidence.chain.accounts)
        del accounts[storage.PLANS.contract]
        return replace(evidence, chain=replace(evidence.chain, accounts=accounts))

    whole = judged(draft.seal())
    draft.tampers.append(leave_out)
    report = judged(draft.seal())

    assert whole.checks[0].code is None
    assert (report.checks[0].state, report.checks[0].code) == (
        State.UNKNOWN,
        "verify.contractMissing",
    )


def test_a_proof_that_nobody_needs_is_still_checked() -> None:
    draft = Draft()

    def add_wrong(evidence: Evidence) -> Evidence:
        accounts = dict(evidence.chain.accounts)
        accounts[storage.PLANS.contract] = accounts[storage.FATES.contract]
        return replace(evidence, chain=replace(evidence.chain, accounts=accounts))

    draft.tampers.append(add_wrong)

    assert judged(draft.seal()).checks[0].code == "verify.contractInvalid"


def test_more_plans_than_are_read_are_refused() -> None:
    draft = Draft()
    (shown,) = certified(draft)
    disclosed = draft.simulator.make_disclosures()

    replace(disclosed, equivalence=(shown,) * PLANS_MAX)
    with pytest.raises(EvidenceRangeError):
        replace(disclosed, equivalence=(shown,) * (PLANS_MAX + 1))


def test_a_plan_has_a_number_from_one() -> None:
    draft = Draft()
    (shown,) = certified(draft)

    with pytest.raises(EvidenceRangeError):
        replace(shown, number=0)
    assert replace(shown, plan=replace(shown.plan, document=other("x"))).number == 1
