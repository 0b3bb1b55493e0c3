"""A world in which a node may release the keys of the design's files; what is sealed is sealed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from fakes.content import CountingEntropy, MemoryVault
from fakes.keys import MemoryKeyStore
from fakes.world import (
    DESIGNER,
    MACHINE,
    MAKER,
    OPERATOR,
    SITE,
    UNITS,
    WRITER,
    Tools,
    World,
    make_world,
)
from guildmark.adapters.content.vault import LocalVault
from guildmark.domain.builds.statement import PAYLOAD_TYPE
from guildmark.domain.chain.facts import LaneFact
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import ZERO_ADDRESS, Bytes32, IdentityId, Uint256
from guildmark.domain.rights.release import ContentKeys, Released, ReleasePlace, ReleaseRequest
from guildmark.domain.rights.terms import TermsKind
from guildmark.domain.trust import VERSION, Listed, Trust
from guildmark.ports.keys import KeyAlgorithm, KeyName
from guildmark.services.index.projection import known
from guildmark.services.recalls.holding import Holding
from guildmark.services.release.blocking import Blocking
from guildmark.services.release.deposits import Deposits
from guildmark.services.release.packages import Package
from guildmark.services.release.receipts import Receipts
from guildmark.services.release.releasing import Releasing, sign_as_account
from guildmark.services.release.requesting import Asker, Requesting
from guildmark.services.rights.offers import Draft, Offers, Price

OPENER, DEPOSITED = KeyName("packages"), KeyName("deposits")
URL = "http://designer.example"


class SealingVault(MemoryVault):
    """A vault in memory whose seals are real."""

    def seal(self, document: bytes, recipient: bytes, *, info: bytes) -> bytes:
        sealing = LocalVault(files=cast("Any", None), entropy=CountingEntropy())
        return sealing.seal(document, recipient, info=info)


class OpeningKeys(MemoryKeyStore):
    """Keys in memory that open real seals."""

    def unseal(self, name: KeyName, sealed: bytes, *, info: bytes) -> bytes:
        return self._key(name).unseal(sealed, info=info)


@dataclass
class TickingClock:
    """A clock that stands still unless it is set."""

    time: int = 1_800_000_000

    def now(self) -> int:
        return self.time


@dataclass(frozen=True, kw_only=True)
class Releases:
    """The world, its node's side and the site's side of a release."""

    world: World
    package: Package
    clock: TickingClock
    authorities: tuple[Listed, ...] = ()

    @property
    def deposits(self) -> Deposits:
        tools = self.world.tools
        return Deposits(packages=tools.packages, keys=tools.keys)

    @property
    def blocking(self) -> Blocking:
        return Blocking(store=self.world.tools.store, clock=self.clock)

    @property
    def receipts(self) -> Receipts:
        return Receipts(store=self.world.tools.store)

    @property
    def trust(self) -> Trust:
        pin = self.world.tools.chain.pin()
        return Trust(version=VERSION, chain=pin, authorities=self.authorities)

    @property
    def node(self) -> Releasing:
        tools = self.world.tools
        return Releasing(
            ledger=tools.chain,
            keys=tools.keys,
            vault=tools.vault,
            entropy=tools.entropy,
            deposits=self.deposits,
            recalls=Holding(
                blocking=self.blocking,
                ledger=tools.chain,
                store=tools.store,
                clock=self.clock,
                trust=self.trust,
            ),
            trust=self.trust,
            operator=self.world.operator,
            log=self.world.log,
            writer=KeyName(WRITER),
        )

    @property
    def requesting(self) -> Requesting:
        tools = self.world.tools
        return Requesting(
            ledger=tools.chain,
            keys=tools.keys,
            entropy=tools.entropy,
            packages=tools.packages,
        )

    @property
    def place(self) -> ReleasePlace:
        return ReleasePlace(operator=self.world.operator, url=URL)

    @property
    def machine(self) -> Asker:
        """The site's machine, which asks with its own key."""
        return replace(self.site, machine=self.world.machine, key=KeyName(MACHINE))

    @property
    def site(self) -> Asker:
        """The site, which asks in the name of who speaks for it."""
        return Asker(site=self.world.site, lane=self.world.lane, key=KeyName(SITE), opener=OPENER)

    @property
    def keys(self) -> ContentKeys:
        """The keys that the designer made."""
        files = self.world.tools.designs(DESIGNER).files(self.world.revision.design)
        return ContentKeys(keys=files.keys)

    def request(self, asker: Asker, **changes: Any) -> ReleaseRequest:
        made = self.requesting.request(self.package, asker, releaser=self.world.operator)
        return replace(made, **changes)

    def envelope(self, asker: Asker, **changes: Any) -> bytes:
        return self.requesting.sign(self.request(asker, **changes), asker)

    def release(self, asker: Asker, **changes: Any) -> Released:
        return self.node.release(self.envelope(asker, **changes)).released

    def anchor(self) -> None:
        """Let the node's line put what waits on record and read it back."""
        line = self.world.tools.line(self.world.log)
        for _ in range(3):
            line.step()

    def follow(self) -> None:
        self.world.tools.indexing(self.world.log).follow()

    def unsealed_receipt(self, payload: bytes) -> bytes:
        """Return a receipt's envelope, signed by the log's writer."""
        return sign_as_account(
            payload,
            payload_type=PAYLOAD_TYPE,
            keys=self.world.tools.keys,
            key=KeyName(WRITER),
        )


def releasing_tools() -> Tools:
    names = (DESIGNER, MAKER, SITE, OPERATOR, WRITER, MACHINE, "issuer")
    keys = OpeningKeys(*names)
    for name in (OPENER, DEPOSITED):
        keys.create(name, KeyAlgorithm.X25519)
    return Tools(keys=keys, vault=SealingVault())


def make_releases(world: World | None = None, *, issuers: tuple[IdentityId, ...] = ()) -> Releases:
    """Deposit the keys of a world's design at its node."""
    world = world or make_world(releasing_tools())
    world.disclose()
    tools = world.tools
    for name in {OPENER, DEPOSITED} - set(tools.keys.names()):
        tools.keys.create(name, KeyAlgorithm.X25519)
    package = tools.packages.gather(world.license, world.recipe.id())
    releases = Releases(world=world, package=package, clock=TickingClock())
    deposit(releases, issuers=issuers)
    return releases


def deposit(releases: Releases, *, issuers: tuple[IdentityId, ...] = ()) -> Package:
    """Make a deposit as the designer and keep it at the node."""
    world, tools = releases.world, releases.world.tools
    sealed = releases.deposits.make(
        world.license,
        world.recipe.id(),
        releaser=world.operator,
        recipient=tools.keys.public_key(DEPOSITED).value,
        issuers=issuers,
    )
    return releases.deposits.keep(sealed, releaser=world.operator, key=DEPOSITED)


def licensed_again(
    world: World, members: Mapping[TermsKind, Sequence[str]], *, under: bool = False
) -> World:
    """Return the world under a further license, with a lane of the site's for the log.

    Args:
        world: The world.
        members: What the license's terms name.
        under: Whether it stands under the world's license, on a lane of the maker's.
    """
    tools, lane = world.tools, None
    if under:
        # The last license began with a lane of its holder's, of which one unit is left.
        lane = _lane(world, max(tools.chain.first_lanes.values()))
    draft = Draft(
        design=world.revision.design,
        units=UNITS if lane is None else 1,
        holder=world.maker,
        members=members,
        not_before=0,
        not_after=0,
        notice=10,
        offer_until=tools.chain.now + 10_000,
        price=Price(currency=ZERO_ADDRESS, royalty=Uint256(0), fee=Uint256(0)),
    )
    name = KeyName(DESIGNER if lane is None else MAKER)
    licenses = tools.licenses(name)
    offers = Offers(licenses=licenses, store=tools.store, entropy=tools.entropy)
    offer = offers.make(draft, licensor=name, lane=lane)
    first = _lane(world, offers.grant(offer).lane)
    cut = UNITS - 1 if lane is None else 1
    made = tools.licenses(MAKER).split(first, cut, log=world.log, to=world.site)
    tools.indexing(world.log).follow()
    return replace(world, license=offer.id, terms=offer.terms, members=offer.members, lane=made)


def _lane(world: World, number: int) -> LaneFact:
    world.tools.indexing(world.log).follow()
    with world.tools.store.reading() as view:
        return known(view.facts, LaneFact, number)


SOME = Bytes32(sha256(b"something else"))
