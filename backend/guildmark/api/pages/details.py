"""What a part's own statement and disclosures say, beside the report; display only."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from guildmark.api.pages.verdict import NO_DETAILS, Fact, Link, Measured, PartDetails
from guildmark.domain.builds.dsse import envelope_digest
from guildmark.domain.builds.predicate import KeyHolder, Measurement
from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import IdentityId, to_hex
from guildmark.domain.measurement.conformity import Outcome, decide
from guildmark.domain.measurement.quality_plan import QualityPlan
from guildmark.domain.recipes.clause import Clause, ClauseType
from guildmark.domain.recipes.clauses import DisclosedClauses
from guildmark.domain.verification.case import Case, UndecidedError
from guildmark.domain.verification.checks.recalled import recall_events
from guildmark.domain.verification.checks.values import measurements_of
from guildmark.domain.verification.naming import proven_profile

_HOLDERS = {
    KeyHolder.FILE: "in a file",
    KeyHolder.PKCS11: "in a PKCS #11 token",
    KeyHolder.TPM: "in a TPM",
}
_TOLERANCES = "/tolerance"
_TONES = {Outcome.CONFORMS: "good", Outcome.UNPROVEN: "care", Outcome.EXCEEDED: "bad"}


def part_details(case: Case, *, base: str) -> PartDetails:
    """Return what can be shown of a part; nothing where the statement cannot be read.

    Args:
        case: What the verdict is about.
        base: The address of the part's resources, without a slash at its end.
    """
    statement = case.parsed_statement
    if not isinstance(statement, BuildStatement):
        # The report says so, as a failed check.
        return NO_DETAILS
    return PartDetails(
        serial=statement.label.rsplit("/", 1)[-1],
        facts=tuple(_facts(case, statement)),
        ids=tuple(_ids(case, statement)),
        names=_names(case),
        measurements=tuple(_measurements(case)),
        built=_window(case),
        recalls=tuple(recall_events(case)),
        links=_links(base),
        qr=f"{base}/label.svg",
        file_name=f"guildmark-{case.core.record.log}-{case.core.index}.zip",
    )


def _window(case: Case) -> tuple[int, int] | None:
    beacon = case.disclosed.beacon
    return None if beacon is None else (beacon.time, case.core.record.time)


def _links(base: str) -> tuple[Link, ...]:
    return (
        Link(href=f"{base}/bundle", text="Evidence (zip)"),
        Link(href=base, text="Report (JSON)"),
        Link(href=f"{base}/label.svg", text="Label (SVG)"),
        Link(href=f"{base}/label.png", text="Code (PNG)"),
    )


def _facts(case: Case, statement: BuildStatement) -> Iterable[Fact]:
    place = _joined(case, statement.run.site, "name", "place", "country")
    if place:
        yield Fact(name="Built at", value=place, source="as the site names itself")
    machine = _joined(case, statement.run.machine, "model", "serial")
    if machine:
        yield Fact(name="Machine", value=machine, source="as the site names it")
    if statement.key_holder is not None:
        holder = _HOLDERS[statement.key_holder]
        yield Fact(name="Machine's key", value=holder, source="as the machine says")
    yield Fact(name="Design", value=f"revision {statement.external.revision}")


def _joined(case: Case, identity: IdentityId, *members: str) -> str:
    """Return members of an identity's proven profile, those that say nothing new left out."""
    profile = proven_profile(case, identity)
    shown: list[str] = []
    for member in members:
        value = profile.get(member)
        if isinstance(value, str) and value not in " ".join(shown):
            shown.append(value)
    return ", ".join(shown)


def _names(case: Case) -> Mapping[str, str]:
    identities = {profile.identity for profile in case.disclosed.profiles}
    return {to_hex(identity): _joined(case, identity, "name") for identity in identities}


def _ids(case: Case, statement: BuildStatement) -> Iterable[Fact]:
    record, external, run = case.core.record, statement.external, statement.run
    yield _id("Label", statement.label)
    yield _id("Entry", f"{record.log}.{case.core.index}")
    yield _id("Envelope", to_hex(envelope_digest(case.core.envelope)))
    yield _id("Record", to_hex(record.digest()))
    yield _id("Design", to_hex(external.design))
    yield _id("License", to_hex(external.license))
    yield _id("Recipe", to_hex(external.recipe))
    yield _id("Site recipe", to_hex(external.site_recipe))
    yield _id("Maker", to_hex(run.maker))
    yield _id("Site", to_hex(run.site))
    yield _id("Machine", to_hex(run.machine))
    yield _id("Chain", str(case.pin.chain_id))


def _id(name: str, value: str) -> Fact:
    return Fact(name=name, value=value, is_id=True)


def _measurements(case: Case) -> Iterable[Measured]:
    try:
        shown = measurements_of(case).values
    except UndecidedError:
        # (8) says that others are shown than the statement commits to.
        return
    clauses = _clauses(case)
    plan = QualityPlan.of(() if clauses is None else clauses.opened.values())
    for measurement in shown:
        clause = None if clauses is None else clauses.find(measurement.characteristic)
        bound = _bound(clause)
        row = Measured(
            name=measurement.characteristic.rsplit("/", 1)[-1].replace("_", " "),
            unit=measurement.unit,
            value=measurement.value,
            allowed=_allowed(clause),
            uncertainty=_uncertainty(measurement),
        )
        yield row if bound is None else _decided(row, measurement, bound, plan)


def _uncertainty(measurement: Measurement) -> str:
    if measurement.uncertainty is None:
        return ""
    return f"± {measurement.uncertainty} (k = {measurement.coverage_factor})"


def _bound(clause: Clause | None) -> Clause | None:
    """Return the clause where it is a tolerance that a value can meet."""
    if clause is None or clause.type is not ClauseType.QUANTITY:
        return None
    return clause if clause.path.startswith(_TOLERANCES) else None


def _decided(row: Measured, measurement: Measurement, bound: Clause, plan: QualityPlan) -> Measured:
    decision = decide(measurement, bound, plan.rule, plan.least_ratio)
    return replace(
        row,
        decision=decision.outcome.value,
        tone=_TONES[decision.outcome],
        reason=decision.reason,
    )


def _clauses(case: Case) -> DisclosedClauses | None:
    recipe = case.disclosed.recipe
    if recipe is None:
        return None
    try:
        return recipe.clauses.verify(recipe.recipe.root)
    except GuildmarkError:
        return None


def _allowed(clause: Clause | None) -> str:
    if clause is None or not clause.path.startswith(_TOLERANCES):
        return "not shown"
    if clause.is_bounded:
        return f"{clause.minimum or '…'} to {clause.maximum or '…'}"
    return f"{clause.value}"
