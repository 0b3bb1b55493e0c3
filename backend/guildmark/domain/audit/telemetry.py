"""What an audit learns of a part's telemetry: committed, opened, kept, or by nobody shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from guildmark.domain.audit.findings import Finding, Flaw, Place
from guildmark.domain.builds.predicate import Resource
from guildmark.domain.builds.telemetry import (
    Disclosure,
    Presence,
    check_disclosure,
    check_presence,
)
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import Bytes32, Cid


class TelemetryState(StrEnum):
    """What became of a part's telemetry."""

    NONE = "none"
    """The statement commits to none."""
    UNASKED = "unasked"
    """The statement commits to some, and this audit draws none of it."""
    OPENED = "opened"
    """The drawn chunks are opened, and are those that the machine committed to."""
    HELD = "held"
    """They are not opened; at each address that is named for them, bytes are held."""
    WITHHELD = "withheld"
    """Nobody answered for the part."""
    UNREACHABLE = "unreachable"
    """An address gave nothing, and somebody who may hold it did not answer."""
    MISSING = "missing"
    """Nobody who was asked holds what a named address stands for."""
    WRONG = "wrong"
    """An answer is not what the machine committed to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """How an auditor draws chunks.

    Args:
        nonce: 32 random bytes of the auditor's own, drawn after the parts were signed.
        most: How many chunks of a part are drawn.
    """

    nonce: Bytes32
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What was handed to the auditor for a part, as it came; None where nothing was.

    Args:
        opened: An answer that opens the drawn chunks.
        kept: An answer that says where their encrypted copies are kept.
    """

    opened: bytes | None = None
    kept: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """What answers prove by themselves, before anybody is asked for what they name.

    Args:
        wrong: Why an answer does not hold, None where each does.
        is_opened: Whether the drawn chunks are opened.
        cids: Where their encrypted copies are said to be kept, None where nobody says it.
    """

    wrong: str | None = None
    is_opened: bool = False
    cids: tuple[Cid, ...] | None = None


def read_answers(found: Answers, drawing: Drawing, resource: Resource) -> Read:
    """Return what a part's answers prove about the telemetry that its statement commits to."""
    opened, cids = False, None
    try:
        if found.opened is not None:
            check_disclosure(
                Disclosure.parse(found.opened),
                resource=resource,
                nonce=drawing.nonce,
                most=drawing.most,
            )
            opened = True
        if found.kept is not None:
            cids = check_presence(
                Presence.parse(found.kept),
                resource=resource,
                nonce=drawing.nonce,
                most=drawing.most,
            )
    except GuildmarkError as error:
        return Read(wrong=error.message)
    return Read(is_opened=opened, cids=cids)


def telemetry_state(read: Read, missing: Sequence[Cid], *, is_silent: bool) -> TelemetryState:
    """Return the state of a part's telemetry.

    Args:
        read: What its answers prove.
        missing: The named addresses for which nobody sent the bytes.
        is_silent: Whether somebody who was asked did not answer.
    """
    if read.wrong is not None:
        return TelemetryState.WRONG
    if missing and not is_silent:
        return TelemetryState.MISSING
    if read.is_opened:
        return TelemetryState.OPENED
    if missing:
        return TelemetryState.UNREACHABLE
    return TelemetryState.WITHHELD if read.cids is None else TelemetryState.HELD


def telemetry_finding(
    state: TelemetryState, place: Place, unit: str, read: Read, missing: Sequence[Cid]
) -> Finding | None:
    """Return what does not add up about a part's telemetry, None where it does.

    Args:
        state: What became of it.
        place: Where the part stands.
        unit: How reports call the part.
        read: What its answers prove.
        missing: The named addresses for which nobody sent the bytes.
    """
    match state:
        case TelemetryState.WRONG:
            flaw, said = Flaw.TELEMETRY_WRONG, f"the answer about its telemetry: {read.wrong}"
        case TelemetryState.MISSING:
            flaw, said = Flaw.TELEMETRY_MISSING, f"nobody holds its chunk {_first(missing)}."
        case TelemetryState.UNREACHABLE:
            flaw = Flaw.TELEMETRY_UNOPENED
            said = f"its chunk {_first(missing)} was not found, and a node did not answer."
        case TelemetryState.HELD:
            flaw = Flaw.TELEMETRY_UNOPENED
            said = "its drawn chunks are kept, and nobody opens them."
        case TelemetryState.WITHHELD:
            flaw, said = Flaw.TELEMETRY_UNOPENED, "nobody answers for its telemetry."
        case _:
            return None
    return Finding(flaw=flaw, places=(place,), reason=f"{unit}: {said}")


def _first(missing: Sequence[Cid]) -> str:
    more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    # The address is a stranger's word.
    return f"{missing[0][:80]}{more}"
