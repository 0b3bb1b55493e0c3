"""A small world on the chain in memory: a designer, a maker with site and machine, an operator.

Everything is made by the services themselves, so that tests of one service begin where the others
have ended.
"""

from dataclasses import dataclass, field, replace
from io import BytesIO

from fakes.chain import MemoryChain, MemoryOutbox
from fakes.content import CountingEntropy, MemoryVault
from fakes.keys import MemoryKeyStore, signing_key
from fakes.store import MemoryNodeStore
from guildmark.adapters.lookalikes import UnicodeNames
from guildmark.domain.builds.delivery import Delivery
from guildmark.domain.builds.dependencies import Declaration
from guildmark.domain.builds.dsse import Envelope, envelope_digest
from guildmark.domain.builds.predicate import (
    Beacon,
    ExternalParameters,
    Measurement,
    Setting,
)
from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.chain.facts import LaneFact, RevisionFact
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import (
    Bytes32,
    Digest,
    IdentityId,
    LaneNumber,
    LicenseId,
    LogNumber,
    RecipeId,
    SiteRecipeId,
    Uint256,
    to_hex,
)
from guildmark.domain.identity.identity import ClaimDocument, IdentityKind
from guildmark.domain.identity.lei import lei_check_digits
from guildmark.domain.labels.digital_link import operator_token
from guildmark.domain.log.entry import Entry, EntryKind
from guildmark.domain.log.queue import Queued
from guildmark.domain.log.record import Record
from guildmark.domain.recipes.clause import (
    Clause,
    ClauseClass,
    ClausePath,
    ClauseType,
    Criticality,
)
from guildmark.domain.recipes.clauses import clause_root, disclose_all
from guildmark.domain.recipes.recipe import Recipe, RecipeDocument, Status
from guildmark.domain.rights.design import Revision
from guildmark.domain.rights.terms import Terms, TermsKind, revision_member, terms_members
from guildmark.ports.keys import KeyName
from guildmark.ports.store import DocumentKind
from guildmark.services.builds.builds import Assignment, Builds, Finished
from guildmark.services.builds.parts import Parts
from guildmark.services.equivalence.protocol import Equivalence, Evaluation
from guildmark.services.equivalence.reporting import Reporting
from guildmark.services.equivalence.results import Results
from guildmark.services.equivalence.sampling import Sampling
from guildmark.services.evidence.evidence import Exporter
from guildmark.services.identity.accounts import Account
from guildmark.services.identity.accreditations import Accreditations
from guildmark.services.identity.guardians import Guardians
from guildmark.services.identity.identities import Identities
from guildmark.services.identity.naming import Naming
from guildmark.services.identity.notices import Notices
from guildmark.services.index.indexing import Indexing
from guildmark.services.index.projection import known
from guildmark.services.log.anchoring import Anchoring
from guildmark.services.log.ingest import Ingest
from guildmark.services.log.line import Line
from guildmark.services.log.logs import Logs
from guildmark.services.log.sequencing import Sequencing
from guildmark.services.recalls.recalling import Recalling
from guildmark.services.recipes.disclosing import Disclosing, claim_body, clauses_body
from guildmark.services.recipes.recipes import Recipes
from guildmark.services.release.packages import Packages
from guildmark.services.rights.designs import Designs, SourceFile
from guildmark.services.rights.filelists import FileLists
from guildmark.services.rights.licenses import Licenses

DESIGNER, MAKER, SITE, OPERATOR, WRITER, MACHINE, ISSUER = (
    *("designer", "maker", "site", "operator", "writer", "machine", "issuer"),
)
# With the token of the operator in memory, whose id follows from his key and the first salt.
PREFIX = "https://parts.example/id/xjaxm3hqk44rqwwr/"
UNITS = 3


@dataclass(frozen=True)
class Tools:
    """The services over one chain and one store, in the name of anybody."""

    chain: MemoryChain = field(default_factory=MemoryChain)
    keys: MemoryKeyStore = field(
        default_factory=lambda: MemoryKeyStore(
            DESIGNER, MAKER, SITE, OPERATOR, WRITER, MACHINE, ISSUER
        )
    )
    store: MemoryNodeStore = field(default_factory=MemoryNodeStore)
    vault: MemoryVault = field(default_factory=MemoryVault)
    entropy: CountingEntropy = field(default_factory=CountingEntropy)
    shown: tuple[str, ...] | None = None
    outbox: MemoryOutbox = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "outbox", MemoryOutbox(self.chain, self.keys))

    def account(self, name: str) -> Account:
        key = KeyName(name)
        return Account(transactions=self.outbox, key=key, address=self.keys.address(key))

    def identities(self, name: str) -> Identities:
        return Identities(
            ledger=self.chain,
            account=self.account(name),
            store=self.store,
            entropy=self.entropy,
        )

    def accreditations(self, name: str) -> Accreditations:
        return Accreditations(account=self.account(name), store=self.store)

    def guardians(self, name: str) -> Guardians:
        return Guardians(account=self.account(name), entropy=self.entropy)

    def notices(self, name: str) -> Notices:
        return Notices(account=self.account(name), entropy=self.entropy)

    def recalling(self, name: str) -> Recalling:
        return Recalling(account=self.account(name), store=self.store)

    def logs(self, name: str) -> Logs:
        return Logs(ledger=self.chain, account=self.account(name))

    def designs(self, name: str) -> Designs:
        return Designs(
            ledger=self.chain,
            account=self.account(name),
            vault=self.vault,
            store=self.store,
            entropy=self.entropy,
        )

    @property
    def filelists(self) -> FileLists:
        return FileLists(ledger=self.chain, store=self.store)

    def recipes(self, name: str) -> Recipes:
        return Recipes(
            ledger=self.chain, account=self.account(name), store=self.store, entropy=self.entropy
        )

    def equivalence(self, name: str) -> Equivalence:
        return Equivalence(
            account=self.account(name),
            store=self.store,
            entropy=self.entropy,
            vault=self.vault,
        )

    @property
    def reporting(self) -> Reporting:
        return Reporting(store=self.store)

    @property
    def results(self) -> Results:
        return Results(store=self.store)

    @property
    def evaluation(self) -> Evaluation:
        return Evaluation(store=self.store, keys=self.keys)

    @property
    def sampling(self) -> Sampling:
        return Sampling(store=self.store)

    def licenses(self, name: str) -> Licenses:
        return Licenses(ledger=self.chain, account=self.account(name), keys=self.keys)

    def parts(self, name: str) -> Parts:
        return Parts(ledger=self.chain, keys=self.keys, account=self.account(name))

    @property
    def builds(self) -> Builds:
        return Builds(keys=self.keys, entropy=self.entropy, shown=self.shown)

    @property
    def packages(self) -> Packages:
        return Packages(ledger=self.chain, keys=self.keys, vault=self.vault, store=self.store)

    @property
    def disclosing(self) -> Disclosing:
        return Disclosing(store=self.store, naming=self.naming)

    @property
    def naming(self) -> Naming:
        return Naming(names=UnicodeNames())

    @property
    def exporter(self) -> Exporter:
        return Exporter(ledger=self.chain, store=self.store)

    def indexing(self, log: LogNumber | None = None) -> Indexing:
        return Indexing(ledger=self.chain, store=self.store, naming=self.naming, own_log=log)

    def ingest(self, log: LogNumber) -> Ingest:
        return Ingest(store=self.store, entropy=self.entropy, log=log)

    def line(self, log: LogNumber) -> Line:
        anchoring = Anchoring(
            store=self.store,
            transactions=self.outbox,
            sequencing=Sequencing(store=self.store, log=log),
            writer=KeyName(WRITER),
        )
        return Line(transactions=self.outbox, indexing=self.indexing(log), anchoring=anchoring)


def clause(path: str, klass: ClauseClass, **members: str) -> Clause:
    """Return a clause; its salt is the digest of its path."""
    kind = ClauseType.QUANTITY if "unit" in members else ClauseType.TEXT
    return Clause(
        path=ClausePath(path),
        type=kind,
        klass=klass,
        criticality=Criticality.MAJOR,
        salt=Bytes32(sha256(path.encode())),
        **members,
    )


RECIPE = RecipeDocument(
    name="Bracket",
    clauses=(
        clause("/material/polymer", ClauseClass.CORE, value="PETG"),
        clause(
            "/process/layer_height", ClauseClass.WINDOW, minimum="0.30", maximum="0.40", unit="mm"
        ),
        clause("/process/nozzle", ClauseClass.CORE, value="0.8", unit="mm"),
        clause("/tolerance/bore", ClauseClass.CORE, minimum="22.00", maximum="22.40", unit="mm"),
        clause("/tolerance/note", ClauseClass.CORE, value="measured at 20 Cel"),
    ),
)


@dataclass(frozen=True, kw_only=True)
class World:
    """Everything up to the first build."""

    tools: Tools
    designer: IdentityId
    maker: IdentityId
    site: IdentityId
    machine: IdentityId
    instrument: IdentityId
    operator: IdentityId
    issuer: IdentityId
    log: LogNumber
    lane: LaneNumber
    license: LicenseId
    terms: Terms
    members: tuple[Clause, ...]
    revision: Revision
    recipe: Recipe
    site_document: RecipeDocument
    site_recipe: SiteRecipeId
    beacon: Record

    def disclose(self, *kinds: DocumentKind) -> None:
        """Show the node what it needs; all of it where no kind is named."""
        shown = {
            DocumentKind.TERMS: (self.license, clauses_body(disclose_all(self.members))),
            DocumentKind.RECIPE: (self.recipe.id(), clauses_body(disclose_all(RECIPE.clauses))),
            DocumentKind.SITE_RECIPE: (
                self.site_recipe,
                clauses_body(disclose_all(self.site_document.clauses)),
            ),
        }
        for kind in kinds or shown:
            self.tools.disclosing.receive(kind, *shown[kind])

    def statement(self, number: int = 1, declared: Declaration | None = None) -> BuildStatement:
        """Return what the machine says about part ``number``, and what its maker declares of it."""
        external = ExternalParameters(
            license=self.license,
            recipe=self.recipe.id(),
            site_recipe=self.site_recipe,
            design=self.revision.design,
            revision=self.revision.number,
            log=self.log,
            lane=self.lane,
        )
        assignment = Assignment(
            external=external,
            maker=self.maker,
            site=self.site,
            machine=self.machine,
            ciphertext=self.revision.ciphertext,
            job=sha256(b"job"),
            settings=(
                Setting(path=ClausePath("/process/layer_height"), value="0.36", unit="mm"),
                Setting(path=ClausePath("/process/nozzle"), value="0.8", unit="mm"),
            ),
        )
        finished = replace(self.finished(number), declared=declared)
        return self.tools.builds.state(assignment, finished)

    def finished(self, number: int) -> Finished:
        """Return how part ``number`` came out."""
        bore = Measurement(
            characteristic=ClausePath("/tolerance/bore"),
            value="22.20",
            unit="mm",
            instrument=to_hex(self.instrument),
        )
        return Finished(
            label=f"{prefix_of(self.operator)}{self.lane}-{number:05d}",
            counter=number,
            beacon=Beacon(
                log=self.beacon.log, seq=self.beacon.seq, record_digest=self.beacon.digest()
            ),
            started_on=self.beacon.time,
            finished_on=self.beacon.time + 60,
            measurements=(bore,),
            simulated=True,
        )

    def sign(self, statement: BuildStatement) -> bytes:
        """Return the envelope of a statement, signed by the machine."""
        return self.tools.builds.attest(statement, key=KeyName(MACHINE))

    def envelope(self, number: int = 1) -> bytes:
        """Return the signed envelope about part ``number``."""
        return self.sign(self.statement(number))


def prefix_of(operator: IdentityId) -> str:
    """Return what the labels of an operator's parts begin with."""
    return f"https://parts.example/id/{operator_token(operator)}/"


def parsed(envelope: bytes) -> BuildStatement:
    """Return the statement in an envelope, as far as it says its values itself."""
    return BuildStatement.parse(Envelope.parse(Delivery.parse(envelope).envelope).payload)


def log_unasked(world: World, *envelopes: bytes) -> None:
    """Log envelopes as a rogue would, past the door."""
    with world.tools.store.writing() as work:
        for number, data in enumerate(envelopes):
            work.log.accept(_unexamined(world, data, number))
    line = world.tools.line(world.log)
    line.step()
    line.step()


def _label(data: bytes) -> str | None:
    try:
        return parsed(data).label
    except GuildmarkError:
        return None


def _unexamined(world: World, data: bytes, number: int) -> Queued:
    entry = Entry(
        kind=EntryKind.BUILD,
        subject=Digest(sha256(b"subject %d" % number)),
        envelope=envelope_digest(data),
        site_recipe=world.site_recipe,
        machine=world.machine,
        maker=world.maker,
        dependencies=Digest(bytes(32)),
    )
    return Queued(
        envelope=data,
        digest=envelope_digest(data),
        payload=sha256(data),
        entry=entry,
        salt=Bytes32(sha256(b"salt %d" % number)),
        lane=world.lane,
        label=_label(data) or f"hidden {number}",
        counter=100 + number,
    )


def make_world(tools: Tools | None = None) -> World:
    """Register everybody and everything, and let the index read it."""
    tools = tools or Tools()
    designer = tools.identities(DESIGNER).register(IdentityKind.ORGANIZATION, {"name": "D"})
    maker = tools.identities(MAKER).register(IdentityKind.ORGANIZATION, {"name": "M"})
    operator = tools.identities(OPERATOR).register(IdentityKind.ORGANIZATION, {"name": "O"})
    issuer = tools.identities(ISSUER).register(IdentityKind.AUTHORITY, {"name": "I"})
    site, machine, instrument = _site(tools, maker)
    log = tools.logs(OPERATOR).open(operator, tools.keys.address(KeyName(WRITER)))
    revision = _design(tools)
    recipe, site_document, site_recipe = _recipes(tools, revision, site)
    parties = (designer, site, log, operator)
    license_id, terms, members, lane = _license(tools, revision, recipe, parties)
    beacon = tools.logs(OPERATOR).tick()
    tools.indexing(log).follow()
    return World(
        tools=tools,
        designer=designer,
        maker=maker,
        site=site,
        machine=machine,
        instrument=instrument,
        operator=operator,
        issuer=issuer,
        log=log,
        lane=lane,
        license=license_id,
        terms=terms,
        members=members,
        revision=revision,
        recipe=recipe,
        site_document=site_document,
        site_recipe=site_recipe,
        beacon=beacon,
    )


def claim(tools: Tools, issuer: IdentityId, subject: IdentityId) -> tuple[bytes, bytes]:
    """Name a subject; return the claim's id and the document that opens it."""
    payload = "9999EXAMPLE0000001"
    document = ClaimDocument(
        scheme="LEI",
        value=payload + lei_check_digits(payload),
        salt=Bytes32(tools.entropy.token(32)),
    )
    # Who vouches works in a home of his own.
    elsewhere = replace(tools.identities(ISSUER), store=MemoryNodeStore())
    made = elsewhere.claim(issuer, subject, document)
    return made, claim_body(issuer, subject, document)


def _site(tools: Tools, maker: IdentityId) -> tuple[IdentityId, IdentityId, IdentityId]:
    own = tools.identities(SITE)
    site = own.register(IdentityKind.SITE, {"name": "S"})
    machine = own.register(IdentityKind.MACHINE, {"name": "X"})
    instrument = own.register(IdentityKind.MACHINE, {"name": "C"})
    own.request_link(site, maker)
    tools.identities(MAKER).accept_link(site, maker)
    own.request_link(machine, site)
    own.accept_link(machine, site)
    own.add_key(machine, signing_key(tools.keys, MACHINE))
    return site, machine, instrument


def _design(tools: Tools) -> Revision:
    file = SourceFile(name="part.stl", media_type="model/stl", content=BytesIO(b"solid"))
    design = tools.designs(DESIGNER).register([file])
    tools.indexing().follow()
    with tools.store.reading() as view:
        return known(view.facts, RevisionFact, design, 1).revision


def _recipes(
    tools: Tools, revision: Revision, site: IdentityId
) -> tuple[Recipe, RecipeDocument, SiteRecipeId]:
    recipe = Recipe(root=RECIPE.root(), design=revision.design, revision=revision.number)
    master = tools.recipes(DESIGNER).publish(recipe, RECIPE, status=Status.QUALIFIED)
    own = tools.recipes(SITE)
    document = own.derive(RECIPE, {"/process/layer_height": "0.36"}, name="Bracket at S")
    model = Digest(sha256(b"model"))
    return recipe, document, own.publish_site_recipe(RecipeId(master), site, model, document)


def _license(
    tools: Tools,
    revision: Revision,
    recipe: Recipe,
    parties: tuple[IdentityId, IdentityId, LogNumber, IdentityId],
) -> tuple[LicenseId, Terms, tuple[Clause, ...], LaneNumber]:
    holder, site, log, operator = parties
    members = terms_members(
        {
            TermsKind.REVISION: [revision_member(revision.design, revision.number)],
            TermsKind.RECIPE: [to_hex(recipe.id())],
            TermsKind.SITE: [to_hex(site)],
            TermsKind.LABEL_NAMESPACE: [prefix_of(operator)],
        },
        new_salt=lambda: Bytes32(tools.entropy.token(32)),
    )
    terms = Terms(
        design=revision.design,
        design_epoch=0,
        units=UNITS,
        holder=holder,
        not_before=tools.chain.now,
        not_after=tools.chain.now + 1000,
        notice=10,
        terms_root=clause_root(members),
        offer_until=tools.chain.now + 100,
        nonce=Uint256(1),
    )
    licenses = tools.licenses(DESIGNER)
    signed = licenses.sign(terms, licensor=KeyName(DESIGNER))
    first = licenses.grant(signed).lane
    tools.indexing().follow()
    with tools.store.reading() as view:
        seen = known(view.facts, LaneFact, first)
    lane = licenses.split(seen, UNITS, log=log, to=site)
    return signed.id, terms, members, lane
