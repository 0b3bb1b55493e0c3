"""What a good verdict proves, in one sentence for whoever holds the part."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from guildmark.domain.verification.naming import DESIGN_OWNER, MAKER
from guildmark.domain.verification.report import PartSummary, Report, State, Verdict

_GOOD = frozenset({Verdict.VERIFIED, Verdict.UNTRUSTED})
_RECIPE, _TOLERANCES = 7, 8
_SIGNERS: Mapping[str, str] = MappingProxyType(
    {"machine": "A machine", "gateway": "A gateway", "technician": "A technician"}
)
_NAMELESS: Mapping[str, str] = MappingProxyType({MAKER: "its maker", DESIGN_OWNER: "the designer"})


def proven(report: Report) -> str:
    """Return who signed for what, empty where the verdict is not a good one."""
    part = report.part
    if part is None or report.verdict not in _GOOD:
        return ""
    signer = _SIGNERS.get(part.signer_role or "", "Someone")
    claims = " and ".join(_claims(report, part))
    said = f"{signer} of {_name(report, MAKER)} signed for {_unit(report, part)}"
    return f"{said}: {claims}." if claims else f"{said}."


def _unit(report: Report, part: PartSummary) -> str:
    if part.unit is None:
        return "this part"
    return f"unit {part.unit} of {part.units}, licensed by {_name(report, DESIGN_OWNER)}"


def _claims(report: Report, part: PartSummary) -> Iterator[str]:
    holding = {check.number for check in report.checks if check.state is State.OK}
    if _RECIPE in holding:
        yield "made by the recipe"
    if _TOLERANCES in holding:
        how = " (simulated)" if part.is_simulated else ""
        yield f"measured within its tolerances{how}"


def _name(report: Report, role: str) -> str:
    for party in report.parties:
        if party.role == role and party.name:
            # Nobody whom this node lists says that the name is right.
            return party.name if party.is_listed else f"“{party.name}” (self-named)"
    return _NAMELESS[role]
