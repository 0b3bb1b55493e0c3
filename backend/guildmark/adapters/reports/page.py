"""A report of equivalence as one page that needs no other file: equal bytes for equal reports."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from jinja2 import Environment, PackageLoader, StrictUndefined

from guildmark.domain.equivalence.logged import passed_words
from guildmark.domain.equivalence.plan import CharacteristicPlan, EquivalencePlan, Kind
from guildmark.domain.equivalence.reporting.report import Certified, EquivalenceReport, SiteReport
from guildmark.domain.equivalence.verdict import GateOutcome, Outcome, Verdict
from guildmark.domain.identifiers import to_hex

TONES: Mapping[str, str] = {
    Verdict.EQUIVALENT: "good",
    Verdict.INCONCLUSIVE: "care",
    Verdict.NOT_EQUIVALENT: "bad",
    Verdict.INVALID: "bad",
    Outcome.PASSED: "good",
    Outcome.INCONCLUSIVE: "care",
    Outcome.FAILED: "bad",
    Outcome.INVALID: "bad",
}
_SHORT = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A name, what stands behind it, and whether that is good."""

    name: str
    value: str
    tone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRow:
    """A gate's outcome in words."""

    number: int
    gate: str
    about: str
    outcome: str
    tone: str
    reason: str
    figures: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteRow:
    """A site in words."""

    name: str
    id: str
    facts: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPage:
    """Everything that the templates show.

    Args:
        decisions: Each comparison with its verdict and its sentence.
        pictures: SVG by file name.
        files: Whether the report's folder holds pictures and data, too.
    """

    id: str
    decisions: tuple[Row, ...]
    plan: tuple[Row, ...]
    characteristics: tuple[tuple[str, ...], ...]
    sites: tuple[SiteRow, ...]
    gates: tuple[GateRow, ...]
    digests: tuple[Row, ...]
    again: tuple[str, ...]
    pictures: tuple[tuple[str, str], ...]


def report_page(report: EquivalenceReport, pictures: Mapping[str, bytes]) -> ReportPage:
    """Return a report in words.

    Args:
        report: The report.
        pictures: SVG by file name, as `guildmark.adapters.statistics.draw` makes them.
    """
    names = {to_hex(one.site): one.name or _short(to_hex(one.site)) for one in report.sites}
    return ReportPage(
        id=to_hex(report.id),
        decisions=tuple(
            Row(
                name=f"{' and '.join(_named(one.sites, names))} ({one.kind})",
                value=f"{one.verdict.replace('_', ' ')}. {_by_name(one.summary, names)}",
                tone=TONES[one.verdict],
            )
            for one in report.result.verdicts
        ),
        plan=tuple(_plan(report, names)),
        characteristics=tuple(map(_characteristic, report.plan.characteristics)),
        sites=tuple(_site(one, names, report.plan.units) for one in report.sites),
        gates=tuple(_gate(one, names) for one in report.result.gates),
        digests=tuple(_digests(report)),
        again=report.again,
        pictures=tuple((name, body.decode()) for name, body in pictures.items()),
    )


def html(report: EquivalenceReport, pictures: Mapping[str, bytes]) -> bytes:
    """Return a report as one HTML page."""
    environment = Environment(
        loader=PackageLoader("guildmark.adapters.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("report.html")
    return template.render(page=report_page(report, pictures)).encode()


def in_words(seconds: int) -> str:
    """Return a block time as people read it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def standing_words(given: Certified) -> str:
    """Return what a certificate says and what became of it."""
    words = [f"{given.verdict.replace('_', ' ')} since {in_words(given.since)}"]
    if given.until:
        words.append(f"until {in_words(given.until)}")
    if given.suspended_at:
        words.append(f"suspended on {in_words(given.suspended_at)}")
    if given.lapsed_at:
        cause = (given.cause or "").lower().replace("_", " ")
        words.append(f"lapsed on {in_words(given.lapsed_at)} ({cause})")
    return ", ".join(words)


def _plan(report: EquivalenceReport, names: Mapping[str, str]) -> Iterator[Row]:
    plan = report.plan
    yield Row(name="Recipe", value=to_hex(plan.recipe))
    yield Row(name="Asked by", value=to_hex(report.sponsor))
    yield Row(name="Evaluator", value=plan.evaluator)
    yield Row(name="Registered", value=in_words(report.registered_at))
    yield Row(name="Data due", value=in_words(plan.commit_by))
    yield Row(name="To be revealed by", value=in_words(plan.reveal_by))
    yield Row(name="Reference", value=names[plan.reference])
    yield Row(name="Compared", value=plan.comparison)
    yield Row(name="One replicate is", value=f"one {plan.replication}")
    yield Row(name="Parts a site", value=str(plan.units))
    yield from _drawn(plan)
    yield Row(name="Replicates a site, at least", value=str(plan.replicates))
    yield Row(name="Error rate (alpha)", value=plan.alpha)
    yield Row(name="Planned power", value=plan.power)
    yield Row(name="Control chart", value=f"{plan.chart}, {plan.sigmas} sigma")
    yield Row(name="Run rules", value=", ".join(plan.rules))
    yield Row(name="Normality, least p", value=plan.normality)
    yield Row(name="Several characteristics", value=plan.family)
    mixes = "may be mixed at a site" if plan.mixes_instruments else "one a characteristic and site"
    yield Row(name="Instruments", value=mixes)
    yield _calibration(plan)
    yield Row(name="Machine model", value=plan.machine_model or "that of each site's recipe")
    yield Row(name="Material class", value=plan.material_class or "that of the recipe")


def _drawn(plan: EquivalencePlan) -> Iterator[Row]:
    if plan.drawn_from is None:
        yield Row(name="Drawn from", value="nothing: each site chose its parts", tone="care")
        return
    share = "no limit" if plan.max_passed is None else f"at most {plan.max_passed} of those drawn"
    yield Row(name="Drawn from", value=f"the first {plan.drawn_from} parts that a site logs")
    yield Row(name="Parts passed over", value=share)
    if plan.chunks is not None:
        yield Row(name="Telemetry of each build", value=f"{plan.chunks} chunks are drawn")


def _calibration(plan: EquivalencePlan) -> Row:
    asked = plan.calibration
    if asked is None:
        return Row(name="Calibration", value="not judged; instruments are registered", tone="care")
    value = f"{asked.standard}, under {', '.join(asked.authorities)}"
    return Row(name="Calibration", value=value)


def _characteristic(one: CharacteristicPlan) -> tuple[str, ...]:
    """Return the cells of a characteristic's row, as the template heads them."""
    limits = f"{one.lower or 'open'} to {one.upper or 'open'}"
    possible = f"{one.least or 'open'} to {one.most or 'open'}"
    ratio = one.spread_margin or "not compared"
    by = "as sites state it" if one.trace is None else f"by telemetry, {one.trace.channel}"
    kind = one.kind if one.kind is Kind.PART else f"{one.kind} {by}"
    return (
        *(one.path, one.unit, kind, one.margin, ratio, limits, possible),
        *(one.min_cpk or "not asked", one.max_gauge or "taken as known"),
        *(one.method, one.transformation),
    )


def _site(one: SiteReport, names: Mapping[str, str], units: int) -> SiteRow:
    key = to_hex(one.site)
    return SiteRow(name=names[key], id=key, facts=tuple(_of_site(one, units)))


def _of_site(one: SiteReport, units: int) -> Iterator[Row]:
    if not one.number:
        yield Row(name="Plan", value="The site did not join.", tone="bad")
        return
    yield Row(name="Plan", value=f"number {one.number} of this recipe that the site joined")
    for found in one.earlier:
        yield Row(name=f"Plan {found.number}", value=f"{found.ended} ({to_hex(found.plan)})")
    for name, at in (
        ("Joined", one.joined_at),
        ("Committed to its data", one.committed_at),
        ("Revealed them", one.revealed_at),
    ):
        yield Row(name=name, value=in_words(at) if at else "not")
    if one.failed is not None:
        yield Row(name="Data", value=f"Not counted: {one.failed.rstrip('.')}.", tone="bad")
    else:
        yield from _sample(one, units)
    if one.certificate is None:
        yield Row(name="Certificate", value="none")
    else:
        tone = TONES[one.certificate.verdict]
        yield Row(name="Certificate", value=standing_words(one.certificate), tone=tone)
    for other in one.counter_results:
        told = f"{to_hex(other.result)} by {to_hex(other.authority)}"
        yield Row(name="Counter-result", value=told, tone="care")


def _sample(one: SiteReport, units: int) -> Iterator[Row]:
    own = one.sample
    if not own.readings:
        yield Row(name="Data", value="not shown here")
        return
    counted = f"{own.readings} readings of {own.parts} parts in {own.builds} builds"
    yield Row(name="Data", value=counted + (f" of {own.lots} lots" if own.lots else ""))
    passed = sum(own.passed.values())
    if passed:
        share = f"{passed} of {passed + units} drawn: {passed_words(own.passed)}"
        yield Row(name="Parts passed over", value=share, tone="care")
    yield Row(name="Instruments", value=", ".join(own.instruments))
    yield Row(name="Root of the data", value="" if one.root is None else to_hex(one.root))


def _gate(one: GateOutcome, names: Mapping[str, str]) -> GateRow:
    about = [*_named(one.sites, names)]
    if one.characteristic is not None:
        about.insert(0, one.characteristic)
    return GateRow(
        number=one.gate.number,
        gate=one.gate.value,
        about=", ".join(about) or "all",
        outcome=one.outcome.value,
        tone=TONES[one.outcome],
        reason=one.reason,
        figures=", ".join(f"{name} {value}" for name, value in sorted(one.figures.items())),
    )


def _digests(report: EquivalenceReport) -> Iterator[Row]:
    yield Row(name="Plan on chain", value=to_hex(report.id))
    yield Row(name="Digest of the plan", value=to_hex(report.plan_digest))
    yield Row(name="Digest of the result", value=to_hex(report.result_digest))
    yield Row(name="Engine", value=to_hex(report.plan.engine))


def _named(sites: tuple[str, ...], names: Mapping[str, str]) -> list[str]:
    return [names.get(site, _short(site)) for site in sites]


def _by_name(text: str, names: Mapping[str, str]) -> str:
    """Return a text with the names of sites for their ids."""
    for site, name in names.items():
        text = text.replace(site, name)
    return text


def _short(text: str) -> str:
    return f"{text[:_SHORT]}…"
