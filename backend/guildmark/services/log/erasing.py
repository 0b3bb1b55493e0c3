"""Erasure: the content of an entry goes, at its log's node and at mirrors; 32 bytes of it stay."""

from dataclasses import dataclass

from guildmark.domain import bundle
from guildmark.domain.builds.delivery import Delivery, OpenedValues
from guildmark.domain.builds.dsse import Envelope
from guildmark.domain.chain.facts import IdentityFact, LogFact
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.errors import (
    ConflictError,
    ForbiddenError,
    GuildmarkError,
    UnknownPartError,
)
from guildmark.domain.identifiers import ChainId, IdentityId, Index, LogNumber, to_hex
from guildmark.domain.identity.accounts import account_key, verifier_of
from guildmark.domain.log.entry import Entry
from guildmark.domain.log.erasure import (
    ERASURE_PAYLOAD_TYPE,
    ErasureOrder,
    ErasureReason,
    entry_key,
)
from guildmark.domain.log.queue import Logged
from guildmark.domain.verification.evidence import Evidence, statement_of
from guildmark.ports.chain import Ledger
from guildmark.ports.clock import Clock
from guildmark.ports.keys import KeyName, KeyStore
from guildmark.ports.store import DocumentKind, DocumentWriter, ErasableStore, Scans, View, Work
from guildmark.services.log.raw_data import RawData
from guildmark.services.release.releasing import sign_as_account

_OF_ENVELOPE = (DocumentKind.VALUES, DocumentKind.DEPENDENCIES, DocumentKind.INSPECTION)


class ErasureNotAllowedError(ForbiddenError):
    """Who orders an erasure is neither the entry's maker nor its log's operator, by his account."""

    code = "erasure.notAllowed"
    hint = "Let the maker or the log's operator sign the order, with the account that controls it."


class ErasureUnknownError(UnknownPartError):
    """This home holds no final entry of a part at the position, and no copy of one."""

    code = "erasure.unknown"
    hint = "Use the home of the log or of a mirror; wait until the part's record is final."


class ErasedBeforeError(ConflictError):
    """The entry's content was erased before."""

    code = "erasure.before"
    hint = "Leave it: the first order stays on record."


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasing:
    """Use cases around content that has to go."""

    ledger: Ledger
    keys: KeyStore
    store: ErasableStore
    scans: Scans
    clock: Clock

    def order(
        self,
        log: LogNumber,
        index: Index,
        *,
        by: IdentityId,
        why: ErasureReason,
        key: KeyName,
    ) -> bytes:
        """Return an order to erase an entry's content, signed with an account.

        Raises:
            ErasureNotAllowedError: The account does not control the identity.
            KeyMissingError: There is no such key.
            KeyPurposeError: It has no account.
        """
        with self.store.reading() as view:
            fact = view.facts.get(IdentityFact, by)
        if fact is None or fact.controller != self.keys.address(key):
            message = f"The account does not control {to_hex(by)}."
            raise ErasureNotAllowedError(message, by=to_hex(by))
        order = ErasureOrder(
            chain_id=self._chain_id(), log=log, index=index, by=by, at=self.clock.now(), why=why
        )
        return sign_as_account(
            order.encode(), payload_type=ERASURE_PAYLOAD_TYPE, keys=self.keys, key=key
        )

    def erase(self, body: bytes) -> ErasureOrder:
        """Erase what this home holds of an entry, and keep the order in its place.

        Of the node's own log stay the leaf, the place, and that the machine's counter is taken; of
        a copy of another log's entry stays nothing.

        Raises:
            MalformedErasureError: It is no order.
            ErasureUnknownError: This home holds nothing of the entry.
            ErasedBeforeError: It went before.
            ErasureNotAllowedError: Who signed may not order it, or orders it on another chain.
            StoreUnavailableError: The database did not let go of it; erase again.
        """
        order = ErasureOrder.signed(body)
        place = (order.log, order.index)
        with self.store.writing() as work:
            before = work.documents.get(DocumentKind.ERASURE, entry_key(*place))
            if before is None:
                self._erase(order, body, work)
        self.scans.erase(*place)
        self.store.forget_deleted()
        if before is not None:
            message = f"The content of {order.log}.{order.index} was erased before."
            raise ErasedBeforeError(message, log=order.log, index=order.index)
        return order

    def _erase(self, order: ErasureOrder, body: bytes, work: Work) -> None:
        place = (order.log, order.index)
        logged, kept = work.log.logged(*place), _kept(order, work)
        is_part = logged is not None and logged.queued.entry.kind.is_of_a_part
        if kept is not None:
            self._check(order, body, kept.core.entry, work)
            _erase_copy(kept, work.documents)
        elif logged is not None and is_part:
            self._check(order, body, logged.queued.entry, work)
            _erase_own(logged, work)
        else:
            message = f"This home holds no part {order.log}.{order.index}."
            raise ErasureUnknownError(message, log=order.log, index=order.index)
        work.documents.put(DocumentKind.ERASURE, entry_key(*place), body)

    def _check(self, order: ErasureOrder, body: bytes, entry: Entry, view: View) -> None:
        log = view.facts.get(LogFact, order.log)
        allowed = {entry.maker} if log is None else {entry.maker, log.operator}
        fact = view.facts.get(IdentityFact, order.by)
        if order.by not in allowed or fact is None or order.chain_id != self._chain_id():
            message = f"{to_hex(order.by)} is neither the part's maker nor its log's operator here."
            raise ErasureNotAllowedError(message, by=to_hex(order.by))
        account = fact.controller
        try:
            Envelope.parse(body).verify({account_key(account): verifier_of(account)})
        except GuildmarkError as error:
            message = f"The order is not signed by the account of {to_hex(order.by)}."
            raise ErasureNotAllowedError(message, by=to_hex(order.by)) from error

    def _chain_id(self) -> ChainId:
        return ChainId(self.ledger.pin().chain_id)


def _kept(order: ErasureOrder, view: View) -> Evidence | None:
    """Return the copy that this home keeps of another log's entry, None for none."""
    body = view.documents.get(DocumentKind.PART, entry_key(order.log, order.index))
    return None if body is None else bundle.read(body)


def _erase_copy(kept: Evidence, documents: DocumentWriter) -> None:
    core, statement = kept.core, statement_of(kept.core)
    documents.drop(DocumentKind.PART, entry_key(core.record.log, core.index))
    if statement is None:
        return
    label = sha256(statement.label.encode())
    hints = (documents.get(DocumentKind.LABEL, label) or b"").split()
    left = [hint for hint in hints if hint != f"{core.record.log}.{core.index}".encode()]
    if left:
        documents.put(DocumentKind.LABEL, label, b"\n".join(left))
    else:
        documents.drop(DocumentKind.LABEL, label)


def _erase_own(logged: Logged, work: Work) -> None:
    envelope = logged.queued.digest
    body = work.documents.get(DocumentKind.VALUES, envelope)
    values = None if body is None else OpenedValues.parse(body)
    _forget_raw_data(Delivery(envelope=logged.queued.envelope, values=values), work.documents)
    for kind in _OF_ENVELOPE:
        work.documents.drop(kind, envelope)
    work.log.erase(logged)


def _forget_raw_data(delivery: Delivery, documents: DocumentWriter) -> None:
    """Let instruments' files stay taken, by a part that has no label any more."""
    try:
        said = delivery.statement()
    except GuildmarkError:
        # What cannot be read was never examined, and names no file.
        return
    RawData.of("", said.run.site, said.measurements).keep(documents)
