"""The page of an error: what failed, and what to do next."""

from dataclasses import dataclass

from guildmark.api.errors import NodeFaultError
from guildmark.domain.errors import (
    GuildmarkError,
    NetworkError,
    NotFinalError,
    NotFoundError,
    UncheckableError,
    UnknownPartError,
    UsageError,
)
from guildmark.services.log.erased import PartErasedError


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemPage:
    """Everything that the template shows."""

    headline: str
    sentence: str
    next_step: str
    code: str
    tone: str


def problem_page(error: GuildmarkError) -> ProblemPage:
    """Return the page of an error."""
    headline, tone = _headline(error)
    return ProblemPage(
        headline=headline,
        sentence=error.message,
        next_step=error.next_step,
        code=error.code,
        tone=tone,
    )


def _headline(error: GuildmarkError) -> tuple[str, str]:
    if isinstance(error, NotFoundError | UnknownPartError):
        return "Not found", "none"
    if isinstance(error, PartErasedError):
        return "Withheld (erased)", "none"
    if isinstance(error, NetworkError | UncheckableError | NotFinalError):
        return "Could not check", "none"
    if isinstance(error, UsageError):
        # What was asked is wrong, not the part.
        return "Cannot be read", "care"
    if isinstance(error, NodeFaultError):
        return "Something went wrong here", "none"
    return "Problem found", "bad"
