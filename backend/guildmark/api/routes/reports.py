"""The verdict about a part by this node's own list, as ``guildmark verify --json`` prints it."""

from http import HTTPStatus
from typing import Any

import orjson
from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from guildmark.api.description import refusals
from guildmark.api.parameters import BlockQuery, PartPath, PeersQuery
from guildmark.api.serving import Node
from guildmark.domain.identifiers import parse_hint
from guildmark.domain.verification.report import State, Verdict
from guildmark.verify.document import document

router = APIRouter(prefix="/v1/parts", tags=["parts"])


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class FailedCheck(_Closed):
    """A check that is contradicted, and by what."""

    check: int
    code: str


class FurtherFinding(_Closed):
    """What else a check found."""

    state: State
    code: str
    reason: str


class CheckAnswer(_Closed):
    """A numbered check."""

    check: int
    name: str
    state: State
    code: str | None = Field(None, description="Why it is not ok.")
    reason: str
    evidence: str = Field(description="Where in the bundle to look.")
    coveredBy: int | None = Field(  # noqa: N815 - the name in JSON
        None, description="The check that is ok and stands for what is not shown."
    )
    others: list[FurtherFinding] = []


class AsOfAnswer(_Closed):
    """The block that the verdict is about."""

    block: int
    time: int


class PartAnswer(_Closed):
    """The part."""

    chainId: int  # noqa: N815 - the name in JSON
    buildLog: str  # noqa: N815 - the name in JSON
    log: int
    index: int
    label: str | None = None
    unit: int | None = None
    units: int | None = None
    signerRole: str | None = None  # noqa: N815 - the name in JSON
    keyAlgorithm: str | None = None  # noqa: N815 - the name in JSON
    keyHolder: str | None = None  # noqa: N815 - the name in JSON
    simulated: bool


class ClaimAnswer(_Closed):
    """What an issuer states of a party."""

    scheme: str
    value: str
    issuer: str
    listed: bool


class PartyAnswer(_Closed):
    """Operator, maker or design owner."""

    role: str
    id: str
    name: str = Field(description="As it names itself.")
    listed: bool
    claims: list[ClaimAnswer]


class FaultAnswer(_Closed):
    """Why there are no checks."""

    code: str
    reason: str
    nextStep: str  # noqa: N815 - the name in JSON


class ReportAnswer(_Closed):
    """The outcome of a verification."""

    verdict: Verdict
    exit: int = Field(description="The exit code of `guildmark verify`.")
    headline: str
    failed: list[FailedCheck]
    checks: list[CheckAnswer]
    notChecked: list[int]  # noqa: N815 - the name in JSON
    asOf: AsOfAnswer | None = None  # noqa: N815 - the name in JSON
    part: PartAnswer | None = None
    parties: list[PartyAnswer]
    notes: list[str]
    fault: FaultAnswer | None = None


_REPORT: dict[int | str, dict[str, Any]] = {
    HTTPStatus.OK.value: {"model": ReportAnswer, "description": "The report."}
}


@router.get(
    "/{part}",
    summary="A part's verdict",
    response_class=Response,
    responses=_REPORT | refusals(400, 404, 409, 410, 503),
)
def report(
    part: PartPath, node: Node, block: BlockQuery = None, peers: PeersQuery = True
) -> Response:
    """Return what this node found; whoever does not trust it verifies the bundle instead."""
    log, index = parse_hint(part)
    found = node.bundles.gathered(log, index, block=block, ask_peers=peers)
    judged = node.judging.judge(found.bundle, hint=(log, index), beside=found.beside)
    return Response(orjson.dumps(document(judged.report)), media_type="application/json")
