"""Key release: who may have the keys of a design's files, decided at the newest block.

What allows it must be final; what forbids it counts from the newest block on. The receipt is
durable, in the queue of this node's log, before the keys leave it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

from guildmark.domain.builds.dsse import Envelope, envelope_digest, pre_authentication_encoding
from guildmark.domain.builds.statement import PAYLOAD_TYPE
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.facts import (
    NO_LANE,
    IdentityFact,
    KeyFact,
    LaneFact,
    LicenseFact,
    LicenseNumberFact,
    LinkFact,
    ParentFact,
    RecipeFact,
    RevisionFact,
)
from guildmark.domain.encoding import codec
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.errors import (
    ConflictError,
    MalformedError,
    NotCoveredError,
    NotFinalError,
    RecalledError,
    RevokedError,
    SignatureError,
    UntrustedError,
)
from guildmark.domain.identifiers import (
    Address,
    Bytes32,
    ChainId,
    Digest,
    IdentityId,
    LicenseId,
    LogNumber,
    to_hex,
)
from guildmark.domain.identity.accounts import account_key, message_digest, verifier_of
from guildmark.domain.log.queue import Queued
from guildmark.domain.recipes.clauses import DisclosedClauses
from guildmark.domain.recipes.recipe import Status
from guildmark.domain.rights.metering import (
    LicenseEndedError,
    LicenseNotBegunError,
    LicenseStoppedError,
    QuotaExceededError,
)
from guildmark.domain.rights.release import (
    NO_MACHINE,
    REQUEST_PAYLOAD_TYPE,
    ContentKeys,
    Released,
    ReleaseReceipt,
    ReleaseRequest,
    request_id,
)
from guildmark.domain.rights.terms import Allowance, TermsKind, allows, named_in, revision_member
from guildmark.domain.signatures import Algorithm, PublicKey
from guildmark.domain.trust import Trust
from guildmark.ports.chain import Block, Call, Ledger
from guildmark.ports.clock import Entropy
from guildmark.ports.content import Vault
from guildmark.ports.keys import KeyName, KeyStore
from guildmark.ports.peers import RecallHook
from guildmark.ports.store import DocumentKind, View
from guildmark.services.identity.notices import counting, is_act_doubted, is_speaker_doubted
from guildmark.services.index.projection import known
from guildmark.services.log.admission import (
    DesignMismatchError,
    LaneMismatchError,
    NotAllowedError,
    RecipeNotInForceError,
)
from guildmark.services.release.deposits import Deposit, Deposits
from guildmark.services.release.packages import licensed
from guildmark.services.rights.giving import check_given, check_published, published_times
from guildmark.services.rights.lawful import Place

REQUEST_AGE = 3600
"""Seconds of chain time between the block that a request names and the newest final one."""

RECEIPT_LABEL = "urn:guildmark:release:"

_SALT_SIZE = 32


class RequestTypeError(MalformedError):
    """The envelope holds something else than a request for keys."""

    code = "release.payloadType"
    hint = "Let `guildmark package open` make the request."


class OtherChainError(NotCoveredError):
    """A request is for another chain, or for another registry on it."""

    code = "release.otherChain"
    hint = "Make the request again for the chain of this node."


class OtherReleaserError(NotCoveredError):
    """A request names another operator than this node's."""

    code = "release.otherReleaser"
    hint = "Make the request again for the operator of this node."


class RequestStaleError(ConflictError):
    """A request names no final block of the last hour."""

    code = "release.requestStale"
    hint = "Make the request again; a request counts for an hour."


class AskerRefusedError(SignatureError):
    """The request was not signed by a key of its machine, or by who speaks for its site."""

    code = "release.askerRefused"
    hint = "Sign with a registered key of the machine, or as the site's controller."


class AskerKeyRevokedError(RevokedError):
    """The machine's key has ended."""

    code = "release.keyRevoked"
    hint = "Sign with the machine's present key."


class AskerKeySuspectedError(RevokedError):
    """The machine's key is under notice."""

    code = "release.keyUnderNotice"
    hint = "Give the machine a new key, and sign with it."


class AskerInRecoveryError(RevokedError):
    """Guardians are giving the site another controller."""

    code = "release.siteInRecovery"
    hint = "Ask again when the recovery has ended."


class AskerUnderNoticeError(RevokedError):
    """Who speaks for the machine, its site or its organization may not be himself."""

    code = "release.siteUnderNotice"
    hint = "Give what is named another controller, then ask again."


class AskerDoubtedError(RevokedError):
    """The machine's key or a link above it was made while its maker's account is doubted."""

    code = "release.madeInDoubt"
    hint = "End the key or the link that is named, make it anew, then ask again."


class AskerElsewhereError(UntrustedError):
    """The machine does not belong to the site, or the site to no organization."""

    code = "release.linkMissing"
    hint = "Link the machine to its site and the site to its organization."


class MachineNeededError(NotCoveredError):
    """A license names machines; a site as a whole gets no keys under it."""

    code = "release.machineNeeded"
    hint = "Let one of the machines that the license names ask."


class LicenseNotFinalError(NotFinalError):
    """No final block grants the license or the lane."""

    code = "release.licenseNotFinal"
    hint = "Wait until the license and the lane are final, then ask again."


class HeldBackError(RecalledError):
    """The design, the recipe or the machine is held back, or recalled."""

    code = "release.blocked"
    hint = "Ask the operator of the node or the designer what is to be done first."


class Addressed(Protocol):
    """Something signed for one node of one chain."""

    @property
    def chain_id(self) -> ChainId:
        """Return the chain."""
        ...

    @property
    def registry(self) -> Address:
        """Return the license registry."""
        ...

    @property
    def releaser(self) -> IdentityId:
        """Return the node's operator."""
        ...

    @property
    def block(self) -> int:
        """Return the block by which it is fresh."""
        ...

    @property
    def block_hash(self) -> Digest:
        """Return that block's hash."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A release, and whether the same request was answered before."""

    released: Released
    is_repeated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A request in the middle of its examination.

    Args:
        id: Its id.
        view: What this node knows, up to the newest final block.
        head: The newest block.
    """

    id: Digest
    request: ReleaseRequest
    envelope: Envelope
    view: View
    head: Block


@dataclass(frozen=True, slots=True, kw_only=True)
class _Allowed:
    """A request that may be answered."""

    asked: _Asked
    maker: IdentityId
    keys: ContentKeys


@dataclass(frozen=True, slots=True, kw_only=True)
class Releasing:
    """Use cases around the release of keys by one node.

    Args:
        recalls: Asked before every release.
        trust: Which authorities' notices count.
        operator: The operator of this node.
        log: The log of this node.
        writer: The key of the log's writer, which signs receipts.
    """

    ledger: Ledger
    keys: KeyStore
    vault: Vault
    entropy: Entropy
    deposits: Deposits
    recalls: RecallHook
    trust: Trust
    operator: IdentityId
    log: LogNumber
    writer: KeyName

    def release(self, data: bytes) -> Answered:
        """Answer a signed request with the keys, sealed to the asker, and a receipt.

        The same request is examined again and gets the same answer; it is logged once.

        Raises:
            GuildmarkError: The first thing that does not hold; its code says which.
        """
        store = self.deposits.packages.store
        with store.reading() as view:
            allowed = self._examine(data, view)
        # Nobody waits for the chain or the seal inside a transaction.
        released, entry = self._prepare(allowed)
        with store.writing() as work:
            before = work.documents.get(DocumentKind.RELEASE, entry.payload)
            if before is not None:
                return Answered(released=Released.parse(before), is_repeated=True)
            work.log.accept(entry)
            work.documents.put(DocumentKind.RELEASE, entry.payload, released.encode())
        return Answered(released=released, is_repeated=False)

    def _examine(self, data: bytes, view: View) -> _Allowed:
        envelope = Envelope.parse(data)
        envelope.check_type(REQUEST_PAYLOAD_TYPE, "request for keys", RequestTypeError)
        asked = _Asked(
            id=request_id(envelope.payload),
            request=ReleaseRequest.parse(envelope.payload),
            envelope=envelope,
            view=view,
            head=self.ledger.head(final=False),
        )
        check_addressed(asked.request, self.ledger, self.operator)
        self._check_signed(asked)
        maker = self._maker(asked)
        granted = self._check_lane(asked)
        self._check_recalls(asked.request)
        request = asked.request
        deposit = self.deposits.opened(
            request.license, request.recipe, releaser=self.operator, view=view
        )
        self._check_licenses(asked, granted, maker, deposit)
        self._check_recipe(asked, granted)
        return _Allowed(asked=asked, maker=maker, keys=deposit.keys)

    def _check_signed(self, asked: _Asked) -> None:
        if asked.request.machine == NO_MACHINE:
            self._check_site_signed(asked)
        else:
            self._check_machine_signed(asked)

    def _check_machine_signed(self, asked: _Asked) -> None:
        machine = asked.request.machine
        found = [asked.view.facts.get(KeyFact, one.key) for one in asked.envelope.signatures]
        own = [key for key in found if key and key.machine == machine]
        if not own:
            message = f"No key of machine {to_hex(machine)} signed the request."
            raise AskerRefusedError(message, machine=to_hex(machine))
        asked.envelope.verify({key.id: _public_key(key).verify for key in own})
        newest = self.ledger.read_all([_identities("keyOf", key.id) for key in own])
        for key, now in zip(own, newest, strict=True):
            _check_good(key, now)
            self._check_undoubted_key(asked, key)

    def _check_undoubted_key(self, asked: _Asked, key: KeyFact) -> None:
        machine, facts = key.machine, asked.view.facts
        if any(one.target == Bytes32(key.id) for one in counting(machine, facts, self.trust)):
            message = f"The key {to_hex(key.id)} is under an authority's notice."
            raise AskerKeySuspectedError(message, key=to_hex(key.id))
        if is_act_doubted(machine, key.since, facts, self.trust):
            message = f"Who added the key {to_hex(key.id)} at {key.since} is doubted."
            raise AskerDoubtedError(message, key=to_hex(key.id), since=key.since)

    def _check_site_signed(self, asked: _Asked) -> None:
        site = asked.request.site
        fact = asked.view.facts.get(IdentityFact, site)
        found = self.ledger.read(_identities("speakerOf", site))
        speaker, in_recovery, _ = found
        # Who speaks for it must do so in a final block, and still.
        if fact is None or fact.controller != speaker:
            message = f"Nobody speaks for site {to_hex(site)} in a final block and now."
            raise AskerRefusedError(message, site=to_hex(site))
        account = Address(fact.controller)
        asked.envelope.verify({account_key(account): verifier_of(account)})
        if in_recovery:
            message = f"Guardians are giving site {to_hex(site)} another controller."
            raise AskerInRecoveryError(message, site=to_hex(site))

    def _maker(self, asked: _Asked) -> IdentityId:
        site, machine = asked.request.site, asked.request.machine
        maker = asked.view.facts.get(ParentFact, site)
        children = [site] if machine == NO_MACHINE else [site, machine]
        newest = self.ledger.read_all([_identities("parentOf", one) for one in children])
        if maker is None or not any(maker.parent) or newest[0] != maker.parent:
            message = f"Site {to_hex(site)} belongs to no organization."
            raise AskerElsewhereError(message, child=to_hex(site))
        if machine != NO_MACHINE:
            own = asked.view.facts.get(ParentFact, machine)
            if own is None or not own.parent == newest[1] == site:
                message = f"Machine {to_hex(machine)} does not belong to site {to_hex(site)}."
                raise AskerElsewhereError(message, child=to_hex(machine), parent=to_hex(site))
        self._check_line(asked, [*reversed(children), maker.parent])
        return maker.parent

    def _check_line(self, asked: _Asked, line: Sequence[IdentityId]) -> None:
        """Refuse where somebody else may speak for the asker or those above, or linked them."""
        facts = asked.view.facts
        newest = self.ledger.read_all([_identities("speakerOf", one) for one in line])
        for one, (_, _, under_notice) in zip(line, newest, strict=True):
            if under_notice or is_speaker_doubted(one, facts, self.trust):
                message = f"The controller of {to_hex(one)} is under notice."
                raise AskerUnderNoticeError(message, identity=to_hex(one))
        for child, parent in pairwise(line):
            since = facts.each(LinkFact, child, parent)[-1].since
            if any(is_act_doubted(one, since, facts, self.trust) for one in (child, parent)):
                message = f"Who linked {to_hex(child)} and {to_hex(parent)} at {since} is doubted."
                raise AskerDoubtedError(message, child=to_hex(child), since=since)

    def _check_lane(self, asked: _Asked) -> LicenseFact:
        request, facts = asked.request, asked.view.facts
        numbered = facts.get(LicenseNumberFact, request.license)
        lane = facts.get(LaneFact, request.lane)
        if numbered is None or lane is None:
            message = f"No final block grants lane {request.lane} under this license."
            raise LicenseNotFinalError(message, license=to_hex(request.license))
        if lane.license != numbered.number or lane.holder != request.site:
            message = f"Lane {lane.number} is of another license or site."
            raise LaneMismatchError(message, lane=lane.number)
        now = self.ledger.read(_licenses("lane", lane.number))
        if now["next"] >= now["end"]:
            message = f"Lane {lane.number} has no undrawn units."
            raise QuotaExceededError(message, lane=lane.number, left=0, asked=1)
        return known(facts, LicenseFact, numbered.number)

    def _check_recalls(self, request: ReleaseRequest) -> None:
        reason = self.recalls.reason(request.design, request.recipe, request.machine)
        if reason is not None:
            message = f"Held back: {reason}"
            raise HeldBackError(message)

    def _check_licenses(
        self, asked: _Asked, granted: LicenseFact, maker: IdentityId, deposit: Deposit
    ) -> None:
        request, facts = asked.request, asked.view.facts
        place = Place.known(
            request.site, maker, asked.view, issuers=deposit.issuers, trust=self.trust
        )
        chain = list(licensed(granted.id, deposit.package, facts))
        lane, root = known(facts, LaneFact, request.lane), chain[-1][0]
        check_given(lane, root, facts, self.trust)
        times = published_times(
            facts.get(RevisionFact, request.design, request.revision),
            facts.get(RecipeFact, request.recipe),
            asked.head.time,
        )
        check_published(lane, root, times, facts, self.trust)
        newest = self.ledger.read_all([_licenses("license", one.number) for one, _ in chain])
        for (one, members), now in zip(chain, newest, strict=True):
            _check_going(one, now, asked.head.time)
            _check_named(one, members, request)
            place.check(one.number, members)

    def _check_recipe(self, asked: _Asked, granted: LicenseFact) -> None:
        request = asked.request
        recipe = asked.view.facts.get(RecipeFact, request.recipe)
        wanted = (request.design, request.revision)
        if (
            recipe is None
            or (recipe.recipe.design, recipe.recipe.revision) != wanted
            or granted.terms.design != request.design
        ):
            message = "The recipe is not of the design and revision that are asked for."
            raise DesignMismatchError(message, design=to_hex(request.design))
        steps = self.ledger.read(_recipes("stepCount", request.recipe))
        newest = self.ledger.read(_recipes("step", request.recipe, steps))["status"]
        for status in (recipe.status, newest):
            if status not in {Status.TRIAL, Status.QUALIFIED}:
                name = Status(status).name.lower()
                message = f"The recipe is {name}."
                raise RecipeNotInForceError(message, status=name)

    def _prepare(self, allowed: _Allowed) -> tuple[Released, Queued]:
        asked, request = allowed.asked, allowed.asked.request
        # A key that is none is refused here, before anything is logged.
        sealed = self.vault.seal(
            canonical(codec.dump(allowed.keys)), request.recipient, info=request.keys_context()
        )
        receipt = self._receipt(allowed)
        envelope = self._sign(receipt)
        digest = envelope_digest(envelope)
        entry = Queued(
            envelope=envelope,
            digest=digest,
            payload=asked.id,
            entry=receipt.entry(digest),
            salt=self._secret(),
            lane=NO_LANE,
            label=receipt_label(request.license),
            counter=0,
        )
        return Released(request=asked.id, sealed=sealed, receipt=envelope), entry

    def _receipt(self, allowed: _Allowed) -> ReleaseReceipt:
        request, head = allowed.asked.request, allowed.asked.head
        return ReleaseReceipt(
            releaser=self.operator,
            log=self.log,
            license=request.license,
            lane=request.lane,
            recipe=request.recipe,
            design=request.design,
            revision=request.revision,
            site=request.site,
            maker=allowed.maker,
            machine=request.machine,
            recipient=sha256(request.recipient),
            request=allowed.asked.id,
            block=head.number,
            block_hash=head.hash,
            at=head.time,
            files=len(allowed.keys.keys),
            salt=self._secret(),
        )

    def _sign(self, receipt: ReleaseReceipt) -> bytes:
        return sign_as_account(
            receipt.encode(), payload_type=PAYLOAD_TYPE, keys=self.keys, key=self.writer
        )

    def _secret(self) -> Bytes32:
        return Bytes32(self.entropy.token(_SALT_SIZE))


def check_addressed(asked: Addressed, ledger: Ledger, operator: IdentityId) -> None:
    """Check that something signed is for this chain and node, and fresh.

    Raises:
        OtherChainError: It is for another chain, or another registry.
        OtherReleaserError: It is for another node.
        RequestStaleError: It names no final block of the last hour.
    """
    pin = ledger.pin()
    registry = pin.contracts[ContractName.LICENSES].address
    if (asked.chain_id, asked.registry) != (pin.chain_id, registry):
        message = "The request is for another chain, or another registry on this one."
        raise OtherChainError(message, expected=pin.chain_id, found=asked.chain_id)
    if asked.releaser != operator:
        message = f"The request is for the node of {to_hex(asked.releaser)}."
        raise OtherReleaserError(message, expected=to_hex(operator))
    final = ledger.head(final=True)
    named = ledger.block(asked.block) if 0 <= asked.block <= final.number else None
    fresh = named is not None and final.time - named.time <= REQUEST_AGE
    if named is None or named.hash != asked.block_hash or not fresh:
        message = f"Block {asked.block} is no final block of the last {REQUEST_AGE} s."
        raise RequestStaleError(message, block=asked.block, final=final.number)


def receipt_label(license_id: LicenseId) -> str:
    """Return what the receipts of a license are found by in a node's own log: no part's label."""
    return RECEIPT_LABEL + to_hex(license_id)


def sign_as_account(payload: bytes, *, payload_type: str, keys: KeyStore, key: KeyName) -> bytes:
    """Return the envelope of a payload that an account signed.

    Raises:
        KeyMissingError: There is no such key.
        KeyPurposeError: It has no account.
    """
    signed = message_digest(pre_authentication_encoding(payload_type, payload))
    signer = account_key(keys.address(key))
    return Envelope.sign(
        payload,
        payload_type=payload_type,
        signers={signer: lambda _: keys.sign_digest(key, signed)},
    ).encode()


def _check_good(key: KeyFact, now: Any) -> None:
    """Refuse a key that has ended or is under notice, in a final block or at the newest one."""
    if key.notice_at or now["noticeAt"]:
        message = f"The key {to_hex(key.id)} is under notice."
        raise AskerKeySuspectedError(message, key=to_hex(key.id))
    if key.until or now["to"]:
        message = f"The key {to_hex(key.id)} has ended."
        raise AskerKeyRevokedError(message, key=to_hex(key.id))


def _check_going(granted: LicenseFact, now: Any, time: int) -> None:
    """Refuse what has not begun, has ended, or was stopped, be it from a later time on."""
    number = granted.number
    if granted.stop_at or now["stopAt"]:
        message = f"License {number} is stopped: it gives no keys any more."
        raise LicenseStoppedError(message, license=number)
    if time < now["notBefore"]:
        message = f"License {number} begins at {now['notBefore']}, the block's time is {time}."
        raise LicenseNotBegunError(message, license=number)
    if 0 < now["notAfter"] <= time:
        message = f"License {number} ended at {now['notAfter']}, the block's time is {time}."
        raise LicenseEndedError(message, license=number)


def _check_named(granted: LicenseFact, members: DisclosedClauses, request: ReleaseRequest) -> None:
    named = [
        (TermsKind.REVISION, revision_member(request.design, request.revision)),
        (TermsKind.RECIPE, to_hex(request.recipe)),
        (TermsKind.SITE, to_hex(request.site)),
    ]
    if request.machine != NO_MACHINE:
        named.append((TermsKind.MACHINE, to_hex(request.machine)))
    elif named_in(members, TermsKind.MACHINE):
        message = f"License {granted.number} names machines: one of them must ask."
        raise MachineNeededError(message, license=granted.number)
    for kind, value in named:
        if allows(members, kind, value) is not Allowance.YES:
            message = f"License {granted.number} does not allow {kind.value} {value}."
            raise NotAllowedError(message, kind=kind.value, value=value)


def _public_key(key: KeyFact) -> PublicKey:
    return PublicKey(algorithm=Algorithm(key.algorithm), data=key.public_key)


def _identities(function: str, *args: object) -> Call:
    return Call(contract=ContractName.IDENTITIES, function=function, args=args)


def _licenses(function: str, *args: object) -> Call:
    return Call(contract=ContractName.LICENSES, function=function, args=args)


def _recipes(function: str, *args: object) -> Call:
    return Call(contract=ContractName.RECIPES, function=function, args=args)
