"""The verdict about a proof code: is the entry in its log, as the reader's witnesses signed it?

It is never the green one. The code shows a place in the log alone: who built, under which right,
with which result, and whether it was recalled, is in the part's bundle.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.identifiers import to_hex
from guildmark.domain.labels.proof import ProofCode
from guildmark.domain.log.merkle import ProofError
from guildmark.domain.log.note import NoteKey, NoteKind, NoteSignatureError
from guildmark.domain.trust import Trust
from guildmark.domain.verification.checks.chain import TRUST_MISSING, WITNESSES_TOO_FEW
from guildmark.domain.verification.checks.check import Check
from guildmark.domain.verification.checks.entry import PATH_INVALID
from guildmark.domain.verification.report import (
    EXIT_OF_CHECK,
    EXIT_UNCHECKABLE,
    EXIT_UNTRUSTED,
    Cause,
    CheckResult,
    Finding,
    PartSummary,
    Report,
    State,
    Verdict,
)
from guildmark.domain.verification.times import as_time
from guildmark.domain.verification.verdict import CHECKS

NOT_IN_PROOF = Cause(
    code="verify.notInProof",
    state=State.UNKNOWN,
    meaning="A proof code does not hold what the check looks at; the part's bundle does.",
)

_PLACE = "the proof code"
_CHAIN, _ENTRY = 0, 3
_UNCHECKED = "Signed, not checked against the ledger."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What the signatures of a proof code say to a reader.

    Args:
        signers: The reader's witnesses whose signatures hold.
        contradiction: Why the place in the log is contradicted, empty where it is not.
    """

    signers: tuple[NoteKey, ...] = ()
    contradiction: str = ""


def verify_proof_code(proof: ProofCode, trust: Trust | None) -> Report:
    """Return the verdict about a proof code by the reader's own list; nothing is asked of anybody.

    Args:
        proof: What the code holds.
        trust: Whom the reader trusts: the chain's pin, and witnesses with their quorum.
    """
    seen = _seen(proof, trust)
    is_signed = trust is not None and 0 < trust.quorum <= len(seen.signers)
    checks = tuple(_check(one, trust, seen, is_signed=is_signed) for one in CHECKS)
    verdict, code, headline = _judged(seen, trust, is_signed=is_signed)
    return Report(
        verdict=verdict,
        exit=code,
        headline=headline,
        checks=checks,
        part=_part(proof, trust) if trust is not None and _pins_logs(trust) else None,
        notes=tuple(_notes(proof)),
    )


def _seen(proof: ProofCode, trust: Trust | None) -> _Seen:
    try:
        # Whether the paths fit their places needs no trust.
        proof.record()
        if trust is None or not _pins_logs(trust):
            return _Seen()
        text = proof.checkpoint(trust.chain).text()
    except ProofError as error:
        return _Seen(contradiction=error.message)
    signers: dict[bytes, NoteKey] = {}
    for signature in proof.signatures:
        for key in trust.witness_keys(signature.time):
            cosigner = key.of_kind(NoteKind.COSIGNATURE)
            if cosigner.id != signature.key:
                continue
            try:
                signature.under(cosigner).verify(cosigner, text)
            except NoteSignatureError:
                return _Seen(
                    contradiction=f"The log with this entry in it is not what {key.name} signed."
                )
            signers[key.public] = key
    return _Seen(signers=tuple(signers.values()))


def _check(check: Check, trust: Trust | None, seen: _Seen, *, is_signed: bool) -> CheckResult:
    found: tuple[Finding, ...] = ()
    if check.number == _CHAIN and not is_signed:
        found = (_untrusted(trust, seen),)
    elif check.number == _ENTRY and seen.contradiction:
        found = (PATH_INVALID.found(seen.contradiction, _PLACE),)
    elif check.number != _ENTRY or not is_signed:
        reason = "A proof code does not hold what this looks at."
        found = (NOT_IN_PROOF.found(reason, _PLACE),)
    asks = "The entry is at this position of this record, as your witnesses signed the log."
    return CheckResult(
        number=check.number,
        name=check.name,
        asks=asks,
        looked_at=_PLACE,
        findings=found,
    )


def _untrusted(trust: Trust | None, seen: _Seen) -> Finding:
    if trust is None:
        return TRUST_MISSING.found("You have not said whom you trust.", _PLACE)
    reason = f"{len(seen.signers)} of your witnesses signed the log, you ask for {trust.quorum}."
    if not trust.witnesses:
        reason = "Your list names no witnesses."
    elif not _pins_logs(trust):
        reason = "Your list does not pin the contract of logs."
    return WITNESSES_TOO_FEW.found(reason, _PLACE)


def _judged(seen: _Seen, trust: Trust | None, *, is_signed: bool) -> tuple[Verdict, int, str]:
    if seen.contradiction:
        return Verdict.PROBLEM, EXIT_OF_CHECK[_ENTRY], "Problem found: place in the log."
    if trust is None or not is_signed:
        return Verdict.UNTRUSTED, EXIT_UNTRUSTED, _UNCHECKED
    count = f"{len(seen.signers)} of your {len(trust.witnesses)} witnesses"
    headline = f"Could not check more than the place in the log, which {count} signed."
    return Verdict.UNCHECKABLE, EXIT_UNCHECKABLE, headline


def _pins_logs(trust: Trust) -> bool:
    """Return whether a list says which contract logs are kept in: a checkpoint's name holds it."""
    return ContractName.LOG in trust.chain.contracts


def _part(proof: ProofCode, trust: Trust) -> PartSummary:
    log, index = proof.place
    unit = proof.bare.unit_at(proof.position)
    return PartSummary(
        chain_id=trust.chain.chain_id,
        build_log=trust.chain.contracts[ContractName.LOG].address,
        log=log,
        index=index,
        unit=None if unit is None else unit.unit,
    )


def _notes(proof: ProofCode) -> Iterator[str]:
    log, index = proof.place
    entry = proof.entry
    yield (
        f"The code says: entry {log}.{index} ({entry.kind.name.lower()}) of "
        f"{as_time(proof.bare.time)}, machine {to_hex(entry.machine)}, maker {to_hex(entry.maker)}."
    )
    yield (
        "It does not say which label the part has, and can be copied. For a verdict ask for the "
        "part's bundle, and verify that."
    )
