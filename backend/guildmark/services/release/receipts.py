"""Receipts of released keys in a node's own log, and the proof that one stands there."""

from collections.abc import Sequence
from dataclasses import dataclass

from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.facts import RecordFact
from guildmark.domain.errors import NotFinalError, NotFoundError, NotLoggedError
from guildmark.domain.identifiers import Digest, LicenseId, to_hex
from guildmark.domain.log.queue import Build
from guildmark.domain.rights.release import ReceiptProof, ReleaseReceipt
from guildmark.ports.chain import Call, Ledger
from guildmark.ports.store import NodeStore, View
from guildmark.services.index.projection import known
from guildmark.services.log.proving import TREES
from guildmark.services.release.releasing import RECEIPT_LABEL, receipt_label


class ReceiptUnknownError(NotFoundError):
    """This node answered no such request."""

    code = "receipt.unknown"
    hint = "Ask the node that released the keys."


class ReceiptNotFinalError(NotFinalError):
    """The receipt waits for its record."""

    code = "receipt.notFinal"
    hint = "Ask again in some minutes."


class ReceiptNotOnChainError(NotLoggedError):
    """No record on chain is the one that the receipt's proof names."""

    code = "receipt.notOnChain"
    hint = "Ask the releaser for the proof again; do not count this receipt."


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipts:
    """Use cases around the receipts in a node's own log."""

    store: NodeStore

    def proof(self, request: Digest) -> ReceiptProof:
        """Return the proof that the receipt of a request stands in this node's log.

        Raises:
            ReceiptUnknownError: This node answered no such request.
            ReceiptNotFinalError: It waits for its record.
        """
        with self.store.reading() as view:
            build = view.log.payload(request)
            if build is None or not build.label.startswith(RECEIPT_LABEL):
                message = f"This node answered no request {to_hex(request)}."
                raise ReceiptUnknownError(message, request=to_hex(request))
            found = _proof(build, view)
        if found is None:
            message = f"The receipt of request {to_hex(request)} is not final yet."
            raise ReceiptNotFinalError(message, state=build.state.value)
        return found

    def of_license(self, license_id: LicenseId) -> Sequence[ReceiptProof]:
        """Return the proofs of all final receipts of a license, the oldest first."""
        with self.store.reading() as view:
            builds = view.log.labelled(receipt_label(license_id))
            found = [_proof(build, view) for build in builds]
        return [proof for proof in found if proof is not None]

    def waiting(self, license_id: LicenseId) -> int:
        """Return how many receipts of a license wait for their record."""
        with self.store.reading() as view:
            builds = view.log.labelled(receipt_label(license_id))
            return sum(build.index is None for build in builds)


def verified(proof: ReceiptProof, ledger: Ledger) -> ReleaseReceipt:
    """Return the receipt that a proof shows, its record compared with the final chain.

    Raises:
        MalformedError: It shows no receipt.
        NotLoggedError: The receipt is not in the record, or the record is not on chain.
    """
    receipt, record = proof.verify(), proof.record
    final = ledger.head(final=True).number
    digest, operator = ledger.read_all(
        [
            Call(contract=ContractName.LOG, function="recordDigest", args=(record.log, record.seq)),
            Call(contract=ContractName.LOG, function="operatorOf", args=(record.log,)),
        ],
        block=final,
    )
    if digest != record.digest() or operator != receipt.releaser:
        message = f"Record {record.seq} of log {record.log} is not the one that is shown."
        raise ReceiptNotOnChainError(message, log=record.log, seq=record.seq)
    return receipt


def _proof(build: Build, view: View) -> ReceiptProof | None:
    logged = (
        None
        if build.log is None or build.index is None
        else view.log.logged(build.log, build.index)
    )
    if logged is None:
        return None
    record = known(view.facts, RecordFact, logged.log, logged.seq).record
    return ReceiptProof(
        envelope=logged.queued.envelope,
        salt=logged.queued.salt,
        record=record,
        position=logged.position,
        path=TREES.path(record, logged.position, view.log),
    )
