"""The stand-alone verifier: a bundle and a trust file in, a report out."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypeAlias

from guildmark.domain import bundle
from guildmark.domain.chain.ethproof.header import HeaderError, decode_header
from guildmark.domain.errors import (
    ContentError,
    GuildmarkError,
    NetworkError,
    NotFinalError,
    UncheckableError,
    UnknownPartError,
)
from guildmark.domain.trust import Trust
from guildmark.domain.verification.case import (
    NO_QUESTION,
    Brought,
    Question,
    Sighting,
    Unsearched,
    with_others,
)
from guildmark.domain.verification.evidence import Evidence
from guildmark.domain.verification.report import EXIT_ARCHIVE, Fault, Report, Verdict
from guildmark.domain.verification.verdict import verify_anew, verify_evidence
from guildmark.verify.renewing import Source, renewed

Look: TypeAlias = Callable[[int], Sighting]
"""Asks the reader's own node for a block by its number."""

Others: TypeAlias = Callable[[Evidence], Iterable[Brought | Unsearched]]
"""Gives other entries that may claim the label of some evidence, and says what it could not."""


def verify_bundle(
    data: bytes,
    trust: Trust | None = None,
    question: Question = NO_QUESTION,
    *,
    look: Look | None = None,
    source: Source | None = None,
    others: Others | None = None,
) -> Report:
    """Return the verdict about the part that a bundle is about.

    Args:
        data: The bundle, bytes as received.
        trust: Whom the reader trusts; without it the best answer is the second verdict.
        question: What the reader holds in hand: label, position, time.
        look: Asks the reader's own node; used where the trust file does not know block b.
        source: The reader's own node, asked for the newest state where (0) holds for the bundle.
        others: Gives what else claims the label; the report says what could not be compared.
    """
    try:
        evidence = bundle.read(data)
    except ContentError as error:
        return _stopped(error, Verdict.PROBLEM, EXIT_ARCHIVE, "Problem found: no canonical bundle.")
    found = () if others is None else tuple(others(evidence))
    question, brought = with_others(question, found)
    if trust is not None and look is not None:
        sighting = _sighting(evidence, trust, look)
        question = question if sighting is None else replace(question, sighting=sighting)
        # Each stands at a block of its own.
        brought = tuple(
            replace(one, sighting=_sighting(one.evidence, trust, look)) for one in brought
        )
    report = verify_evidence(evidence, trust, question, brought)
    if trust is None or source is None or report.checks[0].falls_short:
        return report
    try:
        newer = renewed(evidence, trust, source)
    except GuildmarkError as error:
        # Whatever the node answers, what the bundle proves is proven.
        note = f"Could not check the newest state, only that of the bundle. {error.message}"
        return replace(report, notes=(*report.notes, note))
    return verify_anew(evidence, newer, trust, question, brought)


def without_evidence(
    error: UnknownPartError | NetworkError | NotFinalError | UncheckableError,
) -> Report:
    """Return the verdict where there is no bundle to look into."""
    if isinstance(error, UncheckableError):
        headline = "Withheld (erased): the log counts the part, its content is gone."
        return _stopped(error, Verdict.UNCHECKABLE, error.exit_code, headline)
    verdict, headline = Verdict.UNCHECKABLE, "Could not check: there is no evidence yet."
    if isinstance(error, UnknownPartError):
        verdict, headline = Verdict.NOT_FOUND, "Not found."
    return _stopped(error, verdict, error.exit_code, headline)


def _stopped(error: GuildmarkError, verdict: Verdict, code: int, headline: str) -> Report:
    fault = Fault(code=error.code, reason=error.message, next_step=error.next_step)
    return Report(verdict=verdict, exit=code, headline=headline, fault=fault)


def _sighting(evidence: Evidence, trust: Trust, look: Look) -> Sighting | None:
    """Return what the reader's own node says of block b, None where it need not be asked."""
    try:
        number = decode_header(evidence.chain.header).number
    except HeaderError:
        # A finding of (0).
        return None
    return look(number) if trust.block(number) is None else None
