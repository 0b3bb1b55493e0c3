"""What a part's own statement and disclosures say, beside the report; display only."""

from collections.abc import Iterable

from guildmark.api.pages.verdict import NO_DETAILS, Fact, Link, Measured, PartDetails
from guildmark.domain.clause import Clause
from guildmark.domain.clauses import DisclosedClauses
from guildmark.domain.dsse import Envelope
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import IdentityId
from guildmark.domain.predicate import Measurement
from guildmark.domain.statement import BuildStatement
from guildmark.domain.strictjson import JsonObject, parse_object
from guildmark.domain.verification.evidence import Evidence

_TOLERANCES = "/tolerance"


def part_details(evidence: Evidence, *, base: str) -> PartDetails:
    """Return what can be shown of a part; nothing where the statement cannot be read.

    Args:
        evidence: What the verdict rests on.
        base: The address of the part's resources, without a slash at its end.
    """
    try:
        statement = BuildStatement.parse(Envelope.parse(evidence.core.envelope).payload)
    except GuildmarkError:
        # The report says so, as a failed check.
        return NO_DETAILS
    name = f"guildmark-{evidence.core.record.log}-{_index(evidence)}.zip"
    return PartDetails(
        serial=statement.label.rsplit("/", 1)[-1],
        facts=tuple(_facts(evidence, statement)),
        measurements=tuple(_measurements(evidence, statement)),
        built=_window(evidence),
        links=_links(base),
        qr=f"{base}/label.svg",
        file_name=name,
    )


def _index(evidence: Evidence) -> int:
    return evidence.core.record.first_index + evidence.core.position


def _window(evidence: Evidence) -> tuple[int, int] | None:
    beacon = evidence.disclosed.beacon
    return None if beacon is None else (beacon.time, evidence.core.record.time)


def _links(base: str) -> tuple[Link, ...]:
    return (
        Link(href=f"{base}/bundle", text="Evidence bundle (zip)"),
        Link(href=base, text="Report (JSON)"),
        Link(href=f"{base}/label.svg", text="Label (SVG)"),
        Link(href=f"{base}/label.png", text="Label (PNG)"),
    )


def _facts(evidence: Evidence, statement: BuildStatement) -> Iterable[Fact]:
    site = _profile(evidence, statement.run.site)
    place = ", ".join(str(site[key]) for key in ("name", "city", "country") if key in site)
    if place:
        yield Fact(name="Built at", value=place, source="as the site names itself")
    machine = _profile(evidence, statement.run.machine)
    if "model" in machine:
        yield Fact(name="Machine", value=str(machine["model"]), source="as its site names it")
    yield Fact(name="Design", value=f"revision {statement.external.revision}")


def _profile(evidence: Evidence, identity: IdentityId) -> JsonObject:
    for profile in evidence.disclosed.profiles:
        if profile.identity == identity:
            try:
                return parse_object(profile.document)
            except GuildmarkError:
                return {}
    return {}


def _measurements(evidence: Evidence, statement: BuildStatement) -> Iterable[Measured]:
    clauses = _clauses(evidence)
    for measurement in statement.measurements:
        clause = None if clauses is None else clauses.find(measurement.characteristic)
        yield Measured(
            name=measurement.characteristic.rsplit("/", 1)[-1].replace("_", " "),
            value=f"{measurement.value} {measurement.unit}",
            allowed=_allowed(clause, measurement),
        )


def _clauses(evidence: Evidence) -> DisclosedClauses | None:
    recipe = evidence.disclosed.recipe
    if recipe is None:
        return None
    try:
        return recipe.clauses.verify(recipe.recipe.root)
    except GuildmarkError:
        return None


def _allowed(clause: Clause | None, measurement: Measurement) -> str:
    if clause is None or not clause.path.startswith(_TOLERANCES):
        return "not shown"
    if clause.is_bounded:
        return f"{clause.minimum or '…'} to {clause.maximum or '…'} {measurement.unit}"
    return f"{clause.value} {measurement.unit}"
