"""What paths, queries and headers may hold: one spelling for each value, and a range."""

import re
from typing import Annotated, Final

from fastapi import Header, Path, Query
from pydantic import BeforeValidator
from starlette.requests import Request

from guildmark.api.errors import ParameterInvalidError
from guildmark.domain.identifiers import BLOCK_MAX, UINT40_MAX
from guildmark.domain.labels.digital_link import LINK_MAX
from guildmark.domain.recall import RecallCause
from guildmark.domain.verification.choice import CHOSEN_MAX

_DIGITS = re.compile(r"0|[1-9][0-9]{0,19}", re.ASCII)
_FLAGS: Final = {"true": True, "false": False}


def _plain_number(text: object) -> int:
    if not isinstance(text, str) or not _DIGITS.fullmatch(text):
        message = "plain decimal digits are expected"
        raise ValueError(message)
    return int(text)


def _plain_flag(text: object) -> bool:
    if isinstance(text, bool):
        return text
    if not isinstance(text, str) or text not in _FLAGS:
        message = "true or false is expected"
        raise ValueError(message)
    return _FLAGS[text]


Number = BeforeValidator(_plain_number)
Flag = BeforeValidator(_plain_flag)

Hex32 = Annotated[str, Path(pattern="^0x[0-9a-f]{64}$", description="32 bytes in hex.")]
LogPath = Annotated[int, Path(ge=0, le=UINT40_MAX, description="The log."), Number]
SeqPath = Annotated[int, Path(ge=0, le=UINT40_MAX, description="The record's number."), Number]
PartPath = Annotated[
    str,
    Path(
        # As many digits as every log and every database can count to.
        pattern=r"^[1-9][0-9]{0,11}\.(0|[1-9][0-9]{0,17})$",
        description="The entry's position: log.index.",
    ),
]
CidPath = Annotated[
    str,
    # CIDv1 in base32: raw or dag-pb, SHA-256. The first letter after these four bytes holds three
    # bits of the digest, and so does the last one.
    Path(
        pattern="^baf(?:ybei|krei)[a-h][a-z2-7]{50}[aeimquy4]$",
        description="The address of a file.",
    ),
]
LabelQuery = Annotated[
    str,
    Query(
        pattern="^https://[!-~]+$",
        max_length=LINK_MAX,
        description="The label, as the statement names it.",
    ),
]
SchemeQuery = Annotated[
    str | None,
    Query(pattern="^[!-~]{1,32}$", description="The register: LEI, GLN, CAGE and so on."),
]
ValueQuery = Annotated[
    str | None,
    Query(pattern="^[ -~]{1,128}$", description="The identifier, as the register writes it."),
]
NameQuery = Annotated[
    str | None,
    Query(pattern=r"^[^\x00-\x1f\x7f]{1,200}$", description="A name, or words of it."),
]
StandardQuery = Annotated[
    str, Query(pattern=r"^[^\x00-\x1f\x7f]{1,128}$", description="For example ISO 13485.")
]
ProcessQuery = Annotated[
    str, Query(pattern=r"^[^\x00-\x1f\x7f]{0,128}$", description="The process; else any.")
]
MaterialQuery = Annotated[
    str, Query(pattern=r"^[^\x00-\x1f\x7f]{0,128}$", description="The material; else any.")
]
SiteQuery = Annotated[
    str | None, Query(pattern="^0x[0-9a-f]{64}$", description="The site; else none is asked for.")
]
TimeQuery = Annotated[
    int | None, Query(ge=0, le=UINT40_MAX, description="Seconds of the chain; else now."), Number
]
BlockQuery = Annotated[
    int | None,
    Query(ge=0, le=BLOCK_MAX, description="The block of the proofs; else the newest final one."),
    Number,
]
_IDS_PATTERN = f"^0x[0-9a-f]{{64}}(,0x[0-9a-f]{{64}}){{0,{CHOSEN_MAX - 1}}}$"
AuthoritiesQuery = Annotated[
    str | None,
    Query(
        pattern=_IDS_PATTERN,
        description="Authorities whose notices are proven, by id, commas between; else some.",
    ),
]
IssuersQuery = Annotated[
    str | None,
    Query(pattern=_IDS_PATTERN, description="Issuers whose claims go first, by id."),
]
InspectorsQuery = Annotated[
    str | None,
    Query(pattern=_IDS_PATTERN, description="Inspectors whose inspections go first, by id."),
]
RecallPath = Annotated[
    str,
    Path(
        pattern=r"^0x[0-9a-f]{64}\.(owner|0x[0-9a-f]{64})\.[1-9][0-9]{0,11}$",
        description="The recall: KEY.owner.NUMBER, or KEY.AUTHORITY.NUMBER.",
    ),
]
CauseQuery = Annotated[
    str | None,
    Query(
        pattern=f"^({'|'.join(cause.word for cause in RecallCause)})$",
        description="What the parts have in common.",
    ),
]
ThingQuery = Annotated[
    str | None,
    Query(
        pattern=(
            r"^(part:[1-9][0-9]{0,11}\.(0|[1-9][0-9]{0,17})"
            r"|(lot|certificate):0x[0-9a-f]{64}:0x[0-9a-f]{64}"
            r"|(machine|recipe|site-recipe|design|key):0x[0-9a-f]{64})$"
        ),
        description="What is recalled: part:LOG.INDEX, lot:MAKER:DIGEST, machine:ID and so on.",
    ),
]
ReachedQuery = Annotated[
    str | None,
    Query(
        pattern=r"^[1-9][0-9]{0,11}\.(0|[1-9][0-9]{0,17})$",
        description="A part of this node's log, LOG.INDEX: what reaches it, lots left out.",
    ),
]
RecallerQuery = Annotated[
    str | None,
    Query(
        pattern="^0x([0-9a-f]{64}|[0-9a-f]{40})$",
        description="Who recalls: an identity, or an account.",
    ),
]
StateQuery = Annotated[
    str | None, Query(pattern="^(open|closed)$", description="Only what is open, or closed.")
]
SinceQuery = Annotated[
    int,
    Query(ge=0, le=UINT40_MAX, description="Issued or closed then or later, in block seconds."),
    Number,
]
AfterQuery = Annotated[
    str | None,
    Query(
        pattern=r"^0x[0-9a-f]{64}\.(owner|0x[0-9a-f]{64})\.[1-9][0-9]{0,11}$",
        description="The last recall of the page before.",
    ),
]
LimitQuery = Annotated[int, Query(ge=1, le=100, description="How many at most."), Number]
PeersQuery = Annotated[bool, Query(description="Whether other nodes may be asked."), Flag]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        pattern="^[!-~]{1,128}$",
        description="A name for this request: it is refused for another body (for a day).",
    ),
]


def only_declared(request: Request) -> None:
    """Refuse query parameters that the route does not know, or that are there twice.

    Raises:
        ParameterInvalidError: Names the first one.
    """
    dependant = request.scope["route"].dependant
    several = (dependant, *dependant.dependencies)
    declared = {each.alias for one in several for each in one.query_params}
    names = [name for name, _ in request.query_params.multi_items()]
    for name in names:
        if name not in declared:
            message = f"The parameter {name[:80]!a} is not known here."
            raise ParameterInvalidError(message, parameter=name[:80])
        if names.count(name) > 1:
            message = f"The parameter {name} is there {names.count(name)} times."
            raise ParameterInvalidError(message, parameter=name)
