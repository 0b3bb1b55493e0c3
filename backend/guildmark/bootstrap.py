"""The one module that knows ports and adapters: a home opened, a node put together."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from time import monotonic

from sqlalchemy import Engine

from guildmark.adapters.chain.auditing import Auditing
from guildmark.adapters.chain.gateway import Gateway
from guildmark.adapters.chain.opening import open_ledger, open_outbox
from guildmark.adapters.chain.rpc import Rpc
from guildmark.adapters.chain.vitals import ChainVitals
from guildmark.adapters.clock import SystemClock, SystemEntropy
from guildmark.adapters.content.store import LocalContent
from guildmark.adapters.content.stores import Stores, open_stores
from guildmark.adapters.content.uploads import LocalUploads
from guildmark.adapters.content.vault import LocalVault
from guildmark.adapters.courier import HttpCourier
from guildmark.adapters.home import TRUST_FILE
from guildmark.adapters.keys.keystore import FileKeyStore
from guildmark.adapters.lookalikes import UnicodeNames
from guildmark.adapters.peers.client import NodeClient
from guildmark.adapters.peers.witness import WitnessClient
from guildmark.adapters.store.belonging import belong, share_keys
from guildmark.adapters.store.claims import SqlClaims
from guildmark.adapters.store.engine import check_whole, open_database, open_unchanged
from guildmark.adapters.store.node import SqlNodeStore
from guildmark.adapters.store.outbox import OutboxTable
from guildmark.adapters.store.refusals import StoreDamagedError
from guildmark.adapters.store.requests import SqlRequests
from guildmark.adapters.store.scans import SqlScans
from guildmark.adapters.store.scratch import ScratchStore
from guildmark.adapters.store.sealing import KEY as HOME_KEY
from guildmark.adapters.store.sealing import HomeSealing, seal_old
from guildmark.domain import trust
from guildmark.domain.chain.finality import finality_of
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import LogNumber
from guildmark.domain.log.note import NoteKey
from guildmark.domain.trust import Trust
from guildmark.ports.chain import Ledger, Transactions, Vitals
from guildmark.ports.clock import Clock, Entropy
from guildmark.ports.content import ContentStore, ContentStores, Uploads, Vault
from guildmark.ports.keys import KeyName, KeyStore
from guildmark.ports.store import Claims, ErasableStore, Requests, Scans
from guildmark.services.builds.assignments import Assignments
from guildmark.services.builds.builds import Builds
from guildmark.services.builds.granting import Granting
from guildmark.services.builds.inspecting import Inspecting
from guildmark.services.builds.lots import Lots
from guildmark.services.builds.parts import Parts
from guildmark.services.equivalence.credentials import Credentials
from guildmark.services.equivalence.protocol import Equivalence, Evaluation
from guildmark.services.equivalence.reporting import Reporting
from guildmark.services.equivalence.results import Results
from guildmark.services.equivalence.sampling import Sampling
from guildmark.services.equivalence.watching import Watching
from guildmark.services.evidence.bundles import Bundles
from guildmark.services.evidence.evidence import Exporter
from guildmark.services.evidence.judging import own_trust
from guildmark.services.evidence.keeping import Keeping
from guildmark.services.identity.accounts import Account
from guildmark.services.identity.accreditations import Accreditations
from guildmark.services.identity.dids import Dids
from guildmark.services.identity.guardians import Guardians
from guildmark.services.identity.identities import Identities
from guildmark.services.identity.naming import Naming
from guildmark.services.identity.notices import Notices
from guildmark.services.index.checking import Checking
from guildmark.services.index.indexing import Indexing
from guildmark.services.log.anchoring import Anchoring
from guildmark.services.log.burning import Burning
from guildmark.services.log.erasing import Erasing
from guildmark.services.log.ingest import Ingest
from guildmark.services.log.line import Line
from guildmark.services.log.logs import Logs
from guildmark.services.log.publishing import NOTE_KEY, Publishing, make_note_key
from guildmark.services.log.sequencing import Gathering, Sequencing
from guildmark.services.neighbours.contents import MirroredContents
from guildmark.services.neighbours.cosigning import Chosen, Cosigning, Vouching
from guildmark.services.neighbours.mirroring import Mirrored, Mirroring
from guildmark.services.neighbours.witnessing import Witnessing
from guildmark.services.recalls.delivering import Delivering
from guildmark.services.recalls.holding import Holding
from guildmark.services.recalls.recalling import Recalling
from guildmark.services.recalls.telling import Telling
from guildmark.services.recalls.watches import Watches
from guildmark.services.recipes.approving import Approving
from guildmark.services.recipes.disclosing import Disclosing
from guildmark.services.recipes.recipes import Recipes
from guildmark.services.release.blocking import Blocking
from guildmark.services.release.deposits import Deposits
from guildmark.services.release.packages import Packages
from guildmark.services.release.receipts import Receipts
from guildmark.services.release.reconciling import Reconciling
from guildmark.services.release.releasing import Releasing
from guildmark.services.release.requesting import Requesting
from guildmark.services.rights.coins import Coins
from guildmark.services.rights.designs import Designs
from guildmark.services.rights.filelists import FileLists
from guildmark.services.rights.history import History
from guildmark.services.rights.licenses import Licenses
from guildmark.services.rights.offers import Offers
from guildmark.services.rights.pictures import Pictures
from guildmark.services.shops.inviting import Inviting
from guildmark.services.shops.joining import Joining
from guildmark.services.watch.alarms import Alarms
from guildmark.settings import NodeSettings, Settings
from guildmark_ipfs.uploads import Uploads as BlockUploads

ACCOUNT = KeyName("account")
"""The key of a home's own account."""

_SOON = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """One actor's home, opened: its ports, and the use cases over them in the name of a key.

    Args:
        close: Ends the connections to chain and database.
    """

    settings: Settings
    ledger: Ledger
    transactions: Transactions
    keys: KeyStore
    store: ErasableStore
    requests: Requests
    scans: Scans
    claims: Claims
    content: ContentStore
    stores: ContentStores
    uploads: Uploads
    vault: Vault
    clock: Clock
    entropy: Entropy
    gateway: Gateway
    vitals: Vitals
    close: Callable[[], None]

    @property
    def builds(self) -> Builds:
        """Return the use cases around what machines sign."""
        return Builds(keys=self.keys, entropy=self.entropy, shown=self.settings.shown)

    @property
    def granting(self) -> Granting:
        """Return the use cases around values that are not shown to everybody."""
        return Granting(
            ledger=self.ledger,
            keys=self.keys,
            vault=self.vault,
            store=self.store,
            clock=self.clock,
            policy=self.settings.grants,
        )

    @property
    def erasing(self) -> Erasing:
        """Return the use cases around content that has to go."""
        return Erasing(
            ledger=self.ledger,
            keys=self.keys,
            store=self.store,
            scans=self.scans,
            clock=self.clock,
        )

    @property
    def lots(self) -> Lots:
        """Return the use cases around the lots that parts are made from."""
        return Lots(store=self.store, entropy=self.entropy)

    @property
    def inspecting(self) -> Inspecting:
        """Return the use cases around inspecting others' parts."""
        return Inspecting(keys=self.keys, entropy=self.entropy, store=self.store)

    @property
    def disclosing(self) -> Disclosing:
        """Return the use cases around disclosures."""
        return Disclosing(store=self.store, naming=self.naming)

    @property
    def naming(self) -> Naming:
        """Return the use cases around names."""
        return Naming(names=UnicodeNames())

    @property
    def packages(self) -> Packages:
        """Return the use cases around license packages."""
        return Packages(ledger=self.ledger, keys=self.keys, vault=self.vault, store=self.store)

    @property
    def deposits(self) -> Deposits:
        """Return the use cases around the keys that nodes may release."""
        return Deposits(packages=self.packages, keys=self.keys)

    @property
    def requesting(self) -> Requesting:
        """Return the use cases around asking for keys."""
        return Requesting(
            ledger=self.ledger, keys=self.keys, entropy=self.entropy, packages=self.packages
        )

    @property
    def blocking(self) -> Blocking:
        """Return the use cases around what is held back."""
        return Blocking(store=self.store, clock=self.clock)

    @property
    def receipts(self) -> Receipts:
        """Return the use cases around receipts of released keys."""
        return Receipts(store=self.store)

    @property
    def reconciling(self) -> Reconciling:
        """Return the use cases around reconciliation."""
        return Reconciling(
            ledger=self.ledger,
            keys=self.keys,
            entropy=self.entropy,
            store=self.store,
            receipts=self.receipts,
        )

    @property
    def trust(self) -> Trust:
        """Return this home's own list; one who wrote none lists himself where he runs a node.

        Raises:
            TrustFileError: The trust file cannot be read as one.
        """
        path, node = self.settings.home / TRUST_FILE, self.settings.node
        if path.exists():
            return trust.parse(path.read_bytes())
        if node is not None:
            return own_trust(self.ledger, node.operator)
        return Trust(version=trust.VERSION, chain=self.ledger.pin())

    def dids(self, host: str) -> Dids:
        """Return the use cases around DID documents, as ``host`` serves them."""
        node = self.settings.node
        return Dids(
            host=host,
            chain_id=self.settings.chain.chain_id,
            trust=self.trust,
            operator=None if node is None else node.operator,
        )

    @property
    def history(self) -> History:
        """Return the use cases around what was."""
        return History(ledger=self.ledger)

    @property
    def indexing(self) -> Indexing:
        """Return the use cases around the index."""
        return Indexing(
            ledger=self.ledger,
            store=self.store,
            naming=self.naming,
            own_log=self.settings.own_log,
        )

    @property
    def keeping(self) -> Keeping:
        """Return the use cases around the stores that keep content."""
        return Keeping(stores=self.stores, clock=self.clock)

    @property
    def assignments(self) -> Assignments:
        """Return the use cases around what machines are told."""
        return Assignments(store=self.store)

    @property
    def publishing(self) -> Publishing:
        """Return the use cases around the trees of logs' records."""
        return Publishing(
            ledger=self.ledger,
            store=self.store,
            keys=self.keys,
            own_log=self.settings.own_log,
        )

    @property
    def burning(self) -> Burning:
        """Return the audit of draws."""
        return Burning(store=self.store)

    @property
    def witnessing(self) -> Witnessing:
        """Return the use cases of a witness."""
        return Witnessing(ledger=self.ledger, store=self.store, keys=self.keys, clock=self.clock)

    def account(self, key: KeyName) -> Account:
        """Return the account of a key."""
        return Account(transactions=self.transactions, key=key, address=self.keys.address(key))

    def identities(self, key: KeyName) -> Identities:
        """Return the use cases around identities."""
        return Identities(
            ledger=self.ledger,
            account=self.account(key),
            store=self.store,
            entropy=self.entropy,
        )

    def accreditations(self, key: KeyName) -> Accreditations:
        """Return the use cases around accreditations."""
        return Accreditations(account=self.account(key), store=self.store)

    def equivalence(self, key: KeyName) -> Equivalence:
        """Return the use cases around equivalence."""
        return Equivalence(
            account=self.account(key),
            store=self.store,
            entropy=self.entropy,
            vault=self.vault,
        )

    @property
    def evaluation(self) -> Evaluation:
        """Return the use cases around plans and data that others showed."""
        return Evaluation(store=self.store, keys=self.keys)

    def credentials(self, host: str) -> Credentials:
        """Return the use cases around credentials.

        Args:
            host: Who serves the DID documents.
        """
        return Credentials(store=self.store, keys=self.keys, host=host)

    @property
    def reporting(self) -> Reporting:
        """Return the use cases around reports of equivalence."""
        return Reporting(store=self.store)

    @property
    def results(self) -> Results:
        """Return the use cases around results that are published."""
        return Results(store=self.store)

    @property
    def sampling(self) -> Sampling:
        """Return the use cases around the units that plans draw."""
        return Sampling(store=self.store)

    @property
    def watching(self) -> Watching:
        """Return the use cases around certificates that are watched."""
        return Watching(store=self.store)

    def guardians(self, key: KeyName) -> Guardians:
        """Return the use cases around guardians."""
        return Guardians(account=self.account(key), entropy=self.entropy)

    def notices(self, key: KeyName) -> Notices:
        """Return the use cases around notices."""
        return Notices(account=self.account(key), entropy=self.entropy)

    def recalling(self, key: KeyName) -> Recalling:
        """Return the use cases around recalls."""
        return Recalling(account=self.account(key), store=self.store)

    @property
    def watches(self) -> Watches:
        """Return the use cases around who is told of recalls."""
        courier = HttpCourier()
        return Watches(ledger=self.ledger, store=self.store, entropy=self.entropy, courier=courier)

    def designs(self, key: KeyName) -> Designs:
        """Return the use cases around designs."""
        return Designs(
            ledger=self.ledger,
            account=self.account(key),
            vault=self.vault,
            store=self.store,
            entropy=self.entropy,
        )

    @property
    def pictures(self) -> Pictures:
        """Return the use cases around pictures of designs."""
        return Pictures(keys=self.keys, clock=self.clock, store=self.store)

    @property
    def filelists(self) -> FileLists:
        """Return the use cases around single files of designs."""
        return FileLists(ledger=self.ledger, store=self.store)

    def recipes(self, key: KeyName) -> Recipes:
        """Return the use cases around recipes."""
        return Recipes(
            ledger=self.ledger,
            account=self.account(key),
            store=self.store,
            entropy=self.entropy,
        )

    @property
    def approving(self) -> Approving:
        """Return the use cases around approvals of recipes."""
        return Approving(store=self.store, keys=self.keys, trust=self.trust)

    def licenses(self, key: KeyName) -> Licenses:
        """Return the use cases around licenses."""
        return Licenses(ledger=self.ledger, account=self.account(key), keys=self.keys)

    def coins(self, key: KeyName) -> Coins:
        """Return the use cases around coins."""
        return Coins(ledger=self.ledger, account=self.account(key))

    def offers(self, key: KeyName) -> Offers:
        """Return the use cases around offers."""
        return Offers(licenses=self.licenses(key), store=self.store, entropy=self.entropy)

    def logs(self, key: KeyName) -> Logs:
        """Return the use cases around logs."""
        return Logs(ledger=self.ledger, account=self.account(key))

    def inviting(self, key: KeyName) -> Inviting:
        """Return the use cases around shops that join.

        Raises:
            SettingMissingError: This home is no operator's.
        """
        # Who joins asks again: no request waits for blocks.
        account = replace(self.account(key), timeout=_SOON)
        return Inviting(
            ledger=self.ledger,
            account=account,
            licenses=replace(self.licenses(key), account=account),
            store=self.store,
            entropy=self.entropy,
            clock=self.clock,
            log=self.settings.own_node().log,
        )

    def joining(self, key: KeyName, seed: bytes) -> Joining:
        """Return the use cases of a shop that joins."""
        return Joining(ledger=self.ledger, account=self.account(key), store=self.store, seed=seed)

    def parts(self, key: KeyName) -> Parts:
        """Return the use cases around parts that move."""
        return Parts(ledger=self.ledger, keys=self.keys, account=self.account(key))


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """An operator's node: its home, its own settings, and what it does for others."""

    home: Home
    settings: NodeSettings
    ingest: Ingest
    releasing: Releasing
    exporter: Exporter
    bundles: Bundles
    publishing: Publishing
    cosigning: Cosigning
    mirroring: Mirroring
    inviting: Callable[[], Inviting]
    alarms: Alarms
    checking: Checking
    telling: Telling
    delivering: Delivering
    line: Line


def open_home(settings: Settings, *, password: Callable[[], str], pin: Path | None = None) -> Home:
    """Open a home: chain and contracts are checked before anything is read, signed or sent.

    Args:
        settings: The home's settings.
        password: Asked when the first key is opened or made.
        pin: The file with the PIN of tokens and TPMs whose URIs name none.

    Raises:
        SettingsError: Settings, keys or database cannot be used.
        LedgerUnavailableError: The chain cannot be reached.
        GuildmarkError: The chain is not the one that the settings name.
    """
    chain, clock, entropy = settings.chain, SystemClock(), SystemEntropy()
    ledger = open_ledger(
        chain.url,
        chain_id=chain.chain_id,
        genesis=chain.genesis,
        chain_class=chain.chain_class,
        directory=chain.directory,
        finality=chain.finality,
    )
    engine = open_database(settings.database)
    if settings.shared is not None:
        belong(engine, ledger.pin(), settings.own_log)
    keys = FileKeyStore(settings.keys, password=password, pin=pin)
    stores = open_stores(
        settings.content,
        settings.stores.stores,
        copies=settings.stores.copies,
        entropy=entropy,
    )
    content = LocalContent(stores.blocks)
    sealing = HomeSealing(keys=keys)
    seal_old(engine, sealing)
    return Home(
        settings=settings,
        ledger=ledger,
        transactions=open_outbox(engine, ledger=ledger, keys=keys, clock=clock),
        keys=keys,
        store=SqlNodeStore(engine, sealing),
        requests=SqlRequests(engine=engine, clock=clock),
        scans=SqlScans(engine=engine),
        claims=SqlClaims(engine=engine),
        content=content,
        stores=stores,
        uploads=LocalUploads(
            BlockUploads(folder=settings.content / "uploads", blocks=stores.blocks)
        ),
        vault=LocalVault(files=content.files, entropy=entropy),
        clock=clock,
        entropy=entropy,
        gateway=Gateway(ledger.rpc),
        vitals=ChainVitals(rpc=ledger.rpc, table=OutboxTable(engine), chain_id=chain.chain_id),
        close=partial(_close, ledger.rpc, engine, stores),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fsck:
    """The whole comparison of a home with itself and its chain; it changes nothing.

    Args:
        close: Ends the connections to chain and database.
    """

    engine: Engine
    stores: Stores
    checking: Checking
    auditing: Auditing
    close: Callable[[], None]

    def differences(self) -> Iterator[GuildmarkError]:
        """Yield what differs: database, content, index and log, outbox.

        Raises:
            LedgerUnavailableError: The chain cannot be reached.
        """
        try:
            check_whole(self.engine)
        except StoreDamagedError as error:
            yield error
            return
        yield from self.stores.differences()
        yield from self.checking.differences()
        yield from self.auditing.differences()


def open_fsck(settings: Settings, *, open_seconds: int) -> Fsck:
    """Open what compares a home; it may run, and no key is needed.

    Args:
        settings: The home's settings.
        open_seconds: For how long a transaction may be without a verdict.

    Raises:
        SettingsError: Settings or database cannot be used.
        LedgerUnavailableError: The chain cannot be reached.
        GuildmarkError: The chain is not the one that the settings name.
    """
    chain = settings.chain
    ledger = open_ledger(
        chain.url,
        chain_id=chain.chain_id,
        genesis=chain.genesis,
        chain_class=chain.chain_class,
        directory=chain.directory,
        finality=chain.finality,
    )
    engine = open_unchanged(settings.database)
    stores = open_stores(settings.content, (), copies=None, entropy=SystemEntropy())
    return Fsck(
        engine=engine,
        stores=stores,
        checking=Checking(
            ledger=ledger,
            store=SqlNodeStore(engine),
            scratch=ScratchStore,
            naming=Naming(names=UnicodeNames()),
            own_log=settings.own_log,
        ),
        auditing=Auditing(
            table=OutboxTable(engine),
            rpc=ledger.rpc,
            chain_id=chain.chain_id,
            clock=SystemClock(),
            open_seconds=open_seconds,
        ),
        close=partial(_close, ledger.rpc, engine, stores),
    )


def _close(rpc: Rpc, engine: Engine, stores: Stores) -> None:
    rpc.close()
    engine.dispose()
    stores.close()


def open_node(home: Home) -> Node:
    """Put an operator's node together over its home.

    Raises:
        SettingMissingError: The home is no operator's.
    """
    own = home.settings.own_node()
    # A home of an earlier version has none yet.
    make_note_key(home.keys)
    _share(home)
    publishing, witnesses = home.publishing, _chosen(own)
    gathering = Gathering(
        seconds=own.latency_seconds, entries=own.batch_entries, monotonic=monotonic
    )
    sequencing = Sequencing(store=home.store, log=own.log, gathering=gathering)
    anchoring = Anchoring(
        store=home.store,
        transactions=home.transactions,
        sequencing=sequencing,
        writer=own.writer,
    )
    vouching = Vouching(ledger=home.ledger, clock=home.clock, witnesses=witnesses)
    exporter = Exporter(ledger=home.ledger, store=home.store, notes=vouching)
    bundles = Bundles(
        exporter=exporter,
        store=home.store,
        own_log=own.log,
        peers=tuple(NodeClient(url) for url in own.peers),
    )
    return Node(
        home=home,
        settings=own,
        ingest=Ingest(store=home.store, entropy=home.entropy, log=own.log, trust=home.trust),
        releasing=Releasing(
            ledger=home.ledger,
            keys=home.keys,
            vault=home.vault,
            entropy=home.entropy,
            deposits=home.deposits,
            recalls=Holding(
                blocking=home.blocking,
                ledger=home.ledger,
                store=home.store,
                clock=home.clock,
                trust=home.trust,
            ),
            trust=home.trust,
            operator=own.operator,
            log=own.log,
            writer=own.writer,
        ),
        exporter=exporter,
        bundles=bundles,
        mirroring=Mirroring(
            bundles=bundles,
            publishing=publishing,
            store=home.store,
            contents=MirroredContents(
                store=home.store, content=home.content, disclosing=home.disclosing
            ),
            mirrored=_mirrored(own),
        ),
        publishing=publishing,
        cosigning=Cosigning(publishing=publishing, witnesses=witnesses, log=own.log),
        # When it is asked for: its key may be one that only some nodes have.
        inviting=partial(home.inviting, ACCOUNT),
        alarms=Alarms(
            ledger=home.ledger,
            store=home.store,
            vitals=home.vitals,
            clock=home.clock,
            writer=home.keys.address(own.writer),
            seconds=finality_of(
                home.settings.chain.chain_id, home.settings.chain.chain_class
            ).seconds,
            trust=home.trust,
            listed=lambda: home.trust,
        ),
        checking=Checking(
            ledger=home.ledger,
            store=home.store,
            scratch=ScratchStore,
            naming=home.naming,
            own_log=own.log,
        ),
        telling=Telling(ledger=home.ledger, store=home.store),
        delivering=Delivering(
            store=home.store, clock=home.clock, courier=HttpCourier(), days=own.letter_days
        ),
        line=Line(
            publishing=publishing,
            transactions=home.transactions,
            indexing=home.indexing,
            anchoring=anchoring,
        ),
    )


def shared_keys(keys: KeyStore) -> Mapping[str, str]:
    """Return the public halves of the keys that every host of a home must have, as far as here."""
    names = [name for name in (NOTE_KEY, HOME_KEY) if name in keys.names()]
    return {name: keys.public_key(name).value.hex() for name in names}


def _share(home: Home) -> None:
    """Let a home's hosts begin with the same keys, where several share its database.

    Raises:
        StoreKeysError: Another host began with others.
    """
    if home.settings.shared is None:
        return
    HomeSealing(keys=home.keys).make()
    engine = open_database(home.settings.shared)
    try:
        share_keys(engine, shared_keys(home.keys))
    finally:
        engine.dispose()


def _mirrored(own: NodeSettings) -> Sequence[Mirrored]:
    """Return the logs that a node mirrors.

    Raises:
        NoteMalformedError: The settings name a key that is none.
    """
    named = (entry.split(" ") for entry in own.mirrors)
    return [
        Mirrored(
            log=LogNumber(int(log)),
            key=NoteKey.parse(key),
            peer=NodeClient(url),
            room=int(content[0]) << 20 if content else 0,
        )
        for log, key, url, *content in named
    ]


def _chosen(own: NodeSettings) -> Sequence[Chosen]:
    """Return the witnesses that a node asks.

    Raises:
        NoteMalformedError: The settings name a key that is none.
    """
    named = (entry.split(" ", 1) for entry in own.witnesses)
    return [Chosen(key=NoteKey.parse(key), peer=WitnessClient(url)) for key, url in named]
