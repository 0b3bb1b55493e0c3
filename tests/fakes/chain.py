"""The registries in memory, as far as services call them: a ledger, and an outbox that lands.

Each call is one block, one second after the last. What the contracts refuse and no service test
needs is not refused here; the contracts' own tests do that.
"""

import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fakes.keys import MemoryKeyStore
from fakes.simulator import header_of
from guildmark.domain.chain.contracts import (
    AccountProof,
    ChainClass,
    ChainPin,
    Coin,
    ContractName,
    ContractPin,
    Payee,
    SlotProof,
)
from guildmark.domain.chain.eip712 import licenses_domain
from guildmark.domain.chain.refusals import (
    CallerRefusedError,
    CreditMissingError,
    DesignUnknownError,
    LaneStaleError,
    LicenseGrantedError,
    LogStaleError,
    PaymentRefusedError,
    RecallStaleError,
    RecipeStepError,
    ReclaimStateError,
    RevisionStaleError,
)
from guildmark.domain.encoding.hashing import keccak256, sha256
from guildmark.domain.equivalence.registration import Registration
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import (
    ZERO_ADDRESS,
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
    Seq,
    UnitNumber,
)
from guildmark.domain.identity.identity import controller_target, identity_id, key_id
from guildmark.domain.log.record import Grant
from guildmark.domain.recall import RecallCause, Thing
from guildmark.domain.recipes.recipe import Change, Recipe, SiteRecipe
from guildmark.domain.rights.design import Commitment, Revision
from guildmark.domain.rights.terms import Terms
from guildmark.domain.signatures import Algorithm, PublicKey
from guildmark.ports.chain import (
    Block,
    BlockUnknownError,
    Call,
    Capability,
    Event,
    Finality,
    Handles,
    IdempotencyMismatchError,
    Purse,
    RawLog,
    Stretch,
    TransactionId,
    TransactionState,
    TransactionStatus,
)
from guildmark.ports.keys import KeyName
from guildmark.services.index.projection import record_of

CHAIN_ID = ChainId(31_337_000)
START = 1_700_000_000


def address(name: str) -> Address:
    return Address(sha256(name.encode())[:20])


@dataclass
class Lane:
    license: int
    first: int
    next: int
    end: int
    log: int
    holder: bytes
    source: int = 0
    reclaim_at: int = 0


@dataclass
class Head:
    operator: bytes
    writer: Address
    size: int = 0
    seq: int = 0


@dataclass
class MemoryChain:
    """Fulfils ``Ledger``; ``MemoryOutbox`` sends to it."""

    blocks: list[Block] = field(default_factory=list)
    headers: list[bytes] = field(default_factory=list)
    log: list[Event] = field(default_factory=list)
    controllers: dict[bytes, Address] = field(default_factory=dict)
    link_counts: dict[tuple[bytes, bytes], int] = field(default_factory=dict)
    candidates: dict[bytes, Address] = field(default_factory=dict)
    proposed: dict[bytes, Address] = field(default_factory=dict)
    doubted: set[bytes] = field(default_factory=set)
    """Whose present controller is under notice."""
    backing: dict[bytes, dict[Address, int]] = field(default_factory=dict)
    revisions: dict[bytes, int] = field(default_factory=dict)
    terms: dict[int, Terms] = field(default_factory=dict)
    lanes: dict[int, Lane] = field(default_factory=dict)
    heads: dict[int, Head] = field(default_factory=dict)
    first_lanes: dict[int, int] = field(default_factory=dict)
    stops: dict[int, int] = field(default_factory=dict)
    credits: dict[bytes, int] = field(default_factory=dict)
    """What waits in each coin, for whomever asks."""
    allowed: dict[tuple[Address, ...], int] = field(default_factory=dict)
    """What may be taken: of which coin, from whom, by whom."""
    held: dict[tuple[Address, ...], int] = field(default_factory=dict)
    """Who has how much of which coin."""
    value: int = 0
    """The native coin that the present call brought."""
    paid: list[tuple[Address, int]] = field(default_factory=list)
    """Who got native coin, and how much."""
    with_code: set[bytes] = field(default_factory=set)
    """The accounts that are contracts."""
    ticks: int = 0
    unfinal: int = 0
    """How many of the newest blocks are not final yet."""
    words: dict[bytes, int] = field(default_factory=dict)
    """What a proof says of a slot, 0 where a test says nothing."""
    capabilities: frozenset[Capability] = frozenset(Capability)

    def __post_init__(self) -> None:
        self.mine()

    def pin(self) -> ChainPin:
        contracts = {
            name: ContractPin(address=address(name), code_hash=sha256(name.encode()))
            for name in ContractName
        }
        return ChainPin(
            chain_id=CHAIN_ID,
            genesis=self.blocks[0].hash,
            chain_class=ChainClass.LOCAL,
            contracts=contracts,
        )

    def head(self, *, final: bool) -> Block:
        return self.blocks[-1 - self.unfinal] if final else self.blocks[-1]

    def block(self, number: int) -> Block:
        if number >= len(self.blocks):
            message = f"The chain has no block {number}."
            raise BlockUnknownError(message)
        return self.blocks[number]

    def header(self, number: int) -> bytes:
        return self.headers[number]

    def stretch(self, first: int, last: int, *, enough: int | None = None) -> Stretch:
        parent = self.blocks[first - 1].hash if first else Digest(bytes(32))
        logs = tuple(
            RawLog(
                block_number=event.block_number,
                log_index=event.log_index,
                address=address(event.contract),
                topics=(),
                data=pickle.dumps(event),
                transaction=event.transaction,
            )
            for event in self.events(first, last)
        )
        blocks = tuple(self.block(number) for number in range(first, last + 1))
        return Stretch(parent=parent, blocks=blocks, logs=logs)

    def event(self, log: RawLog, block: Block) -> Event | None:
        event = pickle.loads(log.data)
        return event if isinstance(event, Event) else None

    def events(self, first: int, last: int) -> Sequence[Event]:
        return [event for event in self.log if first <= event.block_number <= last]

    def read(self, call: Call, *, block: int | None = None) -> Any:
        answers: Mapping[str, Callable[..., Any]] = {
            "controllerAt": lambda of, number: {"account": self._controllers(of)[number - 1]},
            "controllerOf": lambda of: self.controllers[of],
            "creditOf": lambda currency, _account: self.credits.get(currency, 0),
            "design": lambda design: {
                "epoch": len(self._owners(design)) - 1,
                "revisions": self.revisions[design],
            },
            "designOwner": lambda design: self._owners(design)[-1],
            "firstLaneOf": lambda number: self.first_lanes[number],
            "head": lambda log: vars(self.heads[log]),
            "holderOf": lambda lane: self.lanes[lane].holder,
            "identity": lambda of: {"controllers": len(self._controllers(of))},
            "keyOf": self._key_of,
            "recallCount": lambda key, by: len(self._recalls_in(key, by)),
            "recallOf": self._recall_of,
            "lane": lambda number: vars(self.lanes[number]),
            "license": self._license,
            "linkCount": lambda child, parent: self.link_counts.get((child, parent), 0),
            "numberOf": self._number_of,
            "operatorOf": lambda log: self.heads[log].operator if log in self.heads else bytes(32),
            "ownerAt": lambda design, epoch: self._owners(design)[epoch],
            "parentOf": self._parent_of,
            "publishedAt": self._published_at,
            "recordDigest": self._record_digest,
            "revisionDigest": self._revision_digest,
            "speakerOf": self._speaker_of,
            "stateHash": self._state_hash,
            "step": lambda recipe, number: {"status": self._steps(recipe)[number - 1]},
            "stepCount": lambda recipe: len(self._steps(recipe)),
        }
        if isinstance(call.contract, Coin):
            kept = self.allowed if call.function == "allowance" else self.held
            return kept.get((call.contract.address, *call.args), 0)
        return answers[call.function](*call.args)

    def _speaker_of(self, identity: bytes) -> tuple[Address, bool, bool]:
        is_in_recovery = identity in self.candidates
        return self.controllers[identity], is_in_recovery, identity in self.doubted

    def _recalls_in(self, key: bytes, by: bytes) -> Sequence[Event]:
        place = {"key": key, "by": by}
        told = [event for event in self.log if event.name == "RecallIssued"]
        return [event for event in told if {**event.args, **place} == event.args]

    def _recall_of(self, key: bytes, by: bytes, number: int) -> Mapping[str, Any]:
        issued = self._recalls_in(key, by)[number - 1]
        at = self.block(issued.block_number).time
        return {**issued.args["terms"], "at": at, "closedAt": 0}

    def read_all(self, calls: Sequence[Call], *, block: int | None = None) -> Sequence[Any]:
        return [self.read(call, block=block) for call in calls]

    def has_code(self, account: Address) -> bool:
        return account in self.with_code

    def _controllers(self, identity: bytes) -> Sequence[Address]:
        names = {"IdentityRegistered", "ControllerChanged"}
        told = [event.args for event in self.log if event.name in names]
        return [one["controller"] for one in told if one["id"] == identity]

    def _owners(self, design: bytes) -> Sequence[Address]:
        token = int.from_bytes(design, "big")
        owners = [
            event.args["to"]
            for event in self.log
            if (event.contract, event.name) == (ContractName.DESIGNS, "Transfer")
            and event.args["tokenId"] == token
        ]
        if not owners:
            message = "Nobody registered the design."
            raise DesignUnknownError(message)
        return owners

    def _number_of(self, license_id: bytes) -> int:
        names = {"LicenseGranted", "LicenseSublicensed"}
        granted = [event.args for event in self.log if event.name in names]
        return next((one["number"] for one in granted if one["id"] == license_id), 0)

    def _license(self, number: int) -> Mapping[str, int]:
        terms = self.terms[number]
        times = {"notBefore": terms.not_before, "notAfter": terms.not_after}
        return {"stopAt": self.stops.get(number, 0), **times}

    def _key_of(self, key: bytes) -> Mapping[str, int]:
        found = {"to": 0, "noticeAt": 0}
        for event in self.log:
            if event.args.get("key") == key and event.name == "KeyEnded":
                found["to"] = self.blocks[event.block_number].time
            if event.args.get("key") == key and event.name == "KeyNoticeGiven":
                found["noticeAt"] = event.args["noticeAt"]
        return found

    def _parent_of(self, child: bytes) -> bytes:
        parent = bytes(32)
        for event in self.log:
            if event.args.get("child") == child and event.name in {"LinkAccepted", "LinkEnded"}:
                parent = event.args["parent"] if event.name == "LinkAccepted" else bytes(32)
        return parent

    def _steps(self, recipe: bytes) -> Sequence[int]:
        names = {"RecipePublished", "RecipeStatusChanged"}
        found = [event for event in self.log if event.name in names]
        return [event.args["status"] for event in found if event.args["id"] == recipe]

    def _record_digest(self, log: int, seq: int) -> bytes:
        appended = [record_of(event) for event in self.log if event.name == "RecordAppended"]
        found = [record for record in appended if (record.log, record.seq) == (log, seq)]
        return found[0].digest() if found else bytes(32)

    def _published_at(self, recipe: bytes) -> int:
        published = [event for event in self.log if event.name == "RecipePublished"]
        blocks = [event.block_number for event in published if event.args["id"] == recipe]
        return self.blocks[blocks[0]].time if blocks else 0

    def _state_hash(self, design: bytes) -> bytes:
        """Return what changes with owners, revisions and the owners' licenses."""
        own = {design, int.from_bytes(design, "big")}
        names = {"RevisionPublished", "Transfer", "LicenseGranted"}
        seen = [
            event.name
            for event in self.log
            if event.name == "LicenseStopped"
            or (
                event.name in names
                and any(each == one for each in event.args.values() for one in own)
            )
        ]
        return sha256(design + "".join(seen).encode())

    def _revision_digest(self, design: bytes, number: int) -> bytes:
        published = [event for event in self.log if event.name == "RevisionPublished"]
        revisions = [_revision(event.args["revision"]) for event in published]
        digests = {(one.design, one.number): one.digest() for one in revisions}
        return digests.get((DesignId(design), number), Digest(bytes(32)))

    def proof(
        self, block: int, slots: Mapping[ContractName, Sequence[bytes]]
    ) -> Mapping[ContractName, AccountProof]:
        return {
            name: AccountProof(
                address=address(name),
                nonce=1,
                balance=0,
                storage_root=sha256(b"%d" % block),
                code_hash=sha256(name.encode()),
                nodes=(),
                slots=tuple(
                    SlotProof(slot=slot, value=self.words.get(slot, 0), nodes=()) for slot in keys
                ),
            )
            for name, keys in slots.items()
        }

    def mine(self) -> Block:
        """Add an empty block."""
        number = len(self.blocks)
        header = header_of(number, START + number, sha256(b"state %d" % number))
        block = Block(number=number, hash=keccak256(header), time=START + number)
        self.headers.append(header)
        self.blocks.append(block)
        return block

    def rewrite(self, number: int) -> None:
        """Let another block stand where one was."""
        self.blocks[number] = replace(self.blocks[number], hash=sha256(b"another"))

    def execute(self, call: Call, sender: Address) -> Sequence[Event]:
        """Run a call in a block of its own and return its events."""
        block = self.mine()
        seen = len(self.log)
        self.value = call.value
        if isinstance(call.contract, Payee):
            self.paid.append((call.contract.address, call.value))
            return []
        if isinstance(call.contract, Coin):
            spender, amount = call.args
            self.allowed[call.contract.address, sender, spender] = amount
            return []
        name = f"_{call.contract}_{call.function}"
        run: Callable[..., None] = getattr(self, name)
        run(sender, *call.args)
        assert block == self.blocks[-1]
        return self.log[seen:]

    def emit(self, contract: ContractName, name: str, **args: Any) -> None:
        """Put an event into the newest block."""
        block = self.blocks[-1]
        event = Event(
            contract=contract,
            name=name,
            args={key.rstrip("_"): value for key, value in args.items()},
            block_number=block.number,
            block_hash=block.hash,
            log_index=len(self.log),
            transaction=sha256(b"transaction %d" % block.number),
        )
        self.log.append(event)

    @property
    def now(self) -> int:
        return self.blocks[-1].time

    def _check_controller(self, identity: bytes, sender: Address) -> None:
        if self.controllers.get(identity) != sender:
            message = "The account does not speak for the identity."
            raise CallerRefusedError(message)

    def _identities_register(
        self, sender: Address, kind: int, salt: Bytes32, profile: Digest
    ) -> None:
        identity = identity_id(
            chain_id=CHAIN_ID, registry=address("identities"), controller=sender, salt=salt
        )
        self.controllers[identity] = sender
        made = {"id": identity, "kind": int(kind), "controller": sender, "salt": salt}
        self.emit(ContractName.IDENTITIES, "IdentityRegistered", profile=profile, **made)

    def _identities_setProfile(self, sender: Address, identity: bytes, profile: Digest) -> None:
        self._check_controller(identity, sender)
        self.emit(ContractName.IDENTITIES, "ProfileChanged", id=identity, profile=profile)

    def _identities_requestLink(self, sender: Address, child: bytes, parent: bytes) -> None:
        self._check_controller(child, sender)
        self.emit(ContractName.IDENTITIES, "LinkRequested", child=child, parent=parent)

    def _identities_acceptLink(self, sender: Address, child: bytes, parent: bytes) -> None:
        self._check_controller(parent, sender)
        number = self.link_counts.get((child, parent), 0) + 1
        self.link_counts[child, parent] = number
        ends = {"child": child, "parent": parent}
        self.emit(ContractName.IDENTITIES, "LinkAccepted", number=number, **ends)

    def _identities_endLink(self, sender: Address, child: bytes, parent: bytes) -> None:
        number = self.link_counts[child, parent]
        ends = {"child": child, "parent": parent}
        self.emit(ContractName.IDENTITIES, "LinkEnded", number=number, **ends)

    def _identities_addKey(
        self, sender: Address, machine: IdentityId, algorithm: int, data: bytes
    ) -> None:
        self._check_controller(machine, sender)
        public = PublicKey(algorithm=Algorithm(algorithm), data=data)
        key = {"key": key_id(machine, public), "machine": machine, "algorithm": int(algorithm)}
        self.emit(ContractName.IDENTITIES, "KeyAdded", publicKey=data, **key)

    def _identities_endKey(self, sender: Address, machine: bytes, key: bytes) -> None:
        self._check_controller(machine, sender)
        self.emit(ContractName.IDENTITIES, "KeyEnded", key=key, machine=machine)

    def _identities_giveNotice(
        self, sender: Address, machine: bytes, key: bytes, suspected_from: int, evidence: bytes
    ) -> None:
        self._check_controller(machine, sender)
        said = {"key": key, "machine": machine, "suspectedFrom": suspected_from}
        self._doubt("KeyNoticeGiven", evidence=evidence, isByGuardians=False, **said)

    def _doubt(self, name: str, **said: Any) -> None:
        self.emit(ContractName.IDENTITIES, name, noticeAt=self.now, **said)

    def _identities_giveControllerNotice(
        self, sender: Address, identity: IdentityId, suspected_from: int, evidence: bytes
    ) -> None:
        self._check_controller(identity, sender)
        self.doubted.add(identity)
        self._doubt(
            "ControllerNoticeGiven",
            id=identity,
            number=1,
            suspectedFrom=suspected_from,
            evidence=evidence,
            isByGuardians=False,
        )

    def _identities_backKeyNotice(
        self, sender: Address, machine: bytes, key: bytes, suspected_from: int, evidence: bytes
    ) -> None:
        if self._back(key, sender, suspected_from):
            said = {"key": key, "machine": machine, "suspectedFrom": suspected_from}
            self._doubt("KeyNoticeGiven", evidence=evidence, isByGuardians=True, **said)

    def _identities_backControllerNotice(
        self,
        sender: Address,
        identity: IdentityId,
        number: int,
        suspected_from: int,
        evidence: bytes,
    ) -> None:
        if self._back(controller_target(identity, number), sender, suspected_from):
            said = {"id": identity, "number": number, "suspectedFrom": suspected_from}
            self._doubt("ControllerNoticeGiven", evidence=evidence, isByGuardians=True, **said)

    def _back(self, target: bytes, guardian: Address, suspected_from: int) -> bool:
        """Let two guardians be enough."""
        named = self.backing.setdefault(target, {})
        named[guardian] = suspected_from
        backers = list(named.values()).count(suspected_from)
        said = {"target": target, "guardian": guardian, "suspectedFrom": suspected_from}
        self.emit(ContractName.IDENTITIES, "NoticeBacked", backers=backers, **said)
        return backers == 2 and suspected_from != 0

    def _identities_giveAuthorityKeyNotice(
        self, sender: Address, authority: bytes, machine: bytes, key: bytes, *said: Any
    ) -> None:
        self._warn(sender, authority, *said, id=machine, target=key, number=0)

    def _identities_giveAuthorityControllerNotice(
        self, sender: Address, authority: bytes, identity: IdentityId, number: int, *said: Any
    ) -> None:
        target = controller_target(identity, number)
        self._warn(sender, authority, *said, id=identity, target=target, number=number)

    def _warn(
        self,
        sender: Address,
        authority: bytes,
        suspected_from: int,
        evidence: bytes,
        **target: Any,
    ) -> None:
        self._check_controller(authority, sender)
        said = {"suspectedFrom": suspected_from, "evidence": evidence}
        self._doubt("AuthorityNoticeGiven", authority=authority, **said, **target)

    def _identities_revokeClaim(self, sender: Address, issuer: bytes, claim: bytes) -> None:
        self._check_controller(issuer, sender)
        self.emit(ContractName.IDENTITIES, "ClaimRevoked", claim=claim)

    def _identities_claim(
        self,
        sender: Address,
        issuer: bytes,
        subject: bytes,
        scheme: bytes,
        digest: bytes,
        evidence: bytes,
    ) -> None:
        self._check_controller(issuer, sender)
        domain = keccak256(b"guildmark/claim/v1")
        claim = {"claim": keccak256(domain + issuer + subject + scheme + digest)}
        said = {"issuer": issuer, "subject": subject, "scheme": scheme, "digest": digest}
        self.emit(ContractName.IDENTITIES, "ClaimMade", evidence=evidence, **claim, **said)

    def _identities_accredit(
        self, sender: Address, issuer: bytes, subject: bytes, scope: bytes, *times: int
    ) -> None:
        self._check_controller(issuer, sender)
        given = keccak256(keccak256(b"guildmark/accreditation/v1") + issuer + subject + scope)
        since, until = times
        said = {"issuer": issuer, "subject": subject, "scope": scope}
        interval = {"from": since or self.now, "to": until}
        self.emit(ContractName.IDENTITIES, "Accredited", accreditation=given, **said, **interval)

    def _identities_revokeAccreditation(
        self, sender: Address, issuer: bytes, subject: bytes, scope: bytes
    ) -> None:
        self._check_controller(issuer, sender)
        given = keccak256(keccak256(b"guildmark/accreditation/v1") + issuer + subject + scope)
        self.emit(ContractName.IDENTITIES, "AccreditationRevoked", accreditation=given)

    def _identities_claimPublic(
        self, sender: Address, issuer: bytes, subject: bytes, scheme: bytes, *said: Any
    ) -> None:
        value, salt, evidence = said
        name = scheme.rstrip(b"\0")
        digest = sha256(b"guildmark/claim/v1" + salt + name + b"\0" + value.encode())
        self._identities_claim(sender, issuer, subject, scheme, digest, evidence)
        made = self.log[-1].args["claim"]
        self.emit(ContractName.IDENTITIES, "ClaimShown", claim=made, salt=salt, value=value)

    def _identities_setGuardians(
        self, sender: Address, identity: bytes, guardians: list[Address], *bounds: int
    ) -> None:
        self._check_controller(identity, sender)
        threshold, delay = bounds
        epoch = 1 + sum(
            event.name == "GuardiansProposed" and event.args["id"] == identity for event in self.log
        )
        said = {"id": identity, "epoch": epoch, "guardians": guardians}
        ready_at = self.now + (delay if epoch > 1 else 0)
        more = {"threshold": threshold, "delay": delay, "readyAt": ready_at}
        self.emit(ContractName.IDENTITIES, "GuardiansProposed", **said, **more)
        if epoch == 1:
            self._identities_applyGuardians(sender, identity)

    def _identities_applyGuardians(self, sender: Address, identity: bytes) -> None:
        self._check_controller(identity, sender)
        named = [event for event in self.log if event.name == "GuardiansProposed"]
        epoch = named[-1].args["epoch"]
        self.emit(ContractName.IDENTITIES, "GuardiansChanged", id=identity, epoch=epoch)

    def _identities_supportCandidate(
        self, sender: Address, identity: bytes, candidate: Address
    ) -> None:
        """Let one guardian be enough."""
        said = {"id": identity, "guardian": sender, "candidate": candidate}
        self.emit(ContractName.IDENTITIES, "CandidateSupported", backers=1, **said)
        if any(candidate):
            self.candidates[identity] = candidate
            started = {"id": identity, "candidate": candidate, "readyAt": self.now + 100}
            self.emit(ContractName.IDENTITIES, "RecoveryStarted", **started)
        else:
            self._end_recovery(identity)

    def _identities_cancelRecovery(self, sender: Address, identity: bytes) -> None:
        self._check_controller(identity, sender)
        self._end_recovery(identity)

    def _identities_acceptRecovery(self, sender: Address, identity: bytes) -> None:
        if self.candidates.get(identity) != sender:
            message = "The account is not the candidate."
            raise CallerRefusedError(message)
        self._end_recovery(identity)
        self._change_controller(identity, sender)

    def _change_controller(self, identity: bytes, account: Address) -> None:
        self.controllers[identity] = account
        self.doubted.discard(identity)
        number = 2 + sum(
            event.name == "ControllerChanged" and event.args["id"] == identity for event in self.log
        )
        changed = {"id": identity, "controller": account, "number": number}
        self.emit(ContractName.IDENTITIES, "ControllerChanged", **changed)

    def _identities_proposeController(
        self, sender: Address, identity: bytes, account: Address
    ) -> None:
        self._check_controller(identity, sender)
        self.proposed[identity] = account
        said = {"id": identity, "controller": account}
        self.emit(ContractName.IDENTITIES, "ControllerProposed", **said)

    def _identities_acceptController(self, sender: Address, identity: bytes) -> None:
        if self.proposed.get(identity) != sender:
            message = "Another account was proposed, or none."
            raise CallerRefusedError(message)
        self._change_controller(identity, sender)

    def _end_recovery(self, identity: bytes) -> None:
        candidate = self.candidates.pop(identity)
        self.emit(ContractName.IDENTITIES, "RecoveryEnded", id=identity, candidate=candidate)

    def _designs_commit(self, sender: Address, commitment: bytes) -> None:
        self.emit(ContractName.DESIGNS, "DesignCommitted", commitment=commitment, at=self.now)

    def _designs_register(
        self,
        sender: Address,
        root: Digest,
        salt: Bytes32,
        ciphertext: Digest,
        manifest: Digest,
        cid: str,
    ) -> None:
        commitment = Commitment(
            chain_id=CHAIN_ID, registry=address("designs"), owner=sender, root=root, salt=salt
        )
        design = commitment.design_id()
        self.emit(
            ContractName.DESIGNS, "DesignRegistered", design=design, owner=sender, priority=self.now
        )
        self._publish_revision(design, root, ciphertext, manifest, cid)
        token = int.from_bytes(design, "big")
        moved = {"from": Address(bytes(20)), "to": sender, "tokenId": token}
        self.emit(ContractName.DESIGNS, "Transfer", **moved)

    def _designs_publish(self, sender: Address, design: bytes, revisions: int, *files: Any) -> None:
        if self._owners(design)[-1] != sender:
            message = "The account does not own the design."
            raise CallerRefusedError(message)
        assert self.revisions[design] == revisions
        self._publish_revision(design, *files)

    def _publish_revision(
        self,
        design: bytes,
        root: Digest,
        ciphertext: Digest,
        manifest: Digest,
        cid: str,
        derived_from: Sequence[bytes] = (),
    ) -> None:
        number = self.revisions.get(design, 0) + 1
        self.revisions[design] = number
        struct = {
            "design": design,
            "number": number,
            "root": root,
            "ciphertext": ciphertext,
            "manifest": manifest,
            "at": self.now,
            "derivedFrom": list(derived_from),
        }
        self.emit(
            ContractName.DESIGNS,
            "RevisionPublished",
            design=design,
            number=number,
            revision=struct,
            cid=cid,
        )

    def _designs_transferIf(self, sender: Address, design: bytes, to: bytes, state: bytes) -> None:
        if self._state_hash(design) != state:
            message = "The design has another state."
            raise RevisionStaleError(message)
        token = int.from_bytes(design, "big")
        moved = {"from": sender, "to": to, "tokenId": token}
        self.emit(ContractName.DESIGNS, "Transfer", **moved)

    def _designs_setResale(self, sender: Address, design: bytes, to: bytes, points: int) -> None:
        said = {"design": design, "receiver": to, "basisPoints": points}
        self.emit(ContractName.DESIGNS, "ResaleSet", **said)

    def _recipes_publish(self, sender: Address, struct: tuple[Any, ...], status: int) -> None:
        names = ("root", "design", "revision", "supersedes", "change", "plan")
        members = dict(zip(names, struct, strict=True))
        recipe = Recipe(**{**members, "change": Change(members["change"])})
        self.emit(
            ContractName.RECIPES,
            "RecipePublished",
            id=recipe.id(),
            design=recipe.design,
            recipe=members,
            status=int(status),
        )

    def _recipes_setStatus(self, sender: Address, recipe: bytes, steps: int, status: int) -> None:
        if steps != len(self._steps(recipe)) or self._steps(recipe)[-1] in {int(status), 5}:
            message = "The recipe cannot take this step."
            raise RecipeStepError(message)
        changed = {"status": int(status), "number": steps + 1}
        self.emit(ContractName.RECIPES, "RecipeStatusChanged", id=recipe, **changed)

    def _recipes_publishSiteRecipe(self, sender: Address, struct: tuple[Any, ...]) -> None:
        names = ("master", "site", "model", "root")
        members = dict(zip(names, struct, strict=True))
        recipe = SiteRecipe(**members)
        self._check_controller(recipe.site, sender)
        self.emit(
            ContractName.RECIPES,
            "SiteRecipePublished",
            id=recipe.id(),
            master=recipe.master,
            site=recipe.site,
            recipe=members,
        )

    def _equivalence_register(self, sender: Address, struct: tuple[Any, ...]) -> None:
        names = ("recipe", "sponsor", "evaluator", "document", "commitBy", "revealBy", "sites")
        members = dict(zip(names, struct, strict=True))
        self._check_controller(members["sponsor"], sender)
        plan = _plan_id(struct)
        self.emit(
            ContractName.EQUIVALENCE,
            "PlanRegistered",
            id=plan,
            recipe=members["recipe"],
            plan=members,
        )

    def _equivalence_join(
        self, sender: Address, struct: tuple[Any, ...], site: bytes, scope: Digest
    ) -> None:
        self._check_controller(site, sender)
        joined = [event for event in self.log if event.name == "PlanJoined"]
        number = 1 + sum(event.args["site"] == site for event in joined)
        place = {"plan": _plan_id(struct), "site": site}
        self.emit(ContractName.EQUIVALENCE, "PlanJoined", **place, number=number, scope=scope)

    def _equivalence_commit(self, sender: Address, plan: bytes, site: bytes, blind: Digest) -> None:
        self._check_controller(site, sender)
        place = {"plan": plan, "site": site}
        self.emit(ContractName.EQUIVALENCE, "DataCommitted", **place, blind=blind)

    def _equivalence_reveal(
        self, sender: Address, plan: bytes, site: bytes, root: Digest, salt: bytes
    ) -> None:
        place = {"plan": plan, "site": site}
        self.emit(ContractName.EQUIVALENCE, "DataRevealed", **place, root=root)

    def _equivalence_certify(
        self, sender: Address, plan: bytes, site: bytes, verdict: int, result: Digest, until: int
    ) -> None:
        said = {"verdict": int(verdict), "result": result, "to": until}
        self.emit(ContractName.EQUIVALENCE, "SiteCertified", plan=plan, site=site, **said)

    def _equivalence_challenge(
        self, sender: Address, plan: bytes, site: bytes, challenger: bytes, result: Digest
    ) -> None:
        self._check_controller(challenger, sender)
        said = {"challenger": challenger, "result": result}
        self.emit(ContractName.EQUIVALENCE, "CertificateChallenged", plan=plan, site=site, **said)

    def _equivalence_suspend(
        self, sender: Address, plan: bytes, site: bytes, reason: Digest
    ) -> None:
        place = {"plan": plan, "site": site}
        self.emit(ContractName.EQUIVALENCE, "CertificateSuspended", **place, reason=reason)

    def _equivalence_lapse(self, sender: Address, plan: bytes, site: bytes, cause: int) -> None:
        place = {"plan": plan, "site": site}
        self.emit(ContractName.EQUIVALENCE, "CertificateLapsed", **place, cause=int(cause))

    def _recalls_recallDesign(self, sender: Address, design: bytes, terms: tuple[Any, ...]) -> None:
        if self._owners(design)[-1] != sender:
            message = "The account does not own the design."
            raise CallerRefusedError(message)
        self._recall((7, design, bytes(32)), bytes(32), sender.rjust(32, b"\0"), terms)

    def _recalls_recallMachine(
        self, sender: Address, machine: bytes, number: int, terms: tuple[Any, ...]
    ) -> None:
        assert self._controllers(machine)[number - 1] == sender
        self._recall((3, machine, bytes(32)), bytes(32), sender.rjust(32, b"\0"), terms)

    def _recalls_recallAs(
        self, sender: Address, authority: bytes, thing: tuple[Any, ...], terms: tuple[Any, ...]
    ) -> None:
        self._check_controller(authority, sender)
        self._recall(thing, authority, authority, terms)

    def _recalls_ask(self, sender: Address, thing: tuple[Any, ...], terms: tuple[Any, ...]) -> None:
        named = _thing(thing)
        said = {"thing": _thing_args(named), "terms": _recall_terms(terms)}
        self.emit(ContractName.RECALLS, "RecallAsked", key=named.key(), account=sender, **said)

    def _recalls_close(
        self, _: Address, key: bytes, by: bytes, number: int, reason: Digest
    ) -> None:
        place = {"key": key, "by": by, "number": number}
        self.emit(ContractName.RECALLS, "RecallClosed", **place, reason=reason)

    def _recall(
        self, thing: tuple[Any, ...], by: bytes, issuer: bytes, terms: tuple[Any, ...]
    ) -> None:
        named, said = _thing(thing), _recall_terms(terms)
        place = {"key": named.key(), "by": by}
        count = len(self._recalls_in(named.key(), by))
        if said["follows"] != count:
            message = f"The thing has {count} recalls."
            raise RecallStaleError(message)
        more = {"issuer": issuer, "number": count + 1, "thing": _thing_args(named), "terms": said}
        self.emit(ContractName.RECALLS, "RecallIssued", **place, **more)

    def _licenses_grant(
        self, sender: Address, struct: tuple[Any, ...], signature: bytes, acceptance: bytes
    ) -> None:
        terms = _terms(struct)
        self._require_new(terms)
        place = self._add_license(terms, 1, 0)
        self.emit(
            ContractName.LICENSES,
            "LicenseGranted",
            id=self._license_id(terms),
            design=terms.design,
            terms=dict(zip(_TERMS, struct, strict=True)),
            **place,
        )
        self._take_fee(terms)

    def _licenses_sublicense(
        self,
        sender: Address,
        lane: int,
        end: int,
        struct: tuple[Any, ...],
        signature: bytes,
        acceptance: bytes,
    ) -> None:
        terms, source = _terms(struct), self.lanes[lane]
        self._require_new(terms)
        if end != source.end:
            message = f"The lane ends at {source.end}."
            raise LaneStaleError(message)
        place = self._add_license(terms, source.end - terms.units, lane)
        source.end -= terms.units
        self.emit(
            ContractName.LICENSES,
            "LicenseSublicensed",
            id=self._license_id(terms),
            from_=lane,
            terms=dict(zip(_TERMS, struct, strict=True)),
            **place,
        )
        self._take_fee(terms)

    def _require_new(self, terms: Terms) -> None:
        if self._number_of(self._license_id(terms)):
            message = "The license is granted already."
            raise LicenseGrantedError(message)

    def _add_license(self, terms: Terms, first: int, source: int) -> dict[str, int]:
        number, lane = len(self.terms) + 1, len(self.lanes) + 1
        self.terms[number] = terms
        self.first_lanes[number] = lane
        self.lanes[lane] = Lane(
            number, first, first, first + terms.units, 0, terms.holder, source=source
        )
        return {"number": number, "lane": lane}

    def _license_id(self, terms: Terms) -> LicenseId:
        return terms.license_id(licenses_domain(chain_id=CHAIN_ID, contract=address("licenses")))

    def _take_fee(self, terms: Terms) -> None:
        if self.value != terms.value:
            message = f"The fee is {terms.value}, sent are {self.value}."
            raise PaymentRefusedError(message)

    def _licenses_extend(
        self, sender: Address, license_id: bytes, units: int, more: int, until: int, sig: bytes
    ) -> None:
        number = self._number_of(license_id)
        extended = [event.args for event in self.log if event.name == "LicenseExtended"]
        added = sum(one["end"] - one["first"] for one in extended if one["id"] == license_id)
        if units != self.terms[number].units + added:
            message = "The license has other units."
            raise LaneStaleError(message)
        lane = len(self.lanes) + 1
        first, end = units + 1, units + more + 1
        self.lanes[lane] = Lane(number, first, first, end, 0, self.terms[number].holder)
        place = {"lane": lane, "first": first, "end": end}
        epoch = len(self._owners(self.terms[number].design)) - 1
        self.emit(ContractName.LICENSES, "LicenseExtended", id=license_id, epoch=epoch, **place)

    def _licenses_reclaim(self, sender: Address, number: int) -> None:
        lane = self.lanes[number]
        source = self.lanes[lane.source]
        self._check_controller(source.holder, sender)
        if not lane.reclaim_at:
            lane.reclaim_at = self.now + self.terms[lane.license].notice
            announced = {"lane": number, "at": lane.reclaim_at}
            self.emit(ContractName.LICENSES, "LaneReclaimAnnounced", **announced)
            return
        if self.now < lane.reclaim_at:
            message = "The notice has not passed."
            raise ReclaimStateError(message)
        new, first, end = len(self.lanes) + 1, lane.next, lane.end
        lane.end = first
        self.lanes[new] = Lane(
            source.license, first, first, end, 0, source.holder, source=source.source
        )
        cut = {"lane": new, "from": number, "holder": source.holder, "first": first, "end": end}
        self.emit(ContractName.LICENSES, "LaneReclaimed", **cut)

    def _licenses_pay(self, sender: Address, lane: int, number: int, paid: int, units: int) -> None:
        terms = self.terms[number]
        amount = terms.royalty * units
        drawn = self.lanes[lane].next - self.lanes[lane].first
        value = amount if terms.currency == ZERO_ADDRESS else 0
        if paid + units > drawn or self.value != value:
            message = f"So much is not owed, or {self.value} is not {value}."
            raise PaymentRefusedError(message)
        self.credits[terms.currency] = self.credits.get(terms.currency, 0) + amount
        what = {"lane": lane, "license": number, "to": sender, "currency": terms.currency}
        self.emit(ContractName.LICENSES, "RoyaltyPaid", units=units, amount=amount, **what)

    def _licenses_withdraw(self, sender: Address, currency: Address, to: Address) -> None:
        amount = self.credits.pop(currency, 0)
        if not amount:
            message = "Nothing waits."
            raise CreditMissingError(message)
        taken = {"currency": currency, "account": sender, "to": to, "amount": amount}
        self.emit(ContractName.LICENSES, "CreditWithdrawn", **taken)

    def _licenses_split(
        self, sender: Address, lane: int, end: int, n: int, log: int, to: bytes
    ) -> None:
        source = self.lanes[lane]
        self._check_controller(source.holder, sender)
        if end != source.end:
            message = f"The lane ends at {source.end}."
            raise LaneStaleError(message)
        first, new = end - n, len(self.lanes) + 1
        source.end = first
        self.lanes[new] = Lane(source.license, first, first, end, log, to, source=lane)
        place = {"lane": new, "from": lane, "holder": to, "first": first, "end": end}
        self.emit(ContractName.LICENSES, "LaneSplit", log=log, **place)

    def _licenses_stop(self, sender: Address, license_id: bytes, at: int) -> None:
        self.stops[self._number_of(license_id)] = at
        self.emit(ContractName.LICENSES, "LicenseStopped", id=license_id, at=at)

    def _log_open(self, sender: Address, operator: bytes, writer: Address, continues: int) -> None:
        self._check_controller(operator, sender)
        number = len(self.heads) + 1
        self.heads[number] = Head(operator, writer)
        opened = {"log": number, "operator": operator, "writer": writer}
        self.emit(ContractName.LOG, "LogOpened", continues=continues, **opened)

    def _log_setWriter(self, sender: Address, log: int, writer: Address) -> None:
        self._check_controller(self.heads[log].operator, sender)
        self.heads[log].writer = writer
        self.emit(ContractName.LOG, "WriterChanged", log=log, writer=writer)

    def _log_close(self, sender: Address, log: int) -> None:
        self._check_controller(self.heads[log].operator, sender)
        self.heads[log].writer = Address(bytes(20))
        self.emit(ContractName.LOG, "LogClosed", log=log)

    def _log_tick(self, sender: Address) -> None:
        self._append(LogNumber(0), Seq(self.ticks), Index(0), 0, Digest(bytes(32)), ())
        self.ticks += 1

    def _log_append(
        self,
        sender: Address,
        log: int,
        seq: int,
        count: int,
        root: Digest,
        draws: Sequence[tuple[int, int]],
    ) -> None:
        head = self.heads[log]
        if sender != head.writer:
            message = "The account is not the log's writer."
            raise CallerRefusedError(message)
        if seq != head.seq:
            message = f"The log is at record {head.seq}."
            raise LogStaleError(message)
        grants = tuple(self._draw(lane, n) for lane, n in draws)
        self._append(LogNumber(log), Seq(seq), Index(head.size), count, root, grants)
        head.size, head.seq = head.size + count, seq + 1

    def _draw(self, lane: int, n: int) -> Grant:
        drawn = self.lanes[lane]
        first = drawn.next if n <= drawn.end - drawn.next else 0
        if first:
            drawn.next += n
            self.emit(ContractName.LICENSES, "UnitsDrawn", lane=lane, first=first, n=n)
        return Grant(lane=LaneNumber(lane), n=n, first_unit=UnitNumber(first))

    def _append(
        self,
        log: LogNumber,
        seq: Seq,
        first_index: Index,
        count: int,
        root: Digest,
        grants: tuple[Grant, ...],
    ) -> None:
        struct = {
            "log": log,
            "seq": seq,
            "firstIndex": first_index,
            "count": count,
            "time": self.now,
            "parent": Bytes32(self.blocks[-2].hash),
            "root": root,
            "grants": [
                {"lane": grant.lane, "n": grant.n, "firstUnit": grant.first_unit}
                for grant in grants
            ],
        }
        self.emit(ContractName.LOG, "RecordAppended", log=log, seq=seq, record=struct)

    def _parts_voidPart(self, sender: Address, *args: Any) -> None:
        record, position, _signature = args
        part = record[0] << 64 | record[2] + position
        self.emit(ContractName.PARTS, "PartVoided", part=part, holder=bytes(32))

    def _parts_supersede(self, sender: Address, *args: Any) -> None:
        record, position, by, _writer, _possessor = args
        part = record[0] << 64 | record[2] + position
        self.emit(ContractName.PARTS, "PartSuperseded", part=part, byIndex=by)

    def _parts_materialise(self, sender: Address, *args: Any) -> None:
        record, position, entry, _salt, _path, to = args
        part = record[0] << 64 | record[2] + position
        made = {"part": part, "holder": entry[3], "to": to, "entry": entry}
        self.emit(ContractName.PARTS, "PartMaterialised", **made)
        moved = {"from": Address(bytes(20)), "to": to, "tokenId": part}
        self.emit(ContractName.PARTS, "Transfer", **moved)


_TERMS = (
    *("design", "designEpoch", "units", "holder", "notBefore", "notAfter", "notice"),
    *("parent", "currency", "royalty", "fee", "offerUntil", "nonce", "termsRoot"),
)


def _terms(struct: tuple[Any, ...]) -> Terms:
    names = (
        *("design", "design_epoch", "units", "holder", "not_before", "not_after", "notice"),
        *("parent", "currency", "royalty", "fee", "offer_until", "nonce", "terms_root"),
    )
    return Terms(**dict(zip(names, struct, strict=True)))


def _revision(struct: Mapping[str, Any]) -> Revision:
    return Revision(
        design=struct["design"],
        number=struct["number"],
        root=struct["root"],
        ciphertext=struct["ciphertext"],
        manifest=struct["manifest"],
        at=struct["at"],
        derived_from=tuple(struct["derivedFrom"]),
    )


@dataclass
class MemoryVitals:
    """Fulfils ``Vitals``: an account with coin for as many records as a test says."""

    purse_: Purse = field(default_factory=lambda: Purse(balance=10**18, price=10**9))
    since: int | None = None
    handles_: Handles = field(default_factory=lambda: Handles(held=1, most=100))

    def purse(self, account: Address) -> Purse:
        return self.purse_

    def oldest(self) -> int | None:
        return self.since

    def handles(self) -> Handles:
        return self.handles_


@dataclass
class MemoryOutbox:
    """Fulfils ``Transactions``: what is submitted lands at once, unless it is held."""

    chain: MemoryChain
    keys: MemoryKeyStore
    held: bool = False
    """Whether calls wait until ``advance``."""
    sent: dict[str, tuple[Call, KeyName]] = field(default_factory=dict)
    landed: dict[str, TransactionStatus] = field(default_factory=dict)

    def submit(
        self, call: Call, *, key: KeyName, idempotency: str, former: str | None = None
    ) -> TransactionId:
        if idempotency not in self.sent and former in self.sent and self.sent[former][1] == key:
            idempotency = former
        if idempotency not in self.sent:
            self.sent[idempotency] = (call, key)
            if not self.held:
                self._land(idempotency)
        elif self.sent[idempotency] != (call, key):
            message = f"{idempotency!r} named another call before."
            raise IdempotencyMismatchError(message)
        return TransactionId(idempotency)

    def status(self, transaction: TransactionId) -> TransactionStatus:
        waiting = TransactionStatus(id=transaction, state=TransactionState.PENDING)
        landed = self.landed.get(transaction, waiting)
        final = landed.block and landed.block.number <= self.chain.head(final=True).number
        if final and landed.state is TransactionState.INCLUDED:
            return replace(landed, state=TransactionState.FINAL)
        return landed

    def wait(
        self, transaction: TransactionId, *, finality: Finality, timeout: float
    ) -> TransactionStatus:
        return self.status(transaction)

    def bump(self, transaction: TransactionId) -> TransactionStatus:
        self._land(transaction)
        return self.status(transaction)

    def cancel(self, transaction: TransactionId) -> TransactionStatus:
        self.landed[transaction] = TransactionStatus(
            id=transaction, state=TransactionState.FAILED, code="transaction.cancelled"
        )
        return self.status(transaction)

    def advance(self) -> int:
        for idempotency in self.sent:
            if idempotency not in self.landed:
                self._land(idempotency)
        return 0

    def _land(self, idempotency: str) -> None:
        call, key = self.sent[idempotency]
        status = TransactionStatus(id=TransactionId(idempotency), state=TransactionState.FAILED)
        try:
            events = self.chain.execute(call, self.keys.address(key))
        except GuildmarkError as refused:
            if call.gas is None:
                del self.sent[idempotency]
                raise
            self.landed[idempotency] = replace(status, code=refused.code, reason=refused.message)
            return
        self.landed[idempotency] = replace(
            status,
            state=TransactionState.INCLUDED,
            block=self.chain.blocks[-1],
            events=tuple(events),
        )


def _thing(struct: tuple[Any, ...]) -> Thing:
    cause, identifier, detail = struct
    return Thing(cause=RecallCause(cause), id=identifier, detail=detail)


def _thing_args(thing: Thing) -> Mapping[str, Any]:
    return {"cause": int(thing.cause), "id": thing.id, "detail": thing.detail}


def _recall_terms(struct: tuple[Any, ...]) -> Mapping[str, Any]:
    names = ("follows", "from", "to", "severity", "reason")
    return dict(zip(names, struct, strict=True))


def _plan_id(struct: tuple[Any, ...]) -> bytes:
    recipe, sponsor, evaluator, document, commit_by, reveal_by, sites = struct
    return Registration(
        recipe=recipe,
        sponsor=sponsor,
        evaluator=evaluator,
        document=document,
        commit_by=commit_by,
        reveal_by=reveal_by,
        sites=tuple(sites),
    ).id()
