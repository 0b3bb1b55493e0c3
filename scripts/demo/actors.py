"""The actors' homes: settings, keys, an account with coin, and who they are on the chain."""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from demo import cast
from demo.cast import SiteExample
from demo.stage import Stage
from guildmark.adapters.chain import proxy
from guildmark.adapters.chain.deploy import Deployer
from guildmark.adapters.chain.rpc import Rpc
from guildmark.adapters.keys.keystore import FileKeyStore, password_from
from guildmark.bootstrap import Home, open_home
from guildmark.domain.chain.contracts import ChainClass, ContractName
from guildmark.domain.encoding.strictjson import JsonObject
from guildmark.domain.identifiers import Bytes32, IdentityId, LogNumber, to_hex
from guildmark.domain.identity.accreditation import ScopeDocument
from guildmark.domain.identity.identity import ClaimDocument, IdentityKind
from guildmark.domain.verification.evidence import AccreditationDisclosure
from guildmark.ports.keys import KeyAlgorithm, KeyName
from guildmark.ports.store import DocumentKind
from guildmark.services.builds.builds import signing_key
from guildmark.services.recipes.disclosing import claim_body
from guildmark.settings import ChainSettings, Settings, save

ACCOUNT = KeyName("account")
WRITER = KeyName("writer")
CERTIFIER = KeyName("certifier")
SITE = KeyName("site")
MACHINE = KeyName("machine")
SEALED = KeyName("packages")

Disclosed: TypeAlias = tuple[DocumentKind, bytes, bytes]
"""A document for a node: what it is, the id of what it opens, its bytes."""

_PAYING = {ACCOUNT, WRITER, SITE, CERTIFIER}
_COINS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """An actor with a home, and his identity on the chain."""

    home: Home
    id: IdentityId
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Who runs a log."""

    party: Party
    log: LogNumber
    label_host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """An organization with one site, one machine and one instrument.

    Args:
        party: The organization; its home speaks for the site, too.
        machine_home: The machine's own home: its key is nowhere else.
    """

    party: Party
    site: IdentityId
    machine: IdentityId
    instrument: IdentityId
    machine_home: Home
    example: SiteExample

    @property
    def place(self) -> str:
        """Return where it is, for the story."""
        return f"{self.example.site['place']}, {self.example.site['country']}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Casting:
    """Gives each actor a home on the chain."""

    stage: Stage
    chain: ChainSettings

    def home(self, name: str, keys: Mapping[KeyName, KeyAlgorithm]) -> Home:
        """Return a new home with its keys; those that are accounts get coin."""
        settings = Settings(home=self.stage.home(name), chain=self.chain)
        save(settings)
        home = open_home(settings, password=_password(settings.keys))
        for key, algorithm in keys.items():
            home.keys.create(key, algorithm)
            if key in _PAYING:
                fund(home, key)
        return home


def fund(home: Home, key: KeyName) -> None:
    """Give an account of a home coin of the local chain."""
    with Rpc(url=home.settings.chain.url) as rpc:
        rpc.call(proxy.FUND, to_hex(home.keys.address(key)), _COINS)


def deploy(stage: Stage, url: str) -> ChainSettings:
    """Deploy the contracts and return where they are."""
    home = stage.home("chain")
    keys = FileKeyStore(home / "keys", password=_password(home / "keys"))
    keys.create(ACCOUNT, KeyAlgorithm.SECP256K1)
    with Rpc(url=url) as rpc:
        rpc.call(proxy.FUND, to_hex(keys.address(ACCOUNT)), _COINS)
        pin = Deployer(
            rpc=rpc,
            keys=keys,
            key=ACCOUNT,
            folder=home / "chain",
            chain_class=ChainClass.LOCAL,
            pause=lambda: time.sleep(0.02),
        ).deploy()
    return ChainSettings(
        url=url,
        chain_id=pin.chain_id,
        genesis=pin.genesis,
        chain_class=pin.chain_class,
        directory=pin.contracts[ContractName.DIRECTORY].address,
    )


def authority(casting: Casting) -> Party:
    """Register who names makers and designers."""
    keys = {
        ACCOUNT: KeyAlgorithm.SECP256K1,
        CERTIFIER: KeyAlgorithm.SECP256K1,
        SEALED: KeyAlgorithm.X25519,
    }
    home = casting.home("authority", keys)
    profile = {"name": cast.AUTHORITY, "note": "invented for this demo"}
    return _registered(home, IdentityKind.AUTHORITY, profile)


def designer(casting: Casting) -> Party:
    """Register who owns the design."""
    home = casting.home("designer", {ACCOUNT: KeyAlgorithm.SECP256K1})
    return _registered(home, IdentityKind.ORGANIZATION, cast.DESIGNER)


def operator(casting: Casting, number: int) -> Operator:
    """Register an operator and open its log."""
    keys = {
        ACCOUNT: KeyAlgorithm.SECP256K1,
        WRITER: KeyAlgorithm.SECP256K1,
        SEALED: KeyAlgorithm.X25519,
    }
    home = casting.home(f"operator-{number + 1}", keys)
    party = _registered(home, IdentityKind.ORGANIZATION, cast.OPERATORS[number])
    log = home.logs(ACCOUNT).open(party.id, home.keys.address(WRITER))
    return Operator(party=party, log=log, label_host=cast.LABEL_HOSTS[number])


def maker(casting: Casting, example: SiteExample, algorithm: KeyAlgorithm) -> Maker:
    """Register an organization, its site, machine and instrument, each with its links."""
    keys = {
        ACCOUNT: KeyAlgorithm.SECP256K1,
        SITE: KeyAlgorithm.SECP256K1,
        SEALED: KeyAlgorithm.X25519,
    }
    home = casting.home(f"maker-{example.letter}", keys)
    machine_home = casting.home(f"machine-{example.letter}", {MACHINE: algorithm})
    party = _registered(home, IdentityKind.ORGANIZATION, example.organization)
    own = home.identities(SITE)
    site = own.register(IdentityKind.SITE, example.site)
    machine = own.register(IdentityKind.MACHINE, example.machine)
    station: JsonObject = {
        "name": "Caliper and scale",
        "site": example.site["name"],
        "simulated": True,
    }
    instrument = own.register(IdentityKind.MACHINE, station)
    own.request_link(site, party.id)
    home.identities(ACCOUNT).accept_link(site, party.id)
    for child in (machine, instrument):
        own.request_link(child, site)
        own.accept_link(child, site)
    own.add_key(machine, signing_key(machine_home.keys, MACHINE))
    return Maker(
        party=party,
        site=site,
        machine=machine,
        instrument=instrument,
        machine_home=machine_home,
        example=example,
    )


def claim(issuer: Party, subject: Party, number: int) -> tuple[bytes, bytes]:
    """Name a subject with an identifier; return the claim's id and the document that opens it."""
    salt = Bytes32(issuer.home.entropy.token(32))
    document = ClaimDocument(scheme="LEI", value=cast.example_lei(number), salt=salt)
    made = issuer.home.identities(ACCOUNT).claim(issuer.id, subject.id, document)
    return made, claim_body(issuer.id, subject.id, document)


def certifier(issuer: Party) -> IdentityId:
    """Register who certifies makers, with an account of its own in the authority's home."""
    profile = {"name": cast.CERTIFIER, "note": "invented for this demo"}
    return issuer.home.identities(CERTIFIER).register(IdentityKind.ORGANIZATION, profile)


def accredit(
    home: Home,
    key: KeyName,
    ends: tuple[IdentityId, IdentityId],
    *,
    delegations: int = 0,
    standard: str = cast.STANDARD,
) -> Disclosed:
    """Let an issuer accredit a subject; return the document that opens it."""
    salt = Bytes32(home.entropy.token(32))
    scope = ScopeDocument(standard=standard, delegations=delegations, salt=salt)
    given = home.accreditations(key).give(*ends, scope)
    issuer, subject = ends
    opened = AccreditationDisclosure(issuer=issuer, subject=subject, scope=scope)
    return DocumentKind.ACCREDITATION, given, opened.encode()


def profiles(party: Party, identities: Sequence[IdentityId]) -> Sequence[Disclosed]:
    """Return the documents behind the profiles of a party's identities."""
    with party.home.store.reading() as view:
        found = [(one, view.documents.get(DocumentKind.PROFILE, one)) for one in identities]
    return [(DocumentKind.PROFILE, one, body) for one, body in found if body is not None]


def _registered(home: Home, kind: IdentityKind, profile: Mapping[str, str]) -> Party:
    identity = home.identities(ACCOUNT).register(kind, profile)
    return Party(home=home, id=identity, name=profile["name"])


def _password(folder: Path) -> Callable[[], str]:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / "password"
    path.touch(mode=0o600)
    path.write_text(secrets.token_urlsafe(24))
    return password_from(folder, {})
