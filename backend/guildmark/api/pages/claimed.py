"""What a part's page says of its hidden code, and the pages that take the code."""

from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import Bytes32, Index, LogNumber, bytes32_from_hex, to_hex
from guildmark.domain.labels.activation import (
    CODE,
    ActivationCode,
    ClaimedBeforeError,
    ClaimFile,
    CodeMalformedError,
    CodeWrongError,
    FirstClaim,
    TriedTooOftenError,
    committed,
)
from guildmark.domain.log.note import Note
from guildmark.domain.verification.times import as_time

FORM_TYPE = "application/x-www-form-urlencoded"
FORM_MAX = 1024
_FIELDS_MAX = 3
_AGAIN = (CodeMalformedError, CodeWrongError, TriedTooOftenError)
"""After these the code can be typed once more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hidden:
    """What a part's page says of the code under the label's scratch field.

    Args:
        said: Whether it was claimed, and since when.
        action: Where the code is sent, empty where it cannot be claimed here or was claimed.
        is_claimed: Whether somebody claimed the part here.
    """

    said: str
    action: str = ""
    is_claimed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What a browser sent.

    Args:
        code: The code, as it was typed.
        token: What the page before gave, None where it gave nothing yet.
        wants_file: Whether the proof is asked for as a file.
    """

    code: ActivationCode = field(repr=False)
    token: Bytes32 | None = field(repr=False)
    wants_file: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimPage:
    """Everything that the template shows.

    Args:
        asks: What its form sends: the ``code``, the ``claim``, for the ``file``; empty: no form.
        code: The code in its one spelling, where the form sends it on.
        token: The token that goes with it.
        receipt: The signed note.
        error: The code of what went wrong.
    """

    part: str
    headline: str
    sentence: str
    next_step: str
    tone: str
    asks: str = ""
    code: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    receipt: str = ""
    error: str = ""


def path_of(part: str) -> str:
    """Return where a part's code is sent."""
    return f"/parts/{part}/claim"


def hidden(
    statement: object, place: tuple[LogNumber, Index], *, is_here: bool, first: int | None
) -> Hidden | None:
    """Return what is said of a part's hidden code, None where its statement names none.

    Args:
        statement: What the machine signed, as far as it can be read.
        place: The part.
        is_here: Whether this node takes the claims of its log.
        first: When it was claimed, as far as this node knows.
    """
    if not isinstance(statement, BuildStatement) or len(committed(statement, CODE)) != 1:
        return None
    log, index = place
    if not is_here:
        return Hidden(said=f"Claimed or not: the node of log {log} knows.")
    if first is None:
        return Hidden(said="Nobody claimed this part yet.", action=path_of(f"{log}.{index}"))
    hour = as_time(first)[:13].replace("T", " ")
    return Hidden(said=f"Claimed since the hour of {hour}:00 UTC.", is_claimed=True)


def read_form(body: bytes) -> Sent:
    """Return what a browser sent.

    Raises:
        CodeMalformedError: It sent no code.
        MalformedError: The token is none of ours.
    """
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_FIELDS_MAX)
    except ValueError:
        # Too many fields, or no text: no page of ours sent it.
        pairs = []
    sent = dict(pairs)
    token = sent.get("token", "")
    return Sent(
        code=ActivationCode.parse(sent.get("code", "")),
        token=bytes32_from_hex(token) if token else None,
        wants_file="file" in sent,
    )


def offered_page(part: str, sent: Sent, token: Bytes32) -> ClaimPage:
    """Return the page that asks whether to claim the part whose code is right."""
    return ClaimPage(
        part=part,
        headline="The code is right",
        sentence=f"It is the code of part {part}, and nobody claimed it yet.",
        next_step="Claim the part if it is yours: that can be done once.",
        tone="none",
        asks="claim",
        code=sent.code.text(),
        token=to_hex(token),
    )


def claimed_page(part: str, sent: Sent, receipt: Note) -> ClaimPage:
    """Return the page of a claim that is the part's first."""
    at = as_time(FirstClaim.parse(receipt.text).time)
    return ClaimPage(
        part=part,
        headline="Claimed",
        sentence=f"You are the first to claim part {part} at this node, at {at}. "
        "Whoever comes with the code now is told that he may hold a copy.",
        next_step="Save the proof and keep it: it shows later that you were first.",
        tone="good",
        asks="file",
        code=sent.code.text(),
        token="" if sent.token is None else to_hex(sent.token),
        receipt=receipt.encode().decode(),
    )


def refused_page(part: str, error: GuildmarkError) -> ClaimPage:
    """Return the page of a claim that is not taken."""
    is_copy = isinstance(error, ClaimedBeforeError)
    is_typed_again = isinstance(error, _AGAIN)
    return ClaimPage(
        part=part,
        headline="Possible copy" if is_copy else "Not claimed",
        sentence=error.message,
        next_step=error.next_step,
        tone="bad" if is_copy else "care",
        asks="code" if is_typed_again else "",
        error=error.code,
    )


def claim_file(sent: Sent, receipt: Note) -> bytes:
    """Return what the claimant keeps; ``sent`` has a token."""
    return ClaimFile(code=sent.code, token=Bytes32(sent.token or b""), receipt=receipt).encode()
