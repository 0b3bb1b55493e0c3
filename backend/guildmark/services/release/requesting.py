"""Asking for the keys of a design's files, as a machine or a site, at one node after the other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from guildmark.domain.builds.dsse import Envelope
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.encoding import codec
from guildmark.domain.encoding.strictjson import parse_object
from guildmark.domain.errors import ContentError, GuildmarkError, NetworkError
from guildmark.domain.identifiers import (
    Address,
    Bytes32,
    ChainId,
    IdentityId,
    LaneNumber,
    LogNumber,
)
from guildmark.domain.identity.accounts import account_key, verifier_of
from guildmark.domain.identity.identity import key_id
from guildmark.domain.rights.release import (
    NO_MACHINE,
    RELEASED_LIMITS,
    REQUEST_PAYLOAD_TYPE,
    ContentKeys,
    Released,
    ReleasePlace,
    ReleaseReceipt,
    ReleaseRequest,
    receipt_in,
    request_id,
)
from guildmark.ports.chain import Call, Ledger
from guildmark.ports.clock import Entropy
from guildmark.ports.keys import KeyName, KeyStore
from guildmark.ports.peers import PeerUnavailableError, Releaser
from guildmark.ports.store import DocumentKind
from guildmark.services.builds.builds import signing_key
from guildmark.services.release.packages import Package, Packages
from guildmark.services.release.releasing import sign_as_account

_NONCE_SIZE = 32


class ReleasersUnavailableError(NetworkError):
    """No node that releases the keys answers."""

    code = "release.nobodyAnswers"
    hint = "Ask again later, or ask the designer for a package that names further nodes."


class ReceiptMismatchError(ContentError):
    """A receipt is not about this request, or not signed by the releaser's log."""

    code = "receipt.mismatch"
    hint = "Do not count on this node; ask another one, and tell the designer."


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks, and for which lane.

    Args:
        site: The site that holds the lane.
        lane: The lane.
        key: The machine's key; without a machine, the account that speaks for the site.
        opener: The key that the answer is sealed to.
        machine: The machine that asks, all zero where the site does.
    """

    site: IdentityId
    lane: LaneNumber
    key: KeyName
    opener: KeyName
    machine: IdentityId = NO_MACHINE


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Keys that were released, and the receipt of that.

    Args:
        place: Who released them.
    """

    place: ReleasePlace
    keys: ContentKeys
    receipt: ReleaseReceipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Requesting:
    """Use cases around asking for keys."""

    ledger: Ledger
    keys: KeyStore
    entropy: Entropy
    packages: Packages

    def obtain(
        self,
        package: Package,
        asker: Asker,
        *,
        places: Sequence[ReleasePlace],
        open_place: Callable[[ReleasePlace], Releaser],
    ) -> Opened:
        """Ask one node after the other until one answers, and return what it released.

        A node that refuses ends the search: its reason holds for the others, too.

        Args:
            package: The package whose files are meant.
            asker: Who asks.
            places: The nodes, the first to be asked first.
            open_place: Returns a client of a node.

        Raises:
            ReleasersUnavailableError: None answers.
            ReceiptMismatchError: The answer's receipt is not of this release.
            SealBrokenError: The answer is sealed to another key, or was changed.
            GuildmarkError: A node refuses.
        """
        for place in places:
            try:
                return self._ask(package, asker, place, open_place(place))
            except PeerUnavailableError:
                continue
        message = f"None of the {len(places)} nodes that release the keys answers."
        raise ReleasersUnavailableError(message, asked=[place.url for place in places])

    def request(self, package: Package, asker: Asker, *, releaser: IdentityId) -> ReleaseRequest:
        """Return a new request for the keys of a package's files."""
        pin, head = self.ledger.pin(), self.ledger.head(final=True)
        return ReleaseRequest(
            chain_id=ChainId(pin.chain_id),
            registry=pin.contracts[ContractName.LICENSES].address,
            releaser=releaser,
            license=self.packages.license_id(package),
            lane=asker.lane,
            recipe=package.recipe.id(),
            design=package.revision.design,
            revision=package.revision.number,
            site=asker.site,
            machine=asker.machine,
            recipient=self.keys.public_key(asker.opener).value,
            block=head.number,
            block_hash=head.hash,
            nonce=Bytes32(self.entropy.token(_NONCE_SIZE)),
        )

    def sign(self, request: ReleaseRequest, asker: Asker) -> bytes:
        """Return the envelope of a request, signed by who asks.

        Raises:
            KeyMissingError: There is no such key.
            KeyPurposeError: It signs nothing, or has no account.
        """
        payload, kind = request.encode(), REQUEST_PAYLOAD_TYPE
        if asker.machine == NO_MACHINE:
            return sign_as_account(payload, payload_type=kind, keys=self.keys, key=asker.key)
        signer = key_id(asker.machine, signing_key(self.keys, asker.key))
        signers = {signer: lambda signed: self.keys.sign_payload(asker.key, signed)}
        return Envelope.sign(payload, payload_type=kind, signers=signers).encode()

    def open(self, request: ReleaseRequest, released: Released, *, key: KeyName) -> ContentKeys:
        """Check the receipt of a release and return the keys.

        Raises:
            ReceiptMismatchError: The receipt is not of this release.
            SealBrokenError: The answer is sealed to another key or request, or was changed.
        """
        self._check_receipt(request, released)
        opened = self.keys.unseal(key, released.sealed, info=request.keys_context())
        return codec.load(ContentKeys, parse_object(opened, RELEASED_LIMITS))

    def _ask(self, package: Package, asker: Asker, place: ReleasePlace, node: Releaser) -> Opened:
        request = self.request(package, asker, releaser=place.operator)
        envelope = self.sign(request, asker)
        released = node.release(envelope)
        keys = self.open(request, released, key=asker.opener)
        with self.packages.store.writing() as work:
            # The receipt, not the keys: those are asked for again.
            work.documents.put(DocumentKind.RELEASE, released.request, released.encode())
        return Opened(place=place, keys=keys, receipt=receipt_in(released.receipt))

    def _check_receipt(self, request: ReleaseRequest, released: Released) -> None:
        receipt, wanted = receipt_in(released.receipt), request_id(request.encode())
        named = (receipt.request, receipt.license, receipt.lane, receipt.site, receipt.machine)
        meant = (wanted, request.license, request.lane, request.site, request.machine)
        if (released.request, named) != (wanted, meant) or receipt.releaser != request.releaser:
            message = "The receipt is about another release."
            raise ReceiptMismatchError(message)
        operator, writer = self._voice(receipt.log)
        if operator != request.releaser:
            message = f"Log {receipt.log} is not of the operator that was asked."
            raise ReceiptMismatchError(message, log=receipt.log)
        try:
            envelope = Envelope.parse(released.receipt)
            envelope.verify({account_key(writer): verifier_of(writer)})
        except GuildmarkError as error:
            message = f"The receipt is not signed by the writer of log {receipt.log}."
            raise ReceiptMismatchError(message, log=receipt.log) from error

    def _voice(self, log: LogNumber) -> tuple[IdentityId, Address]:
        """Return who operates a log and which account writes it."""
        operator, head = self.ledger.read_all(
            [
                Call(contract=ContractName.LOG, function="operatorOf", args=(log,)),
                Call(contract=ContractName.LOG, function="head", args=(log,)),
            ]
        )
        return IdentityId(operator), Address(head["writer"])
