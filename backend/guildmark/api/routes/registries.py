"""What the registries say, from the node's index: identities, designs, licenses."""

from fastapi import APIRouter
from pydantic import BaseModel, Field

from guildmark.api.description import refusals
from guildmark.api.parameters import Hex32, NameQuery, SchemeQuery, ValueQuery
from guildmark.api.serving import Node, ServedNode
from guildmark.domain.chain.facts import (
    DesignFact,
    IdentityFact,
    LaneFact,
    LicenseFact,
    LicenseNumberFact,
    NoticeFact,
    RecoveryFact,
    RevisionFact,
)
from guildmark.domain.chain.refusals import (
    DesignUnknownError,
    IdentityUnknownError,
    LicenseUnknownError,
)
from guildmark.domain.identifiers import IdentityId, bytes32_from_hex, to_hex
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.rights.fileset import EncryptedList
from guildmark.domain.rights.terms import NO_LICENSE
from guildmark.ports.store import View
from guildmark.services.identity.cards import Stated, holders, read_claim, stated
from guildmark.services.identity.guardians import recovery
from guildmark.services.identity.identities import proposed
from guildmark.services.identity.naming import Lookalike, name_of
from guildmark.services.identity.notices import controllers, notices_on
from guildmark.services.recipes.disclosing import shown_list
from guildmark.services.rights.licenses import Child, usage

_NAMED_MAX = 100

router = APIRouter(prefix="/v1", tags=["registries"], responses=refusals(400, 404, 503))


class ClaimAnswer(BaseModel):
    """Who states which identifier of whom; without a value where it is hidden from this node."""

    id: str
    issuer: str
    subject: str
    scheme: str
    value: str | None
    malformed: bool
    public: bool
    listed: bool
    since: int
    until: int
    contradictedBy: list[str]  # noqa: N815 - the name in JSON


class NoticeAnswer(BaseModel):
    """Who says that a key or a controller's account may be in other hands, and since when."""

    key: str | None
    controller: int | None
    authority: str | None
    guardians: bool
    listed: bool
    noticeAt: int  # noqa: N815 - the name in JSON
    suspectedFrom: int  # noqa: N815 - the name in JSON
    evidence: str


class RecoveryAnswer(BaseModel):
    """Whom guardians are about to let control an identity, and from when on he may."""

    candidate: str
    readyAt: int  # noqa: N815 - the name in JSON


class LookalikeAnswer(BaseModel):
    """Another identity whose name looks the same, and since when it is on record."""

    id: str
    name: str
    since: int


class IdentityAnswer(BaseModel):
    """Who an identity is on chain; its name is in its profile, empty where this node has none.

    The scripts are those that one word of the name mixes.
    """

    id: str
    kind: str
    name: str
    looksLike: list[LookalikeAnswer]  # noqa: N815 - the name in JSON
    mixedScripts: list[str]  # noqa: N815 - the name in JSON
    controller: str
    controllers: int
    proposedController: str | None  # noqa: N815 - the name in JSON
    since: int
    claims: list[ClaimAnswer]
    notices: list[NoticeAnswer]
    recovery: RecoveryAnswer | None


class NamedAnswer(BaseModel):
    """An identity under a name: its own word."""

    id: str
    kind: str
    name: str
    since: int


class HoldersAnswer(BaseModel):
    """The standing claims of an identifier, or the identities under a name, the oldest first."""

    claims: list[ClaimAnswer]
    identities: list[NamedAnswer]


class ListedFileAnswer(BaseModel):
    """Where an encrypted file is, and SHA-256 of its encrypted bytes."""

    cid: str
    ciphertext: str


class RevisionAnswer(BaseModel):
    """A revision of a design."""

    number: int
    root: str
    ciphertext: str
    manifest: str
    at: int
    cid: str
    derivedFrom: list[str]  # noqa: N815 - the name in JSON
    files: list[ListedFileAnswer] | None = Field(
        description="The encrypted files in order, null where they were not disclosed."
    )


class DesignAnswer(BaseModel):
    """A design, its owner, and its revisions."""

    id: str
    owner: str
    priority: int
    epoch: int
    revisions: list[RevisionAnswer]


class LaneAnswer(BaseModel):
    """Units [first, end), drawn up to next."""

    lane: int
    first: int
    next: int
    end: int
    log: int
    holder: str
    reclaimAt: int  # noqa: N815 - the name in JSON


class ChildAnswer(BaseModel):
    """Units [first, end) that were licensed on; drawn from that license's lanes and those below."""

    id: str
    number: int
    first: int
    end: int
    holder: str
    drawn: int


class LicenseAnswer(BaseModel):
    """A license and where its units are."""

    id: str
    number: int
    design: str
    parent: str | None
    units: int
    holder: str
    currency: str
    royalty: str
    fee: str
    notBefore: int  # noqa: N815 - the name in JSON
    notAfter: int  # noqa: N815 - the name in JSON
    stopAt: int  # noqa: N815 - the name in JSON
    drawn: int = Field(description="From its own lanes and those of all licenses below it.")
    lanes: list[LaneAnswer]
    licensedOn: list[ChildAnswer]  # noqa: N815 - the name in JSON


@router.get("/identities", summary="Who holds an identifier, or has a name")
def holders_(
    node: Node, scheme: SchemeQuery = None, value: ValueQuery = None, name: NameQuery = None
) -> HoldersAnswer:
    """Return who is said to hold an identifier, and who has a name that looks like the one given.

    As far as this node can read claims and profiles; of what is not asked for there is none.
    """
    with node.store.reading() as view:
        claims = holders(scheme, value, view.facts) if scheme and value else ()
        held = [read_claim(fact, view.documents) for fact in claims]
        named = [_named(fact, view) for fact in node.naming.find(name or "", view)[:_NAMED_MAX]]
    return HoldersAnswer(claims=[_claim(one, node) for one in held], identities=named)


@router.get("/identities/{identity}", summary="An identity")
def identity(identity: Hex32, node: Node) -> IdentityAnswer:
    """Return an identity with what issuers state of it."""
    key = IdentityId(bytes32_from_hex(identity))
    with node.store.reading() as view:
        fact = view.facts.get(IdentityFact, key)
        claims = stated(key, view)
        notices = notices_on(key, view.facts)
        running = recovery(key, view.facts)
        count = len(controllers(key, view.facts))
        named = name_of(key, view.documents)
        likes = () if fact is None else node.naming.lookalikes(fact, view)
        successor = proposed(key, view.facts)
    if fact is None:
        message = f"No final block holds the identity {identity}."
        raise IdentityUnknownError(message, identity=identity)
    return IdentityAnswer(
        id=identity,
        kind=IdentityKind(fact.kind).name.lower(),
        controller=to_hex(fact.controller),
        name=named,
        looksLike=[_lookalike(one) for one in likes],
        mixedScripts=list(node.naming.mixed(named)),
        controllers=count,
        proposedController=None if successor is None else to_hex(successor),
        since=fact.since,
        claims=[_claim(one, node) for one in claims],
        notices=[_notice(one, node) for one in notices],
        recovery=None if running is None else _recovery(running),
    )


@router.get("/designs/{design}", summary="A design")
def design(design: Hex32, node: Node) -> DesignAnswer:
    """Return a design with its revisions."""
    key = bytes32_from_hex(design)
    with node.store.reading() as view:
        fact = view.facts.get(DesignFact, key)
        revisions = [
            _revision(one, shown_list(view.documents, one.revision))
            for one in view.facts.each(RevisionFact, key)
        ]
    if fact is None:
        message = f"No final block holds the design {design}."
        raise DesignUnknownError(message, design=design)
    return DesignAnswer(
        id=design,
        owner=to_hex(fact.owner),
        priority=fact.priority,
        epoch=fact.epoch,
        revisions=revisions,
    )


@router.get("/licenses/{license_id}", summary="A license")
def license_(license_id: Hex32, node: Node) -> LicenseAnswer:
    """Return a license with its lanes: who holds which units, and how many are drawn."""
    with node.store.reading() as view:
        numbered = view.facts.get(LicenseNumberFact, bytes32_from_hex(license_id))
        fact = None if numbered is None else view.facts.get(LicenseFact, numbered.number)
        if fact is None:
            message = f"No final block holds the license {license_id}."
            raise LicenseUnknownError(message, license=license_id)
        used = usage(fact, view.facts)
    terms = fact.terms
    return LicenseAnswer(
        id=license_id,
        number=fact.number,
        design=to_hex(terms.design),
        parent=None if terms.parent == NO_LICENSE else to_hex(terms.parent),
        units=fact.units,
        holder=to_hex(terms.holder),
        currency=to_hex(terms.currency),
        royalty=str(terms.royalty),
        fee=str(terms.fee),
        notBefore=terms.not_before,
        notAfter=terms.not_after,
        stopAt=fact.stop_at,
        drawn=used.drawn,
        lanes=[_lane(lane) for lane in used.lanes],
        licensedOn=[_child(one) for one in used.children],
    )


def _child(child: Child) -> ChildAnswer:
    return ChildAnswer(
        id=to_hex(child.license.id),
        number=child.license.number,
        first=child.first,
        end=child.end,
        holder=to_hex(child.license.terms.holder),
        drawn=child.drawn,
    )


def _notice(fact: NoticeFact, node: ServedNode) -> NoticeAnswer:
    trust = node.judging.trust
    return NoticeAnswer(
        key=None if fact.number else to_hex(fact.target),
        controller=fact.number or None,
        authority=to_hex(fact.by) if fact.is_by_authority else None,
        guardians=fact.by_guardians,
        listed=not fact.is_by_authority or trust.lists_authority(fact.by, fact.notice_at),
        noticeAt=fact.notice_at,
        suspectedFrom=fact.suspected_from,
        evidence=to_hex(fact.evidence),
    )


def _named(fact: IdentityFact, view: View) -> NamedAnswer:
    kind = IdentityKind(fact.kind).name.lower()
    name = name_of(fact.id, view.documents)
    return NamedAnswer(id=to_hex(fact.id), kind=kind, name=name, since=fact.since)


def _lookalike(one: Lookalike) -> LookalikeAnswer:
    return LookalikeAnswer(id=to_hex(one.identity), name=one.name, since=one.since)


def _recovery(fact: RecoveryFact) -> RecoveryAnswer:
    return RecoveryAnswer(candidate=to_hex(fact.candidate), readyAt=fact.ready_at)


def _claim(one: Stated, node: ServedNode) -> ClaimAnswer:
    fact = one.fact
    return ClaimAnswer(
        id=to_hex(fact.id),
        issuer=to_hex(fact.issuer),
        subject=to_hex(fact.subject),
        scheme=one.scheme,
        value=one.value,
        malformed=one.is_malformed,
        public=bool(fact.value),
        listed=node.judging.trust.lists_issuer(fact.issuer, fact.since),
        since=fact.since,
        until=fact.until,
        contradictedBy=[to_hex(rival.id) for rival in one.rivals],
    )


def _revision(fact: RevisionFact, listed: EncryptedList | None) -> RevisionAnswer:
    revision = fact.revision
    files = (
        None
        if listed is None
        else [
            ListedFileAnswer(cid=one.cid, ciphertext=to_hex(one.ciphertext)) for one in listed.files
        ]
    )
    return RevisionAnswer(
        number=revision.number,
        root=to_hex(revision.root),
        ciphertext=to_hex(revision.ciphertext),
        manifest=to_hex(revision.manifest),
        at=revision.at,
        cid=fact.cid,
        derivedFrom=[to_hex(one) for one in revision.derived_from],
        files=files,
    )


def _lane(fact: LaneFact) -> LaneAnswer:
    return LaneAnswer(
        lane=fact.number,
        first=fact.first,
        next=fact.next,
        end=fact.end,
        log=fact.log,
        holder=to_hex(fact.holder),
        reclaimAt=fact.reclaim_at,
    )
