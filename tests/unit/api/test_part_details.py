"""What a part's page says of its measurements: tolerance, value, uncertainty, what it proves."""

from fakes import simulator as sim
from fakes.cases.draft import Draft
from fakes.cases.measured import asked, rule
from fakes.cases.salted import measurement_under_another_salt, salted
from guildmark.api.pages.details import part_details
from guildmark.api.pages.verdict import Measured
from guildmark.domain.verification.case import Case


def rows(draft: Draft) -> tuple[Measured, ...]:
    sealed = draft.seal()
    return part_details(Case(sealed.evidence, sealed.trust), base="/part/1").measurements


def test_each_value_stands_beside_its_tolerance_with_what_it_proves() -> None:
    draft = Draft()
    asked(draft, rule("guard band U"))
    draft.simulator.statement["measurements"] = (
        sim.measured("bore", "10.041", uncertainty="0.01", coverage_factor="2"),
        sim.measured("height", "20.3", uncertainty="0.01", coverage_factor="2"),
        sim.measured("length", "7"),
        sim.measured("look", "7"),
    )

    bore, height, length, look = rows(draft)

    assert bore == Measured(
        name="bore",
        unit="mm",
        value="10.041",
        allowed="9.95 to 10.05",
        uncertainty="± 0.01 (k = 2)",
        decision="unproven",
        tone="care",
        reason="It lies so near a limit that its uncertainty decides.",
    )
    assert (height.decision, height.tone) == ("out of tolerance", "bad")
    assert (length.allowed, length.decision) == ("not shown", "")
    assert look.decision == ""


def test_value_inside_conforms() -> None:
    bore, height = rows(Draft())

    assert (bore.decision, bore.tone, bore.uncertainty) == ("conforms", "good", "")
    assert height.decision == "conforms"


def test_of_salted_values_those_that_open_are_shown() -> None:
    draft = Draft()
    salted(draft, "/tolerance/height")

    (height,) = rows(draft)

    assert (height.name, height.value, height.decision) == ("height", "20.0", "conforms")


def test_values_that_the_statement_does_not_commit_to_are_not_shown() -> None:
    draft = Draft()
    measurement_under_another_salt(draft)

    assert rows(draft) == ()
