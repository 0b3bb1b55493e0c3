"""Which sites are qualified for a recipe, and the plans by which they tried to be."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from guildmark.api.description import refusals
from guildmark.api.parameters import Hex32
from guildmark.api.serving import Node
from guildmark.domain.equivalence.reporting.report import Certified
from guildmark.domain.identifiers import RecipeId, bytes32_from_hex, to_hex
from guildmark.services.equivalence.qualified import Attempt, SiteStanding, standings

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


@router.get("/recipes/{recipe}", summary="Which sites are qualified for a recipe")
def qualified(recipe: Hex32, node: Node) -> QualifiedAnswer:
    """Return the sites that were compared for a recipe, with every plan and certificate."""
    with node.store.reading() as view:
        now = node.judging.clock.now()
        found = standings(RecipeId(bytes32_from_hex(recipe)), view, now)
    return QualifiedAnswer(recipe=recipe, sites=[_site(one) for one in found])


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
