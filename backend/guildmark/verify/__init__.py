"""The stand-alone verifier: a bundle and a trust file in, a report out."""

from guildmark.domain import bundle
from guildmark.domain.errors import ContentError, NetworkError, UnknownPartError
from guildmark.domain.trust import Trust
from guildmark.domain.verification.case import NO_QUESTION, Question
from guildmark.domain.verification.report import (
    EXIT_ARCHIVE,
    EXIT_NOT_FOUND,
    EXIT_SOURCE,
    Fault,
    Report,
    Verdict,
)
from guildmark.domain.verification.verdict import verify_evidence


def verify_bundle(
    data: bytes, trust: Trust | None = None, question: Question = NO_QUESTION
) -> Report:
    """Return the verdict about the part that a bundle is about.

    Args:
        data: The bundle, bytes as received.
        trust: Whom the reader trusts; without it the best answer is the second verdict.
        question: What the reader holds in hand: label, position, time, own node.
    """
    try:
        evidence = bundle.read(data)
    except ContentError as error:
        return Report(
            verdict=Verdict.PROBLEM,
            exit=EXIT_ARCHIVE,
            headline="Problem found: this is not a canonical bundle.",
            fault=Fault(code=error.code, reason=error.message, next_step=error.next_step),
        )
    return verify_evidence(evidence, trust, question)


def not_found(error: UnknownPartError) -> Report:
    """Return the verdict of a search without result."""
    return Report(
        verdict=Verdict.NOT_FOUND,
        exit=EXIT_NOT_FOUND,
        headline="Not found.",
        fault=Fault(code=error.code, reason=error.message, next_step=error.next_step),
    )


def unreachable(error: NetworkError) -> Report:
    """Return the verdict where the evidence could not be fetched."""
    return Report(
        verdict=Verdict.UNCHECKABLE,
        exit=EXIT_SOURCE,
        headline="Could not check: the evidence could not be fetched.",
        fault=Fault(code=error.code, reason=error.message, next_step=error.next_step),
    )
