"""Units that were customised: inside the bounds all checks hold, outside the clause is named."""

from dataclasses import replace

import pytest

from fakes import simulator as sim
from fakes.cases.draft import Draft, relicense
from guildmark.domain.builds.predicate import Setting
from guildmark.domain.identifiers import to_hex
from guildmark.domain.recipes.clause import Clause, ClauseClass, ClausePath, ClauseType
from guildmark.domain.verification.report import Report
from guildmark.domain.verification.verdict import verify_evidence

MARKING = Clause(
    path=ClausePath("/post/marking"),
    type=ClauseType.TEXT,
    klass=ClauseClass.CUSTOM,
    salt=sim.salt("marking"),
    minimum="2",
    maximum="5",
)
SET = replace(MARKING, path=ClausePath("/post/set"), minimum=None, maximum=None, value="M4\n8-32")
TIE = sim.quantity("/post/tie", ClauseClass.CUSTOM, "mm", bounds=("100", "200"))


def with_offers(clauses: tuple[Clause, ...]) -> tuple[Clause, ...]:
    return tuple(sorted((*clauses, MARKING, SET, TIE), key=lambda one: one.path))


def judged(path: ClausePath, value: str, unit: str | None = None) -> Report:
    draft = Draft()
    simulator = draft.simulator
    chosen = Setting(path=path, value=value, unit=unit)
    simulator.statement["settings"] = (*simulator.make_statement().settings, chosen)
    simulator.master, simulator.own = with_offers(sim.MASTER), with_offers(sim.OWN)
    relicense(draft, RECIPE=to_hex(simulator.make_recipe().id()))
    sealed = draft.seal()
    return verify_evidence(sealed.evidence, sealed.trust, sealed.question)


@pytest.mark.parametrize(
    ("path", "value", "unit"),
    [
        (MARKING.path, "Ada", None),
        (MARKING.path, "Émile", None),
        (SET.path, "8-32", None),
        (TIE.path, "100", "mm"),
        (TIE.path, "6", "[in_i]"),
    ],
)
def test_a_unit_customised_inside_the_bounds_is_verified(
    path: ClausePath, value: str, unit: str | None
) -> None:
    assert judged(path, value, unit).exit == 0


@pytest.mark.parametrize(
    ("path", "value", "unit"),
    [
        (MARKING.path, "A", None),
        (MARKING.path, "Adalie", None),
        (MARKING.path, "100", "mm"),
        (SET.path, "M5", None),
        (TIE.path, "99.9", "mm"),
        (TIE.path, "8", "[in_i]"),
        (TIE.path, "150", "g"),
    ],
)
def test_a_choice_outside_the_bounds_fails_and_names_the_clause(
    path: ClausePath, value: str, unit: str | None
) -> None:
    report = judged(path, value, unit)

    assert report.exit == 15
    (finding,) = report.checks[7].findings
    assert finding.cause.code == "verify.settingOutside"
    assert path in finding.reason
