"""A whole case in memory: a chain's state as tries, a machine with a real key, one built part.

Every piece can be changed before `Simulator.evidence` seals it, so that a test breaks one thing.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fakes.keys import opened
from fakes.tries import Trie, secure
from guildmark.domain.builds.delivery import OpenedValues, seal
from guildmark.domain.builds.dsse import Envelope, envelope_digest
from guildmark.domain.builds.predicate import (
    Beacon,
    ExternalParameters,
    Measurement,
    Resource,
    RunDetails,
    Setting,
    SignerRole,
)
from guildmark.domain.builds.statement import PAYLOAD_TYPE, BuildStatement
from guildmark.domain.builds.values import SettingsDisclosure, leaves_of
from guildmark.domain.chain import storage
from guildmark.domain.chain.contracts import (
    AccountProof,
    ChainClass,
    ChainPin,
    ContractName,
    ContractPin,
    SlotProof,
)
from guildmark.domain.chain.eip712 import licenses_domain
from guildmark.domain.chain.ethproof import rlp
from guildmark.domain.chain.storage import Location
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.hashing import keccak256, sha256
from guildmark.domain.identifiers import (
    Address,
    Bytes32,
    ChainId,
    DesignId,
    Digest,
    IdentityId,
    Index,
    LaneNumber,
    LicenseId,
    LogNumber,
    RecipeId,
    Seq,
    SiteRecipeId,
    Uint256,
    UnitNumber,
    to_hex,
)
from guildmark.domain.identity.accreditation import ScopeDocument
from guildmark.domain.identity.identity import ClaimDocument, IdentityKind, key_id, profile_digest
from guildmark.domain.labels.digital_link import DigitalLink, operator_token
from guildmark.domain.log.entry import Entry, EntryKind
from guildmark.domain.log.merkle import MerkleTree
from guildmark.domain.log.record import Grant, Record
from guildmark.domain.recipes import clauses
from guildmark.domain.recipes.clause import Clause, ClauseClass, ClausePath, ClauseType
from guildmark.domain.recipes.recipe import Change, Recipe, SiteRecipe, Status
from guildmark.domain.rights.design import Revision
from guildmark.domain.rights.terms import (
    NO_LICENSE,
    Terms,
    TermsKind,
    revision_member,
    terms_members,
)
from guildmark.domain.signatures import Algorithm, PublicKey
from guildmark.domain.trust import Listed, Trust, TrustedBlock
from guildmark.domain.verification.evidence import (
    AccreditationDisclosure,
    ChainEvidence,
    ClaimDisclosure,
    Core,
    Disclosures,
    Evidence,
    FormerRecipeDisclosure,
    LaneDisclosure,
    LicenseDisclosure,
    LinkDisclosure,
    ProfileDisclosure,
    RecipeDisclosure,
    SiteRecipeDisclosure,
)
from guildmark.domain.verification.slots import PROVEN_CONTRACTS, required_slots
from guildmark.ports.keys import KeyAlgorithm

REGISTERED, PUBLISHED, BEGUN, LOGGED, LOOKED = 1_000, 1_100, 2_000, 2_100, 2_200
"""Block seconds: parties register, papers are published, beacon, record, block b."""

GRANTED, GIVEN = 1_200, 1_300
"""Block seconds: the license is granted, the site's lane is cut from its holder's."""

LOG, LANE, NUMBER, POSITION, UNIT = LogNumber(1), LaneNumber(5), 3, 3, UnitNumber(25)
FIRST_LANE = LaneNumber(4)


def identity(name: str) -> IdentityId:
    return IdentityId(sha256(name.encode()))


def salt(name: str) -> Bytes32:
    return Bytes32(sha256(b"salt of " + name.encode()))


DESIGNER, MAKER, OPERATOR = identity("designer"), identity("maker"), identity("operator")
SITE, MACHINE, GAUGE, ISSUER, AUTHORITY = (
    identity("site"),
    identity("machine"),
    identity("gauge"),
    identity("issuer"),
    identity("authority"),
)
OWNER = Address(b"\xd0" * 20)
DESIGN = DesignId(sha256(b"design"))
HOST = "id.example.org"
LABEL = DigitalLink.of_own_part(HOST, operator_token(OPERATOR), "5-00025").label


class Signer:
    """A machine's key."""

    def __init__(self, name: str, algorithm: Algorithm = Algorithm.SECP256K1) -> None:
        self._signer = opened(name, KeyAlgorithm[algorithm.name])
        self.public = PublicKey(algorithm=algorithm, data=self._signer.public_key.value)
        self._made: dict[bytes, bytes] = {}

    def sign(self, payload: bytes) -> bytes:
        """Return the signature of a payload, made once."""
        if payload not in self._made:
            self._made[payload] = self._signer.sign_payload(payload)
        return self._made[payload]


def quantity(
    path: str,
    klass: ClauseClass,
    unit: str,
    value: str | None = None,
    bounds: tuple[str | None, str | None] = (None, None),
) -> Clause:
    return Clause(
        path=ClausePath(path),
        type=ClauseType.QUANTITY,
        klass=klass,
        salt=salt(path),
        value=value,
        minimum=bounds[0],
        maximum=bounds[1],
        unit=unit,
    )


def text(path: str, klass: ClauseClass, value: str) -> Clause:
    return Clause(
        path=ClausePath(path), type=ClauseType.TEXT, klass=klass, salt=salt(path), value=value
    )


MASTER = (
    text("/material/grade", ClauseClass.CORE, "PA12"),
    quantity("/process/infill", ClauseClass.CORE, "%", value="40"),
    quantity("/process/layer_height", ClauseClass.WINDOW, "mm", bounds=("0.10", "0.30")),
    quantity("/tolerance/bore", ClauseClass.CORE, "mm", bounds=("9.95", "10.05")),
    quantity("/tolerance/height", ClauseClass.WINDOW, "mm", bounds=("19.8", "20.2")),
    text("/tolerance/look", ClauseClass.CORE, "no cracks"),
)
OWN = tuple(
    quantity("/process/layer_height", ClauseClass.WINDOW, "mm", bounds=("0.15", "0.20"))
    if clause.path == "/process/layer_height"
    else clause
    for clause in MASTER
)


def header_of(number: int, time: int, state_root: bytes) -> bytes:
    plain = (32, 32, 20, 32, 32, 32, 256, 0, 0, 4, 4, 0, 5, 32, 8)
    fields: list[rlp.Item] = [b"\1" * size for size in plain]
    fields[3] = state_root
    fields[8], fields[11] = rlp.encode_integer(number), rlp.encode_integer(time)
    return rlp.encode([*fields, b"\7"])


def pack(*fields: tuple[int, int]) -> int:
    """Return the word of a struct whose fields are given as value and width, low bits first."""
    word = shift = 0
    for value, width in fields:
        word |= value << shift
        shift += width
    return word


def identity_word(
    kind: int, since: int = REGISTERED, controller: bytes = b"\xc0" * 20, controllers: int = 1
) -> int:
    account = int.from_bytes(controller, "big")
    return pack((account, 160), (kind, 8), (since, 40), (controllers, 32))


def interval_word(since: int, until: int = 0) -> int:
    return pack((since, 40), (until, 40))


def accreditation_word(
    since: int, until: int = 0, revoked_at: int = 0, recorded_at: int | None = None
) -> int:
    """Return an accreditation's word; it was given as it begins where no time is named."""
    given = since if recorded_at is None else recorded_at
    return pack((since, 40), (until, 40), (revoked_at, 40), (given, 40))


def owner_word(account: bytes, since: int) -> int:
    return pack((as_int(account), 160), (since, 40))


def notice_word(at: int, suspected_from: int) -> int:
    return pack((at, 40), (suspected_from, 40))


def controller_word(since: int) -> int:
    return pack((1, 160), (since, 40))


def key_word(
    since: int,
    until: int = 0,
    notice_at: int = 0,
    suspected_from: int = 0,
    algorithm: Algorithm = Algorithm.SECP256K1,
) -> int:
    times = ((each, 40) for each in (since, until, notice_at, suspected_from))
    return pack((algorithm, 8), *times)


def license_word(
    *, not_before: int = 0, not_after: int = 0, stop_at: int = 0, parent: int = 0, depth: int = 0
) -> int:
    numbers = (60, not_before, not_after, stop_at, 0, parent)
    return pack(*((number, 40) for number in numbers), (depth, 8))


def lane_word(*, number: int = NUMBER, first: int = 21, following: int = 28, log: int = LOG) -> int:
    return pack(*((each, 40) for each in (number, first, following, 41, log, 0)))


def granted_word(number: int, at: int) -> int:
    return pack((number, 40), (at, 40))


def origin_word(source: int, at: int) -> int:
    return pack((source, 40), (at, 40))


def extension_word(end: int, epoch: int, at: int) -> int:
    return pack((end, 40), (epoch, 40), (at, 40))


def step_word(status: int, at: int) -> int:
    return pack((status, 8), (at, 40))


def as_int(data: bytes) -> int:
    return int.from_bytes(data, "big")


def show_all(leaves: tuple[Clause, ...]) -> clauses.Disclosure:
    return clauses.disclose_all(leaves)


def show(leaves: tuple[Clause, ...], *paths: str) -> clauses.Disclosure:
    return clauses.disclose(leaves, paths)


def members(**kinds: str) -> tuple[Clause, ...]:
    """Return terms leaves, one a kind."""
    named = {kind: [kinds[kind.name]] for kind in TermsKind if kind.name in kinds}
    count = iter(range(100))
    return terms_members(named, new_salt=lambda: salt(f"terms {next(count)}"))


def make_pin(chain_class: ChainClass = ChainClass.CONSORTIUM) -> ChainPin:
    return ChainPin(
        chain_id=ChainId(2**40 + 7),
        genesis=sha256(b"genesis"),
        chain_class=chain_class,
        contracts={
            name: ContractPin(
                address=Address(keccak256(name.encode())[:20]), code_hash=sha256(name.encode())
            )
            for name in ContractName
        },
    )


@dataclass
class Ancestor:
    """A license above the part's; change a field to break it.

    Args:
        number: Its number on chain.
        members: The leaves under its terms root.
        terms: What differs from the part's license.
        window: What its word says of time.
        shown: What is shown of its members, all by default.
    """

    number: int
    members: tuple[Clause, ...]
    terms: dict[str, Any] = field(default_factory=dict)
    window: dict[str, int] = field(default_factory=dict)
    shown: clauses.Disclosure | None = None


@dataclass
class Simulator:
    """One part's case; change a field, then take the evidence and the trust."""

    pin: ChainPin = field(default_factory=make_pin)
    signer: Signer = field(default_factory=lambda: Signer("machine"))
    key_owner: IdentityId = MACHINE
    master: tuple[Clause, ...] = MASTER
    own: tuple[Clause, ...] = OWN
    recipe: dict[str, Any] = field(default_factory=dict)
    site_recipe: dict[str, Any] = field(default_factory=dict)
    revision: dict[str, Any] = field(default_factory=dict)
    terms: dict[str, Any] = field(default_factory=dict)
    terms_members: tuple[Clause, ...] = ()
    above: list[Ancestor] = field(default_factory=list)
    """The licenses above the part's, the root last."""
    statement: dict[str, Any] = field(default_factory=dict)
    external: dict[str, Any] = field(default_factory=dict)
    run: dict[str, Any] = field(default_factory=dict)
    payload_type: str = PAYLOAD_TYPE
    payload: bytes | None = None
    shown: tuple[str, ...] | None = None
    is_disordered: bool = False
    envelope: bytes | None = None
    entry: dict[str, Any] = field(default_factory=dict)
    beacon: dict[str, Any] = field(default_factory=dict)
    record: dict[str, Any] = field(default_factory=dict)
    core: dict[str, Any] = field(default_factory=dict)
    disclosed: dict[str, Any] = field(default_factory=dict)
    words: dict[Location, int] = field(default_factory=dict)
    unproven: set[Location] = field(default_factory=set)
    claims: tuple[ClaimDisclosure, ...] = ()
    accreditations: tuple[AccreditationDisclosure, ...] = ()
    block: int = 77
    replacement: Evidence | None = None
    rivals: tuple[Evidence, ...] = ()

    def __post_init__(self) -> None:
        self.claims = (
            claim(MAKER, "LEI", "5299000J2N45DDNE4Y28"),
            claim(DESIGNER, "LEI", "529900T8BM49AURSDO55"),
        )
        self.terms_members = members(
            LABEL_NAMESPACE=f"https://{HOST}/id/",
            MACHINE=to_hex(MACHINE),
            RECIPE=to_hex(self.make_recipe().id()),
            REVISION=revision_member(DESIGN, 1),
            SITE=to_hex(SITE),
        )

    def sign_with(self, algorithm: Algorithm) -> None:
        """Give the machine another key, and register it."""
        self.signer = Signer("machine", algorithm)
        name = key_id(MACHINE, self.signer.public)
        self.words[storage.KEYS.at(name)] = key_word(REGISTERED, algorithm=algorithm)

    def make_revision(self) -> Revision:
        default = Revision(
            design=DESIGN,
            number=1,
            root=sha256(b"files"),
            ciphertext=sha256(b"ciphertext"),
            manifest=sha256(b"manifest"),
            at=PUBLISHED,
        )
        return replace(default, **self.revision)

    def make_recipe(self) -> Recipe:
        root = clauses.clause_root(self.master)
        return replace(Recipe(root=root, design=DESIGN, revision=1), **self.recipe)

    def make_site_recipe(self) -> SiteRecipe:
        default = SiteRecipe(
            master=self.make_recipe().id(),
            site=SITE,
            model=sha256(b"model"),
            root=clauses.clause_root(self.own),
        )
        return replace(default, **self.site_recipe)

    def make_terms(self) -> Terms:
        default = Terms(
            design=DESIGN,
            design_epoch=0,
            units=60,
            holder=MAKER,
            not_before=0,
            not_after=0,
            notice=0,
            terms_root=clauses.clause_root(self.terms_members),
            offer_until=9_999,
            nonce=Uint256(2**200),
            parent=self.license_id(self.terms_above(0)) if self.above else NO_LICENSE,
        )
        return replace(default, **self.terms)

    def terms_above(self, depth: int) -> Terms:
        """Return the terms of a license above, the nearest one at 0."""
        ancestor, is_root = self.above[depth], depth + 1 == len(self.above)
        terms = Terms(
            design=DESIGN,
            design_epoch=0,
            units=60,
            holder=MAKER,
            not_before=0,
            not_after=0,
            notice=0,
            terms_root=clauses.clause_root(ancestor.members),
            offer_until=9_999,
            nonce=Uint256(ancestor.number),
            parent=NO_LICENSE if is_root else self.license_id(self.terms_above(depth + 1)),
        )
        return replace(terms, **ancestor.terms)

    def license_under(self, *numbers: int) -> None:
        """Let the part's license be one under others, the nearest first, that name its kinds."""
        self.above = [Ancestor(number=number, members=self.terms_members) for number in numbers]

    def license_id(self, terms: Terms) -> LicenseId:
        contract = self.pin.contracts[ContractName.LICENSES].address
        return terms.license_id(licenses_domain(chain_id=self.pin.chain_id, contract=contract))

    def make_beacon(self) -> Record:
        default = Record(
            log=LogNumber(2),
            seq=Seq(9),
            first_index=Index(40),
            count=1,
            time=BEGUN,
            parent=Bytes32(sha256(b"parent of beacon")),
            root=sha256(b"root of beacon"),
        )
        return replace(default, **self.beacon)

    def make_statement(self) -> BuildStatement:
        beacon = self.make_beacon()
        external = ExternalParameters(
            license=self.license_id(self.make_terms()),
            recipe=self.make_recipe().id(),
            site_recipe=self.make_site_recipe().id(),
            design=DESIGN,
            revision=1,
            log=LOG,
            lane=LANE,
        )
        run = RunDetails(
            maker=MAKER, site=SITE, machine=MACHINE, counter=25, started_on=2_010, finished_on=2_050
        )
        default = BuildStatement(
            label=LABEL,
            salt=salt("subject"),
            signer_role=SignerRole.MACHINE,
            external=replace(external, **self.external),
            run=replace(run, **self.run),
            beacon=Beacon(log=beacon.log, seq=beacon.seq, record_digest=beacon.digest()),
            resolved=(Resource(name="design", digest=sha256(b"ciphertext")),),
            settings=(
                Setting(path=ClausePath("/process/infill"), value="40", unit="%"),
                Setting(path=ClausePath("/process/layer_height"), value="0.20", unit="mm"),
            ),
            measurements=(measured("bore", "10.01"), measured("height", "20.0")),
        )
        statement = replace(default, **self.statement)
        values = self._sealed(statement)
        return statement if values is None else statement.committing(values.roots)

    def _sealed(self, statement: BuildStatement) -> OpenedValues | None:
        """Return what opens the values of a statement, under salts by their numbers."""
        if self.shown is None:
            return None
        salts = (salt(f"value {number}") for number in itertools.count())
        _, values = seal(statement, lambda: next(salts), self.shown)
        return disordered(values) if self.is_disordered else values

    def make_envelope(self) -> bytes:
        if self.envelope is not None:
            return self.envelope
        payload = self.make_statement().encode() if self.payload is None else self.payload
        name = key_id(self.key_owner, self.signer.public)
        signers = {name: self.signer.sign}
        return Envelope.sign(payload, payload_type=self.payload_type, signers=signers).encode()

    def make_core(self) -> Core:
        statement, envelope = self.make_statement(), self.make_envelope()
        default_entry = Entry(
            kind=EntryKind.BUILD,
            subject=statement.subject,
            envelope=envelope_digest(envelope),
            site_recipe=statement.external.site_recipe,
            machine=statement.run.machine,
            maker=statement.run.maker,
            dependencies=statement.dependencies,
        )
        entry = replace(default_entry, **self.entry)
        leaves = [bytes(sha256(b"other %d" % at)) for at in range(7)]
        leaves[POSITION] = entry.leaf_data(salt("entry"))
        tree = MerkleTree(leaves)
        default_record = Record(
            log=LOG,
            seq=Seq(4),
            first_index=Index(100),
            count=7,
            time=LOGGED,
            parent=Bytes32(sha256(b"parent")),
            root=tree.root(),
            grants=(
                Grant(lane=LaneNumber(9), n=2, first_unit=UnitNumber(0)),
                Grant(lane=LANE, n=3, first_unit=UnitNumber(24)),
            ),
        )
        core = Core(
            envelope=envelope,
            entry=entry,
            salt=salt("entry"),
            record=replace(default_record, **self.record),
            position=POSITION,
            path=tree.inclusion_path(POSITION),
        )
        return replace(core, **self.core)

    def make_disclosures(self) -> Disclosures:
        license_ = LicenseDisclosure(
            number=NUMBER, terms=self.make_terms(), members=show_all(self.terms_members)
        )
        above = tuple(
            LicenseDisclosure(
                number=each.number,
                terms=self.terms_above(depth),
                members=each.shown or show_all(each.members),
            )
            for depth, each in enumerate(self.above)
        )
        default = Disclosures(
            key=self.signer.public,
            site_link=LinkDisclosure(child=MACHINE, parent=SITE, count=1),
            maker_link=LinkDisclosure(child=SITE, parent=MAKER, count=1),
            operator=OPERATOR,
            beacon=self.make_beacon(),
            licenses=(license_, *above),
            lanes=(LaneDisclosure(number=FIRST_LANE, holder=MAKER),),
            recipe=RecipeDisclosure(
                recipe=self.make_recipe(), steps=2, clauses=show_all(self.master)
            ),
            site_recipe=SiteRecipeDisclosure(
                recipe=self.make_site_recipe(), clauses=show_all(self.own)
            ),
            revision=self.make_revision(),
            owner=DESIGNER,
            claims=self.claims,
            profiles=(
                ProfileDisclosure(identity=MAKER, document=PROFILE),
                ProfileDisclosure(identity=SITE, document=PROFILE),
            ),
            accreditations=self.accreditations,
        )
        values = self._sealed(self.make_statement())
        if values is not None:
            settings, measurements = values.for_everybody()
            default = replace(default, settings=settings, measurements=measurements)
        return replace(default, **self.disclosed)

    def chain_words(self) -> Mapping[Location, int]:
        """Return what the chain holds, after the changes that a test asked for."""
        core, beacon = self.make_core(), self.make_beacon()
        words = {
            **self._of_parties(),
            **self._of_papers(),
            **self._of_ancestors(),
            storage.RECORDS.at(LOG, Seq(4)): as_int(core.record.digest()),
            storage.RECORDS.at(LogNumber(2), Seq(9)): as_int(beacon.digest()),
            storage.OPERATORS.at(LOG): as_int(OPERATOR),
            storage.LANES.at(LANE): lane_word(),
            storage.LANE_HOLDERS.at(LANE): as_int(SITE),
            storage.ORIGINS.at(LANE): origin_word(FIRST_LANE, GIVEN),
            storage.LANE_HOLDERS.at(FIRST_LANE): as_int(MAKER),
            storage.LANES.at(LaneNumber(9)): lane_word(),
            storage.LANE_HOLDERS.at(LaneNumber(9)): as_int(SITE),
        }
        return {**words, **self.words}

    def evidence(self) -> Evidence:
        """Seal everything and prove it at block b."""
        core, disclosed = self.make_core(), self.make_disclosures()
        header, accounts = self._prove(required_slots(core, disclosed))
        chain = ChainEvidence(pin=self.pin, header=header, accounts=accounts)
        return Evidence(
            core=core,
            disclosed=disclosed,
            chain=chain,
            replacement=self.replacement,
            rivals=self.rivals,
        )

    def trust(self) -> Trust:
        """Return the trust of a reader who knows this chain and its parties."""
        header = self._prove(dict.fromkeys(PROVEN_CONTRACTS, ()))[0]
        block = TrustedBlock(number=self.block, hash=keccak256(header), time=LOOKED)
        return Trust(
            version=1,
            chain=self.pin,
            operators=(Listed(id=OPERATOR),),
            issuers=(Listed(id=ISSUER),),
            blocks=(block,),
        )

    def _of_parties(self) -> dict[Location, int]:
        organization, machine = IdentityKind.ORGANIZATION, IdentityKind.MACHINE
        words = {
            storage.IDENTITIES.at(OPERATOR): identity_word(organization),
            storage.IDENTITIES.at(ISSUER): identity_word(organization),
            storage.IDENTITIES.at(MAKER): identity_word(organization),
            storage.IDENTITIES.at(DESIGNER): identity_word(organization, controller=OWNER),
            storage.IDENTITIES.at(SITE): identity_word(IdentityKind.SITE),
            storage.IDENTITIES.at(MACHINE): identity_word(machine),
            storage.IDENTITIES.at(GAUGE): identity_word(machine),
            storage.LINK_COUNTS.at(MACHINE, SITE): 1,
            storage.LINKS.at(MACHINE, SITE, 1): interval_word(REGISTERED),
            storage.LINK_COUNTS.at(SITE, MAKER): 1,
            storage.LINKS.at(SITE, MAKER, 1): interval_word(REGISTERED),
            storage.KEYS.at(key_id(MACHINE, Signer("machine").public)): key_word(REGISTERED),
            storage.PROFILES.at(MAKER): as_int(PROFILE_DIGEST),
            storage.PROFILES.at(SITE): as_int(PROFILE_DIGEST),
        }
        made = {storage.CLAIMS.at(each.id()): interval_word(REGISTERED) for each in self.claims}
        given = {
            storage.ACCREDITATIONS.at(each.id()): accreditation_word(REGISTERED)
            for each in self.accreditations
        }
        return words | made | given

    def _of_papers(self) -> dict[Location, int]:
        recipe, site_recipe = RecipeId(self.make_recipe().id()), self.make_site_recipe().id()
        revision = self.make_revision()
        return {
            storage.DESIGN_OWNERS.at(DESIGN, 0): owner_word(OWNER, REGISTERED),
            storage.REVISIONS.at(DESIGN, revision.number): as_int(revision.digest()),
            storage.LICENSES.at(NUMBER): license_word(
                parent=self.above[0].number if self.above else 0, depth=len(self.above)
            ),
            storage.LICENSE_IDS.at(NUMBER): as_int(self.license_id(self.make_terms())),
            storage.LICENSE_NUMBERS.at(self.license_id(self.make_terms())): granted_word(
                NUMBER, GRANTED
            ),
            storage.RECIPES.at(recipe): pack((PUBLISHED, 40), (2, 40)),
            storage.STEPS.at(recipe, 1): step_word(Status.TRIAL, PUBLISHED),
            storage.STEPS.at(recipe, 2): step_word(Status.QUALIFIED, PUBLISHED + 50),
            storage.SITE_RECIPES.at(SiteRecipeId(site_recipe)): PUBLISHED,
        }

    def _of_ancestors(self) -> dict[Location, int]:
        words: dict[Location, int] = {}
        for depth, each in enumerate(self.above):
            parents = [other.number for other in self.above[depth + 1 :]]
            words[storage.LICENSES.at(each.number)] = license_word(
                parent=parents[0] if parents else 0, depth=len(parents), **each.window
            )
            terms = self.license_id(self.terms_above(depth))
            words[storage.LICENSE_IDS.at(each.number)] = as_int(terms)
            words[storage.LICENSE_NUMBERS.at(terms)] = granted_word(each.number, GRANTED)
        return words

    def _prove(
        self, slots: Mapping[ContractName, tuple[bytes, ...]]
    ) -> tuple[bytes, Mapping[ContractName, AccountProof]]:
        words = self.chain_words()
        tries = {name: _storage_trie(words, name) for name in PROVEN_CONTRACTS}
        state = secure(
            {
                self.pin.contracts[name].address: rlp.encode(
                    [b"\1", b"", tries[name].root, self.pin.contracts[name].code_hash]
                )
                for name in PROVEN_CONTRACTS
            }
        )
        accounts = {
            name: self._account(name, tries[name], state, each, words)
            for name, each in slots.items()
        }
        return header_of(self.block, LOOKED, state.root), accounts

    def _account(
        self,
        name: ContractName,
        trie: Trie,
        state: Trie,
        slots: tuple[bytes, ...],
        words: Mapping[Location, int],
    ) -> AccountProof:
        address = self.pin.contracts[name].address
        return AccountProof(
            address=address,
            nonce=1,
            balance=0,
            storage_root=trie.root,
            code_hash=self.pin.contracts[name].code_hash,
            nodes=state.prove(keccak256(address)),
            slots=tuple(
                SlotProof(
                    slot=slot,
                    value=words.get(Location(name, slot), 0),
                    nodes=trie.prove(keccak256(slot)),
                )
                for slot in slots
                if Location(name, slot) not in self.unproven
            ),
        )


def claim(
    subject: IdentityId, scheme: str, value: str, issuer: IdentityId = ISSUER
) -> ClaimDisclosure:
    document = ClaimDocument(scheme=scheme, value=value, salt=salt(value))
    return ClaimDisclosure(issuer=issuer, subject=subject, claim=document)


def ask_for(simulator: "Simulator", **members: str) -> None:
    """Let recipe and site recipe ask for an accreditation; the license names that recipe."""
    asked = (
        text(f"/qa/accreditation/quality/{member}", ClauseClass.CORE, value)
        for member, value in sorted(members.items())
    )
    ask(simulator, *asked)


def ask(simulator: "Simulator", *asked: Clause) -> None:
    """Let recipe and site recipe have further clauses; the license names that recipe."""
    for name in ("master", "own"):
        leaves = (*getattr(simulator, name), *asked)
        setattr(simulator, name, tuple(sorted(leaves, key=lambda leaf: leaf.path)))
    simulator.terms_members = members_of_recipe(simulator)


def supersede(
    simulator: "Simulator", change: Change, former: tuple[Clause, ...] | None = None
) -> RecipeId:
    """Let the recipe supersede one, of equal clauses by default; return the id of that one."""
    before = simulator.master if former is None else former
    recipe = Recipe(root=clauses.clause_root(before), design=DESIGN, revision=1)
    simulator.recipe |= {"supersedes": recipe.id(), "change": change}
    simulator.terms_members = members_of_recipe(simulator)
    shown = FormerRecipeDisclosure(recipe=recipe, clauses=show_all(before))
    simulator.disclosed["former_recipe"] = shown
    return RecipeId(recipe.id())


def members_of_recipe(simulator: "Simulator") -> tuple[Clause, ...]:
    return members(RECIPE=to_hex(simulator.make_recipe().id()))


def accreditation(
    issuer: IdentityId, subject: IdentityId, scope: ScopeDocument
) -> AccreditationDisclosure:
    return AccreditationDisclosure(issuer=issuer, subject=subject, scope=scope)


def disordered(values: OpenedValues) -> OpenedValues:
    """Return values whose settings stand in the wrong order under their root."""
    assert values.settings is not None
    turned = [replace(one, leaf=n) for n, one in enumerate(reversed(values.settings.opened))]
    settings = SettingsDisclosure(leaves=leaves_of(turned), opened=tuple(turned))
    return replace(values, settings=settings)


def measured(
    name: str, value: str, instrument: str = to_hex(GAUGE), unit: str = "mm", **said: Any
) -> Measurement:
    path = ClausePath(f"/tolerance/{name}")
    return Measurement(characteristic=path, value=value, unit=unit, instrument=instrument, **said)


def _storage_trie(words: Mapping[Location, int], name: ContractName) -> Trie:
    return secure(
        {
            location.slot: rlp.encode(rlp.encode_integer(word))
            for location, word in words.items()
            if location.contract is name and word
        }
    )


_PROFILE = {"name": "Makers of Example", "country": "DE"}
PROFILE = canonical({**_PROFILE, "salt": to_hex(salt("profile"))})
PROFILE_DIGEST: Digest = profile_digest(_PROFILE, salt("profile"))
ROOT_LICENSE = NO_LICENSE
