"""Accreditations, from the node's index, judged by the node's own list."""

from fastapi import APIRouter
from pydantic import BaseModel

from guildmark.api.description import refusals
from guildmark.api.parameters import (
    Hex32,
    MaterialQuery,
    ProcessQuery,
    SiteQuery,
    StandardQuery,
    TimeQuery,
)
from guildmark.api.serving import Node, ServedNode
from guildmark.domain.chain.facts import AccreditationFact, IdentityFact
from guildmark.domain.chain.refusals import IdentityUnknownError
from guildmark.domain.identifiers import IdentityId, bytes32_from_hex, to_hex
from guildmark.domain.identity.accreditation import Accreditation, Requirement, was_accredited
from guildmark.ports.store import View
from guildmark.services.identity.accreditations import (
    accreditations_above,
    accreditations_of,
    shown_accreditation,
)
from guildmark.services.timing import present

router = APIRouter(prefix="/v1", tags=["registries"], responses=refusals(400, 404, 503))


class AccreditationAnswer(BaseModel):
    """Who accredits whom; without a standard where the scope is hidden from this node."""

    id: str
    issuer: str
    subject: str
    scope: str
    standard: str | None
    certificate: str | None
    listed: bool
    since: int
    until: int
    revokedAt: int  # noqa: N815 - the name in JSON
    recordedAt: int  # noqa: N815 - the name in JSON


class AccreditationsAnswer(BaseModel):
    """The accreditations of an identity, the oldest first."""

    accreditations: list[AccreditationAnswer]


class LinkAnswer(BaseModel):
    """One accreditation of a chain."""

    issuer: str
    subject: str
    standard: str
    since: int
    until: int
    revokedAt: int  # noqa: N815 - the name in JSON
    recordedAt: int  # noqa: N815 - the name in JSON
    listed: bool


class AccreditedAnswer(BaseModel):
    """Whether an identity was accredited at a time, why, and by which chain of issuers."""

    accredited: bool
    standing: str
    reason: str
    at: int
    chain: list[LinkAnswer]


@router.get("/identities/{identity}/accreditations", summary="An identity's accreditations")
def accreditations(identity: Hex32, node: Node) -> AccreditationsAnswer:
    """Return who accredits an identity, and for what as far as this node can read it."""
    with node.store.reading() as view:
        key = _known(identity, view)
        found = [_answer(fact, node, view) for fact in accreditations_of(key, view)]
    return AccreditationsAnswer(accreditations=found)


@router.get("/identities/{identity}/accredited", summary="Whether an identity was accredited")
def accredited(  # noqa: PLR0913, PLR0917 - one argument a parameter of the query
    identity: Hex32,
    node: Node,
    standard: StandardQuery,
    process: ProcessQuery = "",
    material: MaterialQuery = "",
    site: SiteQuery = None,
    at: TimeQuery = None,
) -> AccreditedAnswer:
    """Return whether an identity was accredited at a time, by the node's own list."""
    wanted = Requirement(
        standard=standard,
        process=process,
        material=material,
        site=None if site is None else IdentityId(bytes32_from_hex(site)),
    )
    with node.store.reading() as view:
        key = _known(identity, view)
        second = present(node.judging.clock, view.facts.cursor()) if at is None else at
        trust = node.judging.trust
        shown = accreditations_above(key, view, trust)
    answer = was_accredited(key, wanted, second, shown=shown, roots=trust.issuer_times)
    return AccreditedAnswer(
        accredited=answer.is_held,
        standing=answer.standing.value,
        reason=answer.reason,
        at=second,
        chain=[_link(link, node) for link in answer.chain],
    )


def _known(identity: str, view: View) -> IdentityId:
    key = IdentityId(bytes32_from_hex(identity))
    if view.facts.get(IdentityFact, key) is None:
        message = f"No final block holds the identity {identity}."
        raise IdentityUnknownError(message, identity=identity)
    return key


def _answer(fact: AccreditationFact, node: ServedNode, view: View) -> AccreditationAnswer:
    opened = shown_accreditation(view.documents, fact.id)
    return AccreditationAnswer(
        id=to_hex(fact.id),
        issuer=to_hex(fact.issuer),
        subject=to_hex(fact.subject),
        scope=to_hex(fact.scope),
        standard=None if opened is None else opened.scope.standard,
        certificate=None if opened is None else opened.scope.certificate,
        listed=bool(node.judging.trust.issuer_times(fact.issuer)),
        since=fact.since,
        until=fact.until,
        revokedAt=fact.revoked_at,
        recordedAt=fact.recorded_at,
    )


def _link(link: Accreditation, node: ServedNode) -> LinkAnswer:
    return LinkAnswer(
        issuer=to_hex(link.issuer),
        subject=to_hex(link.subject),
        standard=link.scope.standard,
        since=link.word.since,
        until=link.word.until,
        revokedAt=link.word.revoked_at,
        recordedAt=link.word.recorded_at,
        listed=bool(node.judging.trust.issuer_times(link.issuer)),
    )
