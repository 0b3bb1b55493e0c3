"""What a customer reads of equivalence: a sentence for the parts, one for the process."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from fakes.cases.draft import Draft
from fakes.cases.equivalent import GOOD, Tried, attempt, certified
from fakes.simulator import SITE
from fakes.store import MemoryNodeStore
from guildmark.api.pages.compared import compared
from guildmark.api.pages.rendering import render
from guildmark.api.pages.verdict import NO_DETAILS, Compared, Judge, verdict_page
from guildmark.domain.chain.contracts import ChainClass
from guildmark.domain.chain.facts import CertificateFact
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.equivalence.plan import Kind
from guildmark.domain.equivalence.registration import Outcome
from guildmark.domain.equivalence.verdict import (
    EquivalenceResult,
    Gate,
    GateOutcome,
    PairVerdict,
    Verdict,
)
from guildmark.domain.equivalence.verdict import Outcome as Outcomes
from guildmark.domain.identifiers import to_hex
from guildmark.domain.recipes.clause import ClausePath
from guildmark.domain.verification.case import Case
from guildmark.domain.verification.evidence import PlanDisclosure
from guildmark.domain.verification.report import Report
from guildmark.domain.verification.verdict import verify_evidence
from guildmark.ports.store import DocumentKind

UNPUBLISHED = "How the machines run is not told: the result was not published on this node."


def result_of(kind: Kind | None, verdict: Verdict = Verdict.EQUIVALENT) -> EquivalenceResult:
    sites = (to_hex(sha256(b"reference")), to_hex(SITE))
    said = [PairVerdict(sites=sites, kind=Kind.PART, verdict=Verdict.EQUIVALENT, summary="")]
    if kind is not None:
        said.append(PairVerdict(sites=sites, kind=kind, verdict=verdict, summary=""))
    return EquivalenceResult(
        plan=sha256(b"plan"), engine=sha256(b"engine"), data={}, verdicts=tuple(said), gates=()
    )


def store_of(
    shown: Sequence[PlanDisclosure], result: EquivalenceResult | None, verdict: Outcome
) -> MemoryNodeStore:
    """Return a node's store that knows the newest of the plans, and its result if there is one."""
    store = MemoryNodeStore()
    body = b"" if result is None else result.encode()
    with store.writing() as work:
        for since, one in enumerate(shown, start=1):
            plan, named = one.plan.id(), sha256(body)
            fact = CertificateFact(plan=plan, site=SITE, verdict=verdict, result=named, since=since)
            work.facts.put(fact)
            work.documents.put(DocumentKind.PUBLISHED_PLAN, plan, b"plan")
        if result is not None:
            work.documents.put(DocumentKind.PUBLISHED_RESULT, sha256(body), body)
    return store


def told(
    draft: Draft,
    shown: Sequence[PlanDisclosure] = (),
    result: EquivalenceResult | None = None,
    verdict: Outcome = Outcome.EQUIVALENT,
) -> tuple[Report, Compared | None]:
    sealed = draft.seal()
    report = verify_evidence(sealed.evidence, sealed.trust, sealed.question)
    case = Case(sealed.evidence, sealed.trust, sealed.question)
    with store_of(shown, result, verdict).reading() as view:
        return report, compared(report, case, view)


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (None, UNPUBLISHED),
        (result_of(None), "How the machines run was not compared: the plan measures parts."),
        (result_of(Kind.PROCESS), "The site's machines were found to run as the reference"),
        (
            result_of(Kind.PROCESS, Verdict.NOT_EQUIVALENT),
            "The site's machines were found to run otherwise",
        ),
        (
            result_of(Kind.PROCESS, Verdict.INCONCLUSIVE),
            "Whether the site's machines run as the reference site's do was not shown.",
        ),
        (result_of(Kind.PROCESS, Verdict.INVALID), "The data of how the machines run"),
    ],
)
def test_a_certified_sites_parts_and_process_are_told(
    result: EquivalenceResult | None, words: str
) -> None:
    draft = Draft()
    shown = certified(draft, GOOD, GOOD)

    report, found = told(draft, shown, result)

    page = "" if result is None else f"/equivalence/{to_hex(shown[-1].plan.id())}"
    assert found is not None
    assert found.parts.startswith("Parts of this site can be used in place of the reference")
    assert found.process.startswith(words)
    assert found.plan == page
    judge = Judge(host="parts.example.org", chain_class=ChainClass.LOCAL)
    details = replace(NO_DETAILS, compared=found)
    text = render("verdict.html", verdict_page(report, judge=judge, details=details), host="h")
    assert "Compared with other sites" in text
    assert f'href="{found.sites}"' in text
    assert ("The plan and its result" in text) is bool(page)


@pytest.mark.parametrize(
    ("traced", "stated", "words"),
    [
        (True, False, " This rests on telemetry: what the machines told while they worked"),
        (False, True, " This rests on settings and values that the sites state; no telemetry"),
        (True, True, " Some of it rests on the machines' telemetry, the rest on settings"),
    ],
)
@pytest.mark.parametrize("verdict", [Verdict.EQUIVALENT, Verdict.NOT_EQUIVALENT])
def test_what_is_said_of_machines_tells_what_it_rests_on(
    verdict: Verdict, traced: bool, stated: bool, words: str
) -> None:
    draft = Draft()
    shown = certified(draft, GOOD)
    result = result_of(Kind.PROCESS, verdict)
    heat, speed = ClausePath("/process/heat"), ClausePath("/process/speed")
    (_, pair) = result.verdicts
    gates = [gate_of(heat, *pair.sites), gate_of(heat, to_hex(SITE))] if traced else []
    gates += [gate_of(speed, *pair.sites)] if stated else []

    _, found = told(draft, shown, replace(result, gates=tuple(gates)))

    assert found is not None
    assert words in found.process


def gate_of(path: ClausePath, *sites: str) -> GateOutcome:
    return GateOutcome(
        gate=Gate.PROCESS, outcome=Outcomes.PASSED, reason="", sites=sites, characteristic=path
    )


@pytest.mark.parametrize(
    ("tried", "words"),
    [
        (replace(GOOD, suspended=1_420), "That parts of this site can be used"),
        (replace(GOOD, verdict=Outcome.INCONCLUSIVE), "Nobody certified that parts"),
    ],
)
def test_without_a_certificate_that_holds_nothing_is_said_of_machines(
    tried: Tried, words: str
) -> None:
    draft = Draft()
    shown = certified(draft, tried)

    _, found = told(draft, shown, result_of(Kind.PROCESS), Outcome.INCONCLUSIVE)

    assert found is not None
    assert found.parts.startswith(words)
    assert found.process == "How the machines run is not told: there is no certificate that holds."
    assert found.plan == ""


def test_an_evaluator_who_is_not_listed_leaves_it_open() -> None:
    draft = Draft()
    shown = certified(draft, GOOD)
    draft.trust["authorities"] = ()

    _, found = told(draft, shown)

    assert found is not None
    assert found.parts == "Whether parts of this site can be used in place of others is open."


def test_a_recipe_that_does_not_ask_is_not_spoken_of() -> None:
    draft = Draft()
    shown = attempt(draft, GOOD)

    report, found = told(draft, shown, result_of(Kind.PROCESS))

    assert found is None
    judge = Judge(host="parts.example.org", chain_class=ChainClass.LOCAL)
    page = verdict_page(report, judge=judge)
    assert "Compared with other sites" not in render("verdict.html", page, host="h")
