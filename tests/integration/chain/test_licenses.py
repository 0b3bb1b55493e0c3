"""Licenses below licenses on a real chain: coins move, and the index says what the chain says."""

import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from eth_account import Account as Wallet
from web3 import Web3

import chains
from compiler import REMAPPING
from environments import ROOT
from fakes.content import CountingEntropy, MemoryVault
from fakes.store import MemoryNodeStore
from fakes.world import RECIPE
from guildmark.adapters.chain import toolchain
from guildmark.adapters.chain.ledger import RpcLedger
from guildmark.adapters.chain.outbox import Outbox
from guildmark.adapters.lookalikes import UnicodeNames
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.facts import (
    CertificateFact,
    DesignFact,
    IdentityFact,
    KeyFact,
    LaneFact,
    LicenseFact,
    PartFact,
    PlanEntryFact,
    PlanFact,
    RecallAskFact,
    RecallFact,
    RecipeFact,
    RecordFact,
    RevisionFact,
)
from guildmark.domain.chain.refusals import (
    CallerRefusedError,
    CallRefusedError,
    CertificateUnknownError,
    ControllerNotProposedError,
    CreditMissingError,
    FateSetError,
    LicenseEndingError,
    PartInvalidError,
    PaymentRefusedError,
    RecallClosedError,
    RecipeStepError,
    RecipeSupersededError,
    SignatureRefusedError,
)
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.equivalence.blinded import SiteData
from guildmark.domain.equivalence.plan import CharacteristicPlan, EquivalencePlan, engine_digest
from guildmark.domain.equivalence.registration import Lapse, Outcome
from guildmark.domain.identifiers import (
    UINT64_MAX,
    ZERO_ADDRESS,
    Address,
    Bytes32,
    DesignId,
    Digest,
    EquivalencePlanId,
    IdentityId,
    Index,
    LaneNumber,
    LogNumber,
    SiteRecipeId,
    Uint256,
    address_from_hex,
    to_hex,
)
from guildmark.domain.identity.did import checksummed
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.log.entry import Entry, EntryKind
from guildmark.domain.log.merkle import MerkleTree
from guildmark.domain.measurement.readings import Reading
from guildmark.domain.recall import RecallCause, Severity, Thing
from guildmark.domain.recipes.clause import ClausePath
from guildmark.domain.recipes.recipe import Change, Recipe, Status
from guildmark.domain.rights.terms import TermsKind
from guildmark.domain.signatures import Algorithm, PublicKey
from guildmark.domain.verification.evidence import Core
from guildmark.ports.chain import Call
from guildmark.ports.keys import KeyName
from guildmark.services.builds.parts import Parts
from guildmark.services.equivalence.protocol import Equivalence
from guildmark.services.identity.accounts import Account
from guildmark.services.identity.identities import Identities
from guildmark.services.identity.naming import Naming, name_of
from guildmark.services.index.indexing import Indexing
from guildmark.services.index.projection import known
from guildmark.services.log.logs import Logs
from guildmark.services.recalls.recalling import Recalling, Said
from guildmark.services.recipes.recipes import Recipes
from guildmark.services.rights.coins import (
    AllowanceShortError,
    BalanceShortError,
    CoinMissingError,
    Coins,
)
from guildmark.services.rights.designs import Designs, SourceFile
from guildmark.services.rights.licenses import Licenses, SignedExtension
from guildmark.services.rights.licensors import NotLicensorError
from guildmark.services.rights.offers import Draft, Offer, Offers, Price
from stages import until

NAMING = Naming(names=UnicodeNames())
pytestmark = [pytest.mark.chain, pytest.mark.needs("anvil")]

BORE = ClausePath("/tolerance/bore")
OWNER, MAKER, PARTNER = KeyName("owner"), KeyName("licensor"), KeyName("partner")


SALT = Bytes32(b"\1" * 32)
ENTRIES = tuple(
    Entry(
        kind=EntryKind.BUILD,
        subject=sha256(b"part %d" % number),
        envelope=sha256(b"envelope"),
        site_recipe=SiteRecipeId(SALT),
        machine=IdentityId(SALT),
        maker=IdentityId(SALT),
        dependencies=sha256(b"dependencies"),
    )
    for number in range(4)
)


@dataclass(frozen=True)
class Place:
    """Services over one chain, in the name of anybody."""

    ledger: RpcLedger
    outbox: Outbox
    store: MemoryNodeStore
    entropy: CountingEntropy

    def account(self, key: KeyName) -> Account:
        address = self.outbox.keys.address(key)
        return Account(transactions=self.outbox, key=key, address=address)

    def identities(self, key: KeyName) -> Identities:
        return Identities(
            ledger=self.ledger,
            account=self.account(key),
            store=self.store,
            entropy=self.entropy,
        )

    def licenses(self, key: KeyName) -> Licenses:
        return Licenses(ledger=self.ledger, account=self.account(key), keys=self.outbox.keys)

    def parts(self, key: KeyName) -> Parts:
        return Parts(ledger=self.ledger, keys=self.outbox.keys, account=self.account(key))

    def coins(self, key: KeyName) -> Coins:
        return Coins(ledger=self.ledger, account=self.account(key))

    def offers(self, key: KeyName) -> Offers:
        return Offers(licenses=self.licenses(key), store=self.store, entropy=self.entropy)

    def read(self, function: str, *args: Any) -> Any:
        call = Call(contract=ContractName.LICENSES, function=function, args=args)
        return self.ledger.read(call)

    def facts(self, kind: type[Any], *prefix: bytes | int) -> Sequence[Any]:
        Indexing(ledger=self.ledger, store=self.store, naming=NAMING).follow()
        with self.store.reading() as view:
            found: Sequence[Any] = view.facts.each(kind, *prefix)
        return found

    def fact(self, kind: type[Any], *key: bytes | int) -> Any:
        Indexing(ledger=self.ledger, store=self.store, naming=NAMING).follow()
        with self.store.reading() as view:
            return known(view.facts, kind, *key)


@pytest.fixture
def place(tmp_path: Path, open_outbox: Callable[..., Outbox]) -> Iterator[Place]:
    with chains.keeper(tmp_path / "keeper") as chain:
        chain.fund(OWNER, MAKER, PARTNER, KeyName("minter"))
        ledger = chain.ledger(chain.deploy(tmp_path / "deployment"))
        yield Place(ledger, open_outbox(ledger), MemoryNodeStore(), CountingEntropy())
        ledger.rpc.close()


def terms_of(place: Place, holder: IdentityId, units: int, **rest: Any) -> Draft:
    Indexing(ledger=place.ledger, store=place.store, naming=NAMING).follow()
    with place.store.reading() as view:
        (design,) = view.facts.each(DesignFact)
    return Draft(
        design=design.id,
        units=units,
        holder=holder,
        members={TermsKind.TEXT: ["as agreed"]},
        offer_until=2**40 - 1,
        **rest,
    )


def accepted(place: Place, offer: Offer, licensee: KeyName) -> Offer:
    return place.offers(licensee).accept(offer, licensee=licensee)


def assert_same(place: Place, number: int) -> None:
    """The index's lane is the chain's."""
    lane: LaneFact = place.fact(LaneFact, number)
    on_chain = place.read("lane", number)
    shown = (lane.license, lane.first, lane.next, lane.end, lane.log, lane.reclaim_at)
    assert shown == tuple(on_chain.values())
    assert lane.holder == place.read("holderOf", number)
    assert (lane.source, lane.given_at) == tuple(place.read("originOf", number).values())


def test_units_are_licensed_on_paid_for_and_taken_back(place: Place) -> None:
    design = Designs(
        ledger=place.ledger,
        account=place.account(OWNER),
        vault=MemoryVault(),
        store=place.store,
        entropy=place.entropy,
    )
    design.register([SourceFile(name="a.stl", media_type="model/stl", content=BytesIO(b"a"))])
    maker = place.identities(MAKER).register(IdentityKind.ORGANIZATION, {"name": "M"})
    partner = place.identities(PARTNER).register(IdentityKind.ORGANIZATION, {"name": "P"})
    site = place.identities(PARTNER).register(IdentityKind.SITE, {"name": "S"})
    log = Logs(ledger=place.ledger, account=place.account(PARTNER)).open(
        partner, place.outbox.keys.address(PARTNER)
    )

    root = _granted(
        place, terms_of(place, maker, 10, price=Price(royalty=Uint256(7), fee=Uint256(100)))
    )
    below = _licensed_on(place, root, terms_of(place, partner, 6, price=Price(royalty=Uint256(2))))
    drawn = _drawn(place, below, log, site)
    _paid(place, drawn, owed_above=4 * 7, owed=4 * 2)
    _replaced(place, log)
    _taken_back(place, below, root)
    _extended_and_stopped(place, root)


def test_fees_and_royalties_are_paid_in_a_coin_of_others(place: Place) -> None:
    coin, amounts = _coin_of(place, PARTNER, 1_000), (100, 7)
    log, site, maker = _designed(place)
    price = Price(currency=coin, fee=Uint256(amounts[0]), royalty=Uint256(amounts[1]))
    offer = accepted(
        place,
        place.offers(OWNER).make(terms_of(place, maker, 10, price=price), licensor=OWNER),
        MAKER,
    )
    payer, licenses = place.coins(PARTNER), place.licenses(PARTNER)
    assert not licenses.is_granted(offer.id)
    with pytest.raises(AllowanceShortError):
        payer.ready(coin, amounts[0], approve=False)
    with pytest.raises(CallRefusedError):
        place.offers(PARTNER).grant(offer)
    with pytest.raises(BalanceShortError):
        place.coins(MAKER).ready(coin, amounts[0], approve=True)
    with pytest.raises(CoinMissingError):
        payer.ready(place.outbox.keys.address(PARTNER), amounts[0], approve=True)

    assert payer.ready(coin, amounts[0], approve=True) == amounts[0]
    granted = place.offers(PARTNER).grant(offer)

    assert licenses.is_granted(offer.id)
    assert (payer.allowance(coin), place.licenses(OWNER).credit(coin)) == (0, amounts[0])
    cut = place.licenses(MAKER).split(place.fact(LaneFact, granted.lane), 4, log=log, to=site)
    root = sha256(b"root")
    place.account(PARTNER).call(
        *(ContractName.LOG, "append", log, 0, 4, root, ((cut, 4),)), once="append"
    )
    lane, license_ = place.fact(LaneFact, cut), place.fact(LicenseFact, granted.number)
    assert payer.ready(coin, 4 * amounts[1], approve=True) == 28
    assert licenses.pay(lane, license_, paid=0, units=4) == 28
    assert payer.allowance(coin) == 0
    to = place.outbox.keys.address(PARTNER)
    assert place.licenses(OWNER).withdraw(coin, to=to) == amounts[0] + 28
    assert payer.ready(coin, 1_000, approve=True) == 1_000


def _designed(place: Place) -> tuple[LogNumber, IdentityId, IdentityId]:
    design = Designs(
        ledger=place.ledger,
        account=place.account(OWNER),
        vault=MemoryVault(),
        store=place.store,
        entropy=place.entropy,
    )
    design.register([SourceFile(name="a.stl", media_type="model/stl", content=BytesIO(b"a"))])
    maker = place.identities(MAKER).register(IdentityKind.ORGANIZATION, {"name": "M"})
    partner = place.identities(PARTNER).register(IdentityKind.ORGANIZATION, {"name": "P"})
    site = place.identities(PARTNER).register(IdentityKind.SITE, {"name": "S"})
    writer = place.outbox.keys.address(PARTNER)
    log = Logs(ledger=place.ledger, account=place.account(PARTNER)).open(partner, writer)
    return log, site, maker


def _coin_of(place: Place, owner: KeyName, amount: int) -> Address:
    """Deploy an ERC-20 coin of which an account has an amount, and return its address."""
    artifact, keys = _compiled(), chains.MemoryKeys()
    contract = Web3().eth.contract(abi=artifact["abi"], bytecode=artifact["code"])
    minted = contract.encode_abi("mint", [checksummed(keys.address(owner)), amount])
    receipt = _sent(place, {"data": contract.bytecode, "gas": 3_000_000}, nonce=0)
    coin = receipt["contractAddress"]
    at = address_from_hex(coin)
    _sent(place, {"to": checksummed(at), "data": minted, "gas": 200_000}, nonce=1)
    return at


def _sent(place: Place, what: dict[str, Any], *, nonce: int) -> Any:
    """Send a transaction of somebody who is no part of the story."""
    fields = {"nonce": nonce, "maxFeePerGas": 10**11, "maxPriorityFeePerGas": 10**9, "value": 0}
    chain = {"chainId": place.ledger.chain.chain_id, "type": 2}
    signed = Wallet.sign_transaction({**fields, **chain, **what}, sha256(b"minter"))
    rpc = place.ledger.rpc
    found = rpc.call("eth_sendRawTransaction", to_hex(signed.raw_transaction))
    receipts: list[Any] = []

    def landed() -> bool:
        receipts.append(rpc.call("eth_getTransactionReceipt", found))
        return receipts[-1] is not None

    until(landed)
    assert receipts[-1]["status"] == "0x1"
    return receipts[-1]


def _compiled() -> Any:
    """Compile OpenZeppelin's ERC-20, as `tests/contracts` uses it."""
    unit = "tests/contracts/support/Coins.sol"
    asked = {
        "language": "Solidity",
        "sources": {unit: {"content": (ROOT / unit).read_text(encoding="utf-8")}},
        "settings": {
            "remappings": [REMAPPING],
            "outputSelection": {"*": {"Coin": ["abi", "evm.bytecode.object"]}},
        },
    }
    done = subprocess.run(
        [
            *(toolchain.node(), ROOT / "hardhat-local" / "solc.mjs", "--standard-json"),
            *("--base-path", ROOT),
        ],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
    )
    made = json.loads(done.stdout)["contracts"][unit]["Coin"]
    return {"abi": made["abi"], "code": "0x" + made["evm"]["bytecode"]["object"]}


def test_designs_recipes_and_identities_move_on(place: Place) -> None:
    designs = Designs(
        ledger=place.ledger,
        account=place.account(OWNER),
        vault=MemoryVault(),
        store=place.store,
        entropy=place.entropy,
    )
    files = [
        SourceFile(name=f"{name}.stl", media_type="model/stl", content=BytesIO(b"a"))
        for name in "ab"
    ]
    design = designs.register(files[:1])
    assert designs.revise(design, files[1:], derived_from=[(design, 1)]) == 2
    first, second = (place.fact(RevisionFact, design, number).revision for number in (1, 2))
    assert second.derived_from == (first.digest(),)
    published = Call(contract=ContractName.DESIGNS, function="revisionDigest", args=(design, 2))
    assert place.ledger.read(published) == second.digest()
    with pytest.raises(CallerRefusedError):
        replace(designs, account=place.account(MAKER)).revise(design, files[:1])
    _recipes_move_on(place, design)
    _a_site_is_certified(place, design)
    _identities_move_on(place)


def _a_site_is_certified(place: Place, design: DesignId) -> None:
    """Let two sites go from plan to certificate; the index says what the chain does."""
    recipe = Recipe(root=RECIPE.root(), design=design, revision=1).id()
    organization = place.identities(OWNER).register(IdentityKind.ORGANIZATION, {"name": "D"})
    authority = place.identities(OWNER).register(IdentityKind.AUTHORITY, {"name": "E"})
    sites = sorted(place.identities(MAKER).register(IdentityKind.SITE, {}) for _ in range(2))
    made = EquivalencePlan(
        recipe=recipe,
        reference=to_hex(sites[0]),
        sites=(to_hex(sites[1]),),
        characteristics=(CharacteristicPlan(path=BORE, unit="mm", margin="0.1"),),
        evaluator=to_hex(authority),
        engine=engine_digest(),
        units=3,
        replicates=3,
        commit_by=2**39,
        reveal_by=2**39 + 1,
        salt=SALT,
    )
    vault = MemoryVault()
    maker, evaluator = (
        Equivalence(
            account=place.account(key), store=place.store, entropy=place.entropy, vault=vault
        )
        for key in (MAKER, OWNER)
    )
    plan = evaluator.plan(made, sponsor=organization)
    assert place.fact(PlanFact, plan).plan.document == made.digest()
    for site in sites:
        maker.join(plan, site, sha256(b"model"))
        maker.commit(plan, site, SiteData(readings=(_reading(site),)), recipient=b"key")
    roots = [maker.reveal(plan, site) for site in sites]
    with pytest.raises(CallerRefusedError):
        maker.certify(plan, sites[1], Outcome.EQUIVALENT, sha256(b"result"))
    evaluator.certify(plan, sites[1], Outcome.NOT_EQUIVALENT, sha256(b"result"))
    with pytest.raises(CertificateUnknownError):
        maker.suspend(plan, sites[0], sha256(b"drift"))
    evaluator.challenge(plan, sites[1], authority, sha256(b"counter"))
    evaluator.suspend(plan, sites[1], sha256(b"drift"))
    maker.lapse(plan, sites[1], Lapse.MACHINE_MOVED)
    _assert_equal(place, plan, sites[1], roots[1])
    _things_are_recalled(place, plan, sites[1], authority)


def _things_are_recalled(
    place: Place, plan: EquivalencePlanId, site: IdentityId, authority: IdentityId
) -> None:
    """Let owners recall what the contract knows as theirs; the index says what the chain does."""
    recipe: RecipeFact = place.fact(RecipeFact, place.fact(PlanFact, plan).plan.recipe)
    machine = place.identities(MAKER).register(IdentityKind.MACHINE, {"name": "M"})
    shown = Ed25519PrivateKey.from_private_bytes(SALT).public_key().public_bytes_raw()
    public_key = PublicKey(algorithm=Algorithm.ED25519, data=shown)
    place.identities(MAKER).add_key(machine, public_key)
    (key,) = place.facts(KeyFact)
    owner, maker = (
        Recalling(account=place.account(name), store=place.store) for name in (OWNER, MAKER)
    )
    said = Said(severity=Severity.DANGER, reason=sha256(b"cracks"))
    design = Thing(cause=RecallCause.DESIGN, id=Bytes32(recipe.recipe.design))
    certificate = Thing(cause=RecallCause.CERTIFICATE, id=Bytes32(plan), detail=Bytes32(site))
    of_recipe = Thing(cause=RecallCause.RECIPE, id=Bytes32(recipe.id))
    for thing in (design, certificate, of_recipe):
        assert owner.issue(thing, said) == 1
        with pytest.raises(CallerRefusedError):
            maker.issue(thing, said)
    lot = Thing(cause=RecallCause.LOT, id=Bytes32(site), detail=SALT)
    of_machine = Thing(cause=RecallCause.MACHINE, id=Bytes32(machine))
    of_key = Thing(cause=RecallCause.KEY, id=Bytes32(key.id))
    for thing in (lot, of_machine, of_key):
        assert maker.issue(thing, said) == 1
    owner.issue_as(authority, lot, said)
    maker.ask(design, said)
    assert place.facts(RecallFact, lot.key(), authority)
    with pytest.raises(CallerRefusedError):
        owner.close(lot, 1, sha256(b"mended"))
    owner.close(design, 1, sha256(b"mended"))
    with pytest.raises(RecallClosedError):
        owner.close(design, 1, sha256(b"again"))
    for fact in place.facts(RecallFact):
        _assert_same_recall(place, fact)
    assert [fact.thing for fact in place.facts(RecallAskFact)] == [design]


def _assert_same_recall(place: Place, fact: RecallFact) -> None:
    def asked(function: str) -> Any:
        args = (fact.thing.key(), fact.by, fact.number)
        return place.ledger.read(Call(contract=ContractName.RECALLS, function=function, args=args))

    times = (fact.at, fact.since, fact.until, fact.closed_at, fact.severity)
    assert times == tuple(asked("recallOf").values())
    assert (fact.issuer, fact.reason) == (asked("issuerOf"), asked("reasonOf"))


def _assert_equal(place: Place, plan: EquivalencePlanId, site: IdentityId, root: Digest) -> None:
    """The index says of a site what the chain does."""

    def asked(function: str) -> Any:
        call = Call(contract=ContractName.EQUIVALENCE, function=function, args=(plan, site))
        return place.ledger.read(call)

    entry: PlanEntryFact = place.fact(PlanEntryFact, plan, site)
    given: CertificateFact = place.fact(CertificateFact, plan, site)
    times = (entry.number, entry.joined_at, entry.committed_at, entry.revealed_at)
    assert times == tuple(asked("entryOf").values())
    assert entry.root == root == asked("rootOf")
    said = (given.verdict, given.since, given.until, given.suspended_at, given.lapsed_at)
    assert (*said, given.cause) == tuple(asked("certificateOf").values())
    assert given.result == asked("resultOf")


def _reading(site: IdentityId) -> Reading:
    return Reading(
        part=f"part of {site.hex()}",
        build="build",
        site=to_hex(site),
        characteristic=BORE,
        value=Decimal("22.20"),
        unit="mm",
        instrument="gauge",
    )


def _recipes_move_on(place: Place, design: DesignId) -> None:
    recipes = Recipes(
        ledger=place.ledger, account=place.account(OWNER), store=place.store, entropy=place.entropy
    )
    old = Recipe(root=RECIPE.root(), design=design, revision=1)
    new = replace(old, revision=2, supersedes=old.id(), change=Change.REQUALIFY)
    for recipe in (old, new):
        recipes.publish(recipe, RECIPE, status=Status.TRIAL)

    for status in (Status.QUALIFIED, Status.SUSPENDED, Status.RETIRED):
        recipes.set_status(old.id(), status)

    with pytest.raises(RecipeStepError):
        recipes.set_status(old.id(), Status.QUALIFIED)
    with pytest.raises(RecipeSupersededError):
        recipes.publish(replace(new, revision=1), RECIPE, status=Status.TRIAL)
    fact: RecipeFact = place.fact(RecipeFact, old.id())
    assert (fact.status, fact.steps) == (Status.RETIRED, 4)
    assert place.fact(RecipeFact, new.id()).recipe == new


def _identities_move_on(place: Place) -> None:
    own, next_ = place.identities(MAKER), place.identities(PARTNER)
    identity = own.register(IdentityKind.ORGANIZATION, {"name": "M"})
    own.change_profile(identity, {"name": "M & Filhos"})
    own.propose_controller(identity, next_.account.address)
    with pytest.raises(ControllerNotProposedError):
        own.accept_controller(identity)

    next_.accept_controller(identity)

    with pytest.raises(CallerRefusedError):
        own.change_profile(identity, {"name": "M again"})
    fact: IdentityFact = place.fact(IdentityFact, identity)
    assert fact.controller == next_.account.address
    with place.store.reading() as view:
        assert name_of(identity, view.documents) == "M & Filhos"


def _granted(place: Place, draft: Draft) -> LaneNumber:
    offer = place.offers(OWNER).make(draft, licensor=OWNER)
    with pytest.raises(SignatureRefusedError):
        place.offers(OWNER).grant(offer)
    before = _balance(place, PARTNER)

    granted = place.offers(PARTNER).grant(accepted(place, offer, MAKER))

    changed = offer.signature[:40] + bytes((offer.signature[40] ^ 1,)) + offer.signature[41:]
    for account in (PARTNER, OWNER):
        assert place.offers(account).grant(offer) == granted
        with pytest.raises(SignatureRefusedError):
            place.offers(account).grant(replace(offer, signature=changed))
    with pytest.raises(NotLicensorError):
        place.offers(MAKER).make(draft, licensor=MAKER)
    assert place.licenses(OWNER).credit(ZERO_ADDRESS) == 100
    assert before - _balance(place, PARTNER) > 100
    assert_same(place, granted.lane)
    return granted.lane


def _licensed_on(place: Place, root: LaneNumber, draft: Draft) -> LaneNumber:
    lane = place.fact(LaneFact, root)
    offer = place.offers(MAKER).make(draft, licensor=MAKER, lane=lane)

    granted = place.offers(OWNER).grant(accepted(place, offer, PARTNER))

    assert_same(place, granted.lane)
    assert_same(place, root)
    license_ = place.fact(LicenseFact, granted.number)
    assert place.read("license", granted.number)["parent"] == lane.license
    assert place.read("firstLaneOf", granted.number) == license_.first_lane
    return granted.lane


def _drawn(place: Place, below: LaneNumber, log: LogNumber, site: IdentityId) -> LaneFact:
    lane = place.fact(LaneFact, below)
    cut = place.licenses(PARTNER).split(lane, 4, log=log, to=site)
    root = MerkleTree(entry.leaf_data(SALT) for entry in ENTRIES).root()
    place.account(PARTNER).call(
        *(ContractName.LOG, "append", log, 0, 4, root, ((cut, 4),)), once="append"
    )
    assert_same(place, cut)
    found: LaneFact = place.fact(LaneFact, cut)
    assert (found.first, found.drawn) == (7, 4)
    return found


def _core(place: Place, log: LogNumber, position: int) -> Core:
    tree = MerkleTree(entry.leaf_data(SALT) for entry in ENTRIES)
    return Core(
        envelope=b"{}",
        entry=ENTRIES[position],
        salt=SALT,
        record=place.fact(RecordFact, log, 0).record,
        position=position,
        path=tree.inclusion_path(position),
    )


def _replaced(place: Place, log: LogNumber) -> None:
    """Entries are replaced by their lane's holder with the writer, and a token's owner."""
    holder, core, by = place.parts(PARTNER), _core(place, log, 0), Index(2)
    Logs(ledger=place.ledger, account=place.account(PARTNER)).set_writer(
        log, place.outbox.keys.address(MAKER)
    )
    writers = holder.agree(core, by, key=MAKER)
    with pytest.raises(SignatureRefusedError):
        holder.supersede(core, by, writer_signature=b"")
    with pytest.raises(SignatureRefusedError):
        holder.supersede(core, Index(3), writer_signature=writers)
    with pytest.raises(CallerRefusedError):
        place.parts(MAKER).supersede(core, by, writer_signature=writers)
    for wrong in (0, 4):
        with pytest.raises(PartInvalidError):
            holder.supersede(
                core, Index(wrong), writer_signature=holder.agree(core, Index(wrong), key=MAKER)
            )

    holder.supersede(core, by, writer_signature=writers)

    assert place.fact(PartFact, log, core.index).fate == by
    again = holder.agree(core, Index(3), key=MAKER)
    with pytest.raises(FateSetError):
        holder.supersede(core, Index(3), writer_signature=again)
    _tokens_owner_agrees(place, log)


def _tokens_owner_agrees(place: Place, log: LogNumber) -> None:
    holder, cores = place.parts(PARTNER), [_core(place, log, position) for position in (1, 2)]
    for core in cores:
        holder.materialise(core, to=place.outbox.keys.address(OWNER))
    by = Index(3)
    writers = holder.agree(cores[0], by, key=MAKER)
    with pytest.raises(SignatureRefusedError):
        holder.supersede(cores[0], by, writer_signature=writers)
    with pytest.raises(SignatureRefusedError):
        holder.void(cores[1])

    owners = holder.agree(cores[0], by, key=OWNER)
    holder.supersede(cores[0], by, writer_signature=writers, possessor_signature=owners)
    holder.void(cores[1], possessor_signature=holder.agree(cores[1], None, key=OWNER))

    fates = [place.fact(PartFact, log, core.index).fate for core in cores]
    assert fates == [by, UINT64_MAX]


def _paid(place: Place, lane: LaneFact, *, owed_above: int, owed: int) -> None:
    own = place.fact(LicenseFact, lane.license)
    above = place.fact(LicenseFact, 1)
    assert place.read("owed", lane.number, own.number) == owed
    assert place.read("owed", lane.number, above.number) == owed_above
    payer = place.licenses(PARTNER)

    assert payer.pay(lane, own, paid=0, units=4) == owed
    assert payer.pay(lane, above, paid=0, units=1) == owed_above // 4
    with pytest.raises(PaymentRefusedError):
        payer.pay(lane, above, paid=0, units=4)
    assert payer.pay(lane, above, paid=1, units=3) == owed_above * 3 // 4

    assert place.read("owed", lane.number, above.number) == 0
    assert place.licenses(MAKER).credit(ZERO_ADDRESS) == owed
    before = _balance(place, PARTNER)
    to = place.outbox.keys.address(PARTNER)
    assert place.licenses(OWNER).withdraw(ZERO_ADDRESS, to=to) == 100 + owed_above
    assert _balance(place, PARTNER) == before + 100 + owed_above
    with pytest.raises(CreditMissingError):
        place.licenses(OWNER).withdraw(ZERO_ADDRESS, to=to)


def _taken_back(place: Place, below: LaneNumber, root: LaneNumber) -> None:
    maker = place.licenses(MAKER)
    assert maker.reclaim(place.fact(LaneFact, below)) is None
    assert_same(place, below)

    taken = maker.reclaim(place.fact(LaneFact, below))

    assert taken is not None
    assert_same(place, taken)
    assert_same(place, below)
    assert place.fact(LaneFact, taken).license == place.fact(LaneFact, root).license
    assert maker.reclaim(place.fact(LaneFact, below)) == taken, "one effect, however often asked"


def _extended_and_stopped(place: Place, root: LaneNumber) -> None:
    owner = place.licenses(OWNER)
    license_ = place.fact(LicenseFact, place.fact(LaneFact, root).license)

    signed = owner.sign_extension(license_, 5, until=2**40 - 1, owner=OWNER)
    with pytest.raises(SignatureRefusedError):
        place.licenses(MAKER).extend(replace(signed, signature=bytes(65)))
    made = place.licenses(MAKER).extend(signed)

    assert_same(place, made)
    extended = place.fact(LicenseFact, license_.number)
    assert extended.units == place.read("license", license_.number)["units"] == 15
    owner.stop(license_.id, at=place.ledger.head(final=True).time + 1000)
    with pytest.raises(LicenseEndingError):
        owner.extend(
            SignedExtension(extension=replace(signed.extension, units=extended.units, more=1))
        )


def _balance(place: Place, key: KeyName) -> int:
    address = "0x" + place.outbox.keys.address(key).hex()
    return int(place.ledger.rpc.call("eth_getBalance", address, "latest"), 16)
