"""What a certificate of equivalence says to who holds a part: a sentence for parts and process."""

from collections.abc import Mapping
from types import MappingProxyType

from guildmark.api.pages.equivalence import path_of
from guildmark.api.pages.qualified import path_of as sites_of
from guildmark.api.pages.verdict import Compared
from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.equivalence.plan import Kind
from guildmark.domain.equivalence.verdict import Basis, EquivalenceResult, Verdict
from guildmark.domain.identifiers import to_hex
from guildmark.domain.verification.case import Case
from guildmark.domain.verification.checks.equivalence import EQUIVALENCE
from guildmark.domain.verification.report import CheckResult, Report, State
from guildmark.ports.store import View
from guildmark.services.equivalence.results import certified

_PARTS: Mapping[State, str] = MappingProxyType(
    {
        State.OK: "Parts of this site can be used in place of the reference site's: an evaluator "
        "found them equivalent in everything that the plan measures.",
        State.FAIL: "That parts of this site can be used in place of others does not stand.",
        State.UNKNOWN: "Whether parts of this site can be used in place of others is open.",
        State.NOT_CLAIMED: "Nobody certified that parts of this site can be used in place of "
        "others.",
    }
)
_PROCESS: Mapping[Verdict, str] = MappingProxyType(
    {
        Verdict.EQUIVALENT: "The site's machines were found to run as the reference site's do in "
        "every window that the plan measures.",
        Verdict.NOT_EQUIVALENT: "The site's machines were found to run otherwise than the "
        "reference site's.",
        Verdict.INCONCLUSIVE: "Whether the site's machines run as the reference site's do was not "
        "shown.",
        Verdict.INVALID: "The data of how the machines run could not be used.",
    }
)
_BASES: Mapping[Basis, str] = MappingProxyType(
    {
        Basis.TELEMETRY: "This rests on telemetry: what the machines told while they worked, of "
        "which nobody could choose what is looked at.",
        Basis.STATED: "This rests on settings and values that the sites state; no telemetry was "
        "looked at.",
        Basis.BOTH: "Some of it rests on the machines' telemetry, the rest on settings and values "
        "that the sites state.",
    }
)
_ONLY_PARTS = "How the machines run was not compared: the plan measures parts."
_UNPUBLISHED = "How the machines run is not told: the result was not published on this node."
_RESTS = "How the machines run is not told: there is no certificate that holds."


def compared(report: Report, case: Case, view: View) -> Compared | None:
    """Return what is said of the site's equivalence, None where no shown clause asks for it.

    Args:
        report: The verdict.
        case: What it is about.
        view: What was published on this node.
    """
    statement = case.parsed_statement
    check = next((one for one in report.checks if one.number == EQUIVALENCE.number), None)
    if check is None or not isinstance(statement, BuildStatement) or _is_unasked(check):
        return None
    plans = [one.plan.id() for one in case.disclosed.equivalence]
    found = certified(plans, statement.run.site, view)
    result = None if found is None else found[1]
    return Compared(
        parts=_PARTS[check.state],
        process=_process(check.state, result, to_hex(statement.run.site)),
        sites=sites_of(to_hex(statement.external.recipe)),
        plan="" if found is None else path_of(found[0]),
    )


def _is_unasked(check: CheckResult) -> bool:
    is_exempt = bool(check.findings) and not check.falls_short
    return is_exempt or check.state not in _PARTS


def _process(state: State, result: EquivalenceResult | None, site: str) -> str:
    if state is not State.OK:
        return _RESTS
    if result is None:
        return _UNPUBLISHED
    verdict = result.of_site(site, Kind.PROCESS)
    if verdict is None:
        return _ONLY_PARTS
    told = _PROCESS[verdict]
    is_said = verdict in {Verdict.EQUIVALENT, Verdict.NOT_EQUIVALENT}
    return f"{told} {_BASES[result.basis(site)]}" if is_said else told
