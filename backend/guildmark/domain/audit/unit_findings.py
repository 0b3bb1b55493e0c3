"""What does not add up about one unit, by the checks of its verdict."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from guildmark.domain.audit.findings import GAP_CHECKS, Finding, Flaw
from guildmark.domain.audit.units import ACCOUNTED, AuditedUnit
from guildmark.domain.chain.facts import RecallFact
from guildmark.domain.identifiers import to_hex
from guildmark.domain.verification.report import CheckResult, Lack
from guildmark.domain.verification.report import Finding as Found

_REASONS_MAX = 3

_OF_CODE: Mapping[str, Flaw] = MappingProxyType(
    {
        "verify.keyUnderNotice": Flaw.COMPROMISED,
        "verify.keyInDoubt": Flaw.COMPROMISED,
        "verify.controllerUnderNotice": Flaw.COMPROMISED,
        "verify.controllerInDoubt": Flaw.COMPROMISED,
        "verify.countersignerInDoubt": Flaw.COMPROMISED,
        "verify.recalled": Flaw.RECALLED,
        "verify.recalledPartly": Flaw.RECALLED,
        "verify.labelClaimedEarlier": Flaw.DOUBLE_USE,
        "verify.labelLicensedElsewhere": Flaw.DOUBLE_USE,
        "verify.envelopeLoggedEarlier": Flaw.DOUBLE_USE,
    }
)


def findings_of(one: AuditedUnit) -> Iterator[Finding]:
    """Yield what does not add up about a unit, one finding a flaw."""
    if one.state in ACCOUNTED:
        return
    reasons: dict[Flaw, list[str]] = {}
    for check in one.falls_short:
        for found in check.findings:
            if not found.cause.is_exempt:
                said = reasons.setdefault(_flaw(check, found, one.state), [])
                said.append(f"({check.number}) {found.reason}")
    if not reasons:
        reasons[Flaw(one.state)] = [_told(one)]
    who = f"Unit {one.unit.unit} of {to_hex(one.unit.license)[:12]} ({one.state})."
    for flaw, said in reasons.items():
        reason = " ".join((who, *said[:_REASONS_MAX])).strip()
        yield Finding(flaw=flaw, places=(one.unit.place,), reason=reason)


def recall_finding(one: AuditedUnit, recall: RecallFact) -> Finding:
    """Return the finding that an open recall reaches a unit."""
    by = "its owner" if recall.is_owners else f"the authority {to_hex(recall.by)[:12]}"
    cause = recall.thing.cause.name.lower().replace("_", " ")
    reason = (
        f"Unit {one.unit.unit} of {to_hex(one.unit.license)[:12]}: its {cause} "
        f"{recall.thing.text()} is recalled by {by} since {recall.at} (recall {recall.number})."
    )
    return Finding(flaw=Flaw.RECALLED, places=(one.unit.place,), reason=reason)


def _flaw(check: CheckResult, found: Found, state: str) -> Flaw:
    if found.cause.lack is Lack.ISSUER:
        # Who says so holds, and is not listed.
        return Flaw(state)
    return _OF_CODE.get(found.cause.code) or GAP_CHECKS.get(check.number) or Flaw(state)


def _told(one: AuditedUnit) -> str:
    if one.report is None:
        return ""
    return one.report.headline if one.report.fault is None else one.report.fault.reason
