"""A report as JSON: what `guildmark verify --json` prints."""

from collections.abc import Mapping

from guildmark.domain.encoding.strictjson import JsonObject, JsonValue
from guildmark.domain.identifiers import to_hex
from guildmark.domain.verification.report import (
    AsOf,
    CheckResult,
    Fault,
    NamedClaim,
    PartSummary,
    Party,
    Report,
)


def document(report: Report) -> JsonObject:
    """Return the report as a JSON object; members without a value are left out."""
    members: Mapping[str, JsonValue] = {
        "verdict": report.verdict.value,
        "exit": report.exit,
        "headline": report.headline,
        "failed": [{"check": check.number, "code": check.code} for check in report.failed],
        "checks": [_check(check) for check in report.checks],
        "notChecked": list(report.not_checked),
        "asOf": _block(report.as_of),
        "newest": _block(report.newest),
        "part": None if report.part is None else _part(report.part),
        "parties": [_party(party) for party in report.parties],
        "notes": list(report.notes),
        "fault": None if report.fault is None else _fault(report.fault),
    }
    return _present(members)


def _block(block: AsOf | None) -> JsonValue:
    return None if block is None else {"block": block.block, "time": block.time}


def _check(check: CheckResult) -> JsonObject:
    shown: JsonObject = _present(
        {
            "check": check.number,
            "name": check.name,
            "state": check.state.value,
            "code": check.code,
            "reason": check.reason,
            "evidence": check.evidence,
            "coveredBy": check.covered_by,
        }
    )
    others = [
        {"state": each.cause.state.value, "code": each.cause.code, "reason": each.reason}
        for each in check.findings[1:]
    ]
    return {**shown, "others": others} if others else shown


def _part(part: PartSummary) -> JsonObject:
    return _present(
        {
            "chainId": part.chain_id,
            "buildLog": to_hex(part.build_log),
            "log": part.log,
            "index": part.index,
            "label": part.label,
            "unit": part.unit,
            "units": part.units,
            "signerRole": part.signer_role,
            "keyAlgorithm": part.key_algorithm,
            "keyHolder": part.key_holder,
            "simulated": part.is_simulated,
        }
    )


def _party(party: Party) -> JsonObject:
    return {
        "role": party.role,
        "id": party.id,
        "name": party.name,
        "listed": party.is_listed,
        "claims": [_claim(claim) for claim in party.claims],
    }


def _claim(claim: NamedClaim) -> JsonObject:
    return {
        "scheme": claim.scheme,
        "value": claim.value,
        "issuer": claim.issuer,
        "listed": claim.is_listed,
    }


def _fault(fault: Fault) -> JsonObject:
    return {"code": fault.code, "reason": fault.reason, "nextStep": fault.next_step}


def _present(members: Mapping[str, JsonValue]) -> JsonObject:
    return {name: value for name, value in members.items() if value is not None}
