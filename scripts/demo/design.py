"""The designer's part: design, recipe, license, lanes, packages."""

from collections.abc import Sequence
from contextlib import ExitStack

from demo import cast
from demo.actors import ACCOUNT, SEALED, Maker, Operator, Party
from guildmark.adapters.peers.client import NodeClient
from guildmark.domain.chain.facts import LaneFact, RevisionFact
from guildmark.domain.identifiers import (
    Bytes32,
    Cid,
    DesignId,
    LaneNumber,
    Uint256,
    to_hex,
)
from guildmark.domain.labels.digital_link import operator_token
from guildmark.domain.recipes.clause import Clause
from guildmark.domain.recipes.clauses import clause_root, disclose_all
from guildmark.domain.recipes.recipe import Recipe, RecipeDocument, Status
from guildmark.domain.rights.fileset import Manifest
from guildmark.domain.rights.release import ReleasePlace
from guildmark.domain.rights.terms import Terms, TermsKind, revision_member, terms_members
from guildmark.ports.store import DocumentKind
from guildmark.services.index.projection import known
from guildmark.services.recipes.disclosing import clauses_body
from guildmark.services.release.packages import Package
from guildmark.services.rights.designs import SourceFile

_DAY = 86_400


def register_design(designer: Party) -> RevisionFact:
    """Encrypt the example's files, commit to them, reveal, and return the first revision."""
    with ExitStack() as open_files:
        files = [
            SourceFile(
                name=path.name,
                media_type=media_type,
                content=open_files.enter_context(path.open("rb")),
            )
            for path, media_type in cast.design_files()
        ]
        design = designer.home.designs(ACCOUNT).register(files)
    designer.home.indexing.follow()
    with designer.home.store.reading() as view:
        return known(view.facts, RevisionFact, design, 1)


def store_files(designer: Party, design: DesignId, nodes: Sequence[NodeClient]) -> int:
    """Give the encrypted files to the nodes, which cannot read them; return how many."""
    sealed = designer.home.designs(ACCOUNT).files(design)
    addresses = [sealed.cid, *(file.cid for file in Manifest.parse(sealed.manifest).files)]
    for node in nodes:
        for cid in addresses:
            node.put_content(designer.home.content.get(cid))
    return len(addresses)


def publish_recipe(
    designer: Party, revision: RevisionFact, *, asks_equivalence: bool = False
) -> tuple[Recipe, RecipeDocument]:
    """Salt the example's recipe and publish it as qualified."""
    recipes = designer.home.recipes(ACCOUNT)
    document = recipes.draft(cast.recipe(asks_equivalence=asks_equivalence))
    recipe = Recipe(
        root=document.root(),
        design=revision.revision.design,
        revision=revision.revision.number,
    )
    recipes.publish(recipe, document, status=Status.QUALIFIED)
    return recipe, document


def grant_license(
    designer: Party,
    revision: RevisionFact,
    recipe: Recipe,
    sites: Sequence[tuple[Maker, Operator]],
    *,
    units_a_site: int = cast.UNITS_A_SITE,
) -> tuple[Terms, tuple[Clause, ...], Sequence[LaneNumber]]:
    """Sign terms, submit them, and cut a lane of equal length for each site."""
    home = designer.home
    members = _members(designer, revision, recipe, sites)
    now = home.ledger.head(final=True).time
    terms = Terms(
        design=revision.revision.design,
        design_epoch=0,
        units=units_a_site * len(sites),
        holder=designer.id,
        not_before=now - 1,
        not_after=now + 365 * _DAY,
        notice=7 * _DAY,
        terms_root=clause_root(members),
        offer_until=now + _DAY,
        nonce=Uint256(1),
    )
    lane = sign_terms(designer, terms)
    return terms, members, cut_lanes(designer, lane, sites, units=units_a_site)


def sign_terms(designer: Party, terms: Terms) -> LaneNumber:
    """Sign terms and submit them; return the lane of all their units."""
    licenses = designer.home.licenses(ACCOUNT)
    return licenses.grant(licenses.sign(terms, licensor=ACCOUNT)).lane


def cut_lanes(
    designer: Party, lane: LaneNumber, sites: Sequence[tuple[Maker, Operator]], *, units: int
) -> Sequence[LaneNumber]:
    """Cut a lane of equal length for each site."""
    return [_cut(designer, lane, *site, units=units) for site in sites]


def release_places(
    operators: Sequence[Operator], nodes: Sequence[NodeClient]
) -> tuple[ReleasePlace, ...]:
    """Return where sites may ask for the files' keys, one node after the other."""
    return tuple(
        ReleasePlace(operator=operator.party.id, url=node.url)
        for operator, node in zip(operators, nodes, strict=True)
    )


def deposit_keys(designer: Party, package: Package, operators: Sequence[Operator]) -> None:
    """Seal the files' keys to each operator, who keeps them at his node."""
    license_id = designer.home.packages.license_id(package)
    designer.home.indexing.follow()
    with designer.home.store.writing() as work:
        terms = clauses_body(disclose_all(package.members))
        work.documents.put(DocumentKind.TERMS, license_id, terms)
    for operator in operators:
        own, home = operator.party.id, operator.party.home
        sealed = designer.home.deposits.make(
            license_id,
            package.recipe.id(),
            releaser=own,
            recipient=home.keys.public_key(SEALED).value,
        )
        home.deposits.keep(sealed, releaser=own, key=SEALED)


def send_package(designer: Party, package: Package, maker: Maker, node: NodeClient) -> Cid:
    """Seal a package to a site, leave it with a node, and return where it is."""
    recipient = maker.party.home.keys.public_key(SEALED).value
    sealed = designer.home.packages.seal(package, site=maker.site, recipient=recipient)
    return node.put_content([sealed])


def _cut(
    designer: Party, lane: LaneNumber, maker: Maker, operator: Operator, *, units: int
) -> LaneNumber:
    designer.home.indexing.follow()
    with designer.home.store.reading() as view:
        seen = known(view.facts, LaneFact, lane)
    licenses = designer.home.licenses(ACCOUNT)
    return licenses.split(seen, units, log=operator.log, to=maker.site)


def _members(
    designer: Party, revision: RevisionFact, recipe: Recipe, sites: Sequence[tuple[Maker, Operator]]
) -> tuple[Clause, ...]:
    design = revision.revision.design
    namespaces = {label_prefix(operator) for _, operator in sites}
    return terms_members(
        {
            TermsKind.REVISION: [revision_member(design, revision.revision.number)],
            TermsKind.RECIPE: [to_hex(recipe.id())],
            TermsKind.SITE: [to_hex(maker.site) for maker, _ in sites],
            TermsKind.LABEL_NAMESPACE: sorted(namespaces),
            TermsKind.TEXT: ["Sixty brackets, twenty at each site. For this demo only."],
        },
        new_salt=lambda: Bytes32(designer.home.entropy.token(32)),
    )


def label_prefix(operator: Operator) -> str:
    """Return how the labels of parts in an operator's log begin."""
    return f"https://{operator.label_host}/id/{operator_token(operator.party.id)}/"
