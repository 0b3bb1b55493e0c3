"""Which sites are qualified for a recipe, and what was published of the plans behind that."""

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from guildmark.api.caching import ASK_AGAIN, FOREVER, tagged
from guildmark.api.description import content, refusals
from guildmark.api.parameters import Hex32
from guildmark.api.serving import Node
from guildmark.domain.equivalence.reporting.report import Certified
from guildmark.domain.identifiers import (
    Digest,
    EquivalencePlanId,
    IdentityId,
    RecipeId,
    bytes32_from_hex,
    to_hex,
)
from guildmark.services.equivalence.certificates import certificate_state
from guildmark.services.equivalence.qualified import Attempt, SiteStanding, standings

_JSON = "application/json"

router = APIRouter(
    prefix="/v1/equivalence", tags=["equivalence"], responses=refusals(400, 404, 503)
)


class CertificateAnswer(BaseModel):
    """What an evaluator certified; what did not happen has time 0, an open end too."""

    verdict: str
    result: str = Field(description="SHA-256 of the result's document.")
    since: int
    until: int
    suspendedAt: int  # noqa: N815 - the name in JSON
    lapsedAt: int  # noqa: N815 - the name in JSON
    cause: str | None


class CounterResultAnswer(BaseModel):
    """Another result, and the authority that found it."""

    authority: str
    result: str


class AttemptAnswer(BaseModel):
    """A plan that a site joined, and how it ended for the site."""

    recipe: str
    number: int
    plan: str
    evaluator: str
    ended: str
    certificate: CertificateAnswer | None
    counterResults: list[CounterResultAnswer]  # noqa: N815 - the name in JSON


class SiteStandingAnswer(BaseModel):
    """Whether a site is qualified; whose word counts is left to the reader."""

    site: str
    name: str
    qualified: bool
    until: int = Field(description="Seconds of the chain; 0 where no end is set.")
    reason: str
    plans: list[AttemptAnswer]


class QualifiedAnswer(BaseModel):
    """Every site that took part in a plan of the recipe, or of one that it changes little."""

    recipe: str
    sites: list[SiteStandingAnswer]


class RerunAnswer(BaseModel):
    """A published result, computed again now."""

    published: str = Field(description="SHA-256 of the result that was published.")
    again: str = Field(description="SHA-256 of what came out.")
    equal: bool
    differences: list[str]


@router.get(
    "/plans/{plan}/report",
    summary="The report of a published result",
    response_class=Response,
    responses=content(_JSON, "As `guildmark equivalence report` writes it.")
    | refusals(304, 400, 404, 503),
)
def equivalence_report(plan: Hex32, request: Request, node: Node) -> Response:
    """Return what an auditor files of a plan, with the result that was published here."""
    found = node.results.publication(_plan(plan)).reported
    return tagged(request, found.report.encode(), media_type=_JSON, keep=ASK_AGAIN)


@router.post("/plans/{plan}/again", summary="Compute a published result again")
def run_again(plan: Hex32, node: Node) -> RerunAnswer:
    """Compute the published result from the published data, now; say what differs."""
    found = node.results.again(_plan(plan), node.computing.evaluate)
    return RerunAnswer(
        published=to_hex(found.published),
        again=to_hex(found.found),
        equal=found.is_equal,
        differences=list(found.differences),
    )


@router.get(
    "/plans/{plan}/sites/{site}/data",
    summary="A site's published data",
    response_class=Response,
    responses=content(_JSON, "The data behind the root that the site revealed.")
    | refusals(304, 400, 404, 503),
)
def equivalence_data(plan: Hex32, site: Hex32, request: Request, node: Node) -> Response:
    """Return the data of a site, where they were published here."""
    body = node.results.data(_plan(plan), IdentityId(bytes32_from_hex(site)))
    return tagged(request, body, media_type=_JSON, keep=FOREVER)


@router.get(
    "/plans/{plan}/sites/{site}/certificate",
    summary="What a certificate says, and whether it holds",
    response_class=Response,
    responses=content(
        _JSON,
        "Its `standing`: in force, challenged, replaced, ended, suspended or lapsed. What did not "
        "happen is left out.",
    )
    | refusals(304, 400, 404, 503),
)
def certificate(plan: Hex32, site: Hex32, request: Request, node: Node) -> Response:
    """Return what the status of a conformity credential leads to.

    Who challenges or replaces counts by this node's list; yours may be another.
    """
    with node.store.reading() as view:
        site_id = IdentityId(bytes32_from_hex(site))
        found = certificate_state(_plan(plan), site_id, view, node.judging.trust)
    return tagged(request, found.encode(), media_type=_JSON, keep=ASK_AGAIN)


@router.get(
    "/results/{result}",
    summary="A published result by its digest",
    response_class=Response,
    responses=content(_JSON, "Bytes whose SHA-256 certificates name.")
    | refusals(304, 400, 404, 503),
)
def equivalence_result(result: Hex32, request: Request, node: Node) -> Response:
    """Return the result that a certificate or counter-result names."""
    body = node.results.result(Digest(bytes32_from_hex(result)))
    return tagged(request, body, media_type=_JSON, keep=FOREVER)


@router.get("/recipes/{recipe}", summary="Which sites are qualified for a recipe")
def qualified(recipe: Hex32, node: Node) -> QualifiedAnswer:
    """Return the sites that were compared for a recipe, with every plan and certificate.

    Qualified is who is certified by an evaluator on this node's list; yours may be another.
    """
    with node.store.reading() as view:
        now = node.judging.clock.now()
        found = standings(RecipeId(bytes32_from_hex(recipe)), view, now, node.judging.trust)
    return QualifiedAnswer(recipe=recipe, sites=[_site(one) for one in found])


def _plan(text: str) -> EquivalencePlanId:
    return EquivalencePlanId(bytes32_from_hex(text))


def _site(one: SiteStanding) -> SiteStandingAnswer:
    return SiteStandingAnswer(
        site=to_hex(one.site),
        name=one.name,
        qualified=one.is_qualified,
        until=one.until,
        reason=one.reason,
        plans=[_attempt(each) for each in one.attempts],
    )


def _attempt(one: Attempt) -> AttemptAnswer:
    return AttemptAnswer(
        recipe=to_hex(one.recipe),
        number=one.number,
        plan=to_hex(one.plan),
        evaluator=to_hex(one.evaluator),
        ended=one.ended,
        certificate=None if one.certificate is None else _certificate(one.certificate),
        counterResults=[
            CounterResultAnswer(authority=to_hex(each.authority), result=to_hex(each.result))
            for each in one.counter_results
        ],
    )


def _certificate(given: Certified) -> CertificateAnswer:
    return CertificateAnswer(
        verdict=given.verdict,
        result=to_hex(given.result),
        since=given.since,
        until=given.until,
        suspendedAt=given.suspended_at,
        lapsedAt=given.lapsed_at,
        cause=given.cause,
    )
