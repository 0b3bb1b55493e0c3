"""What nodes show as heads of logs: who signed them, and whether the chain says the same."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from guildmark.domain.audit.accounts import LogAccount
from guildmark.domain.audit.findings import Finding, Flaw
from guildmark.domain.chain.contracts import ChainPin
from guildmark.domain.errors import GuildmarkError, MalformedError
from guildmark.domain.identifiers import LogNumber
from guildmark.domain.log.checkpoint import Checkpoint, origin_of
from guildmark.domain.log.merkle import MerkleTree
from guildmark.domain.log.note import Note, NoteKey, NoteKind, NoteSignatureError
from guildmark.domain.log.record import Record
from guildmark.domain.trust import Trust
from guildmark.ports.audit import EvidenceSource


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    """A checkpoint of the log that a node shows.

    Args:
        is_signed: Whether the log's key signed it; None where the auditor knows no key.
        is_true: Whether the chain says the same; None where it is younger than the index.
    """

    source: str
    note: Note
    checkpoint: Checkpoint
    is_signed: bool | None
    is_true: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heads:
    """Compares what nodes show as heads of a log with the chain, and asks who signed them.

    A head that is younger than the auditor's index is held against those of the same size alone:
    the chain will say of it what it is.

    Args:
        sources: Whom to ask, by name.
        pin: The chain, which names its logs.
        keys: The keys of logs, as the auditor got them from their operators.
        trust: Whose cosignatures count, and how many of them are asked for.
        silent: Is told who did not answer.
    """

    sources: Mapping[str, EvidenceSource]
    pin: ChainPin
    keys: Sequence[NoteKey] = ()
    trust: Trust | None = None
    silent: list[str] = field(default_factory=list)

    def of(
        self, account: LogAccount, records: Sequence[Record]
    ) -> tuple[LogAccount, Sequence[Finding]]:
        """Return a log's account with the largest true head, and what is wrong.

        Args:
            account: The log.
            records: Its records, as the auditor's own index has them.
        """
        log, tree = account.number, MerkleTree(one.digest() for one in records)
        silent_before = len(self.silent)
        shown = list(self._shown(log))
        heads, found = list[_Head](), list[Finding]()
        for name, text in shown:
            head = self._read(log, name, text, tree)
            if head is None:
                found.append(_differs(log, name))
            else:
                heads.append(head)
                found += _wrong(log, head)
        found += _forked(log, heads)
        if not shown and records and len(self.silent) == silent_before:
            reason = f"Nobody who answered shows a checkpoint of log {log}."
            found.append(_finding(Flaw.CHECKPOINT_MISSING, reason))
        seen, of_witnesses = self._witnessed(log, heads)
        signed = [head.is_signed for head in heads]
        account = replace(
            account,
            checkpoint=max((one.checkpoint.size for one in heads if one.is_true), default=0),
            is_signed=None if None in signed or not signed else all(signed),
            witnesses=seen,
        )
        return account, [*found, *of_witnesses]

    def _shown(self, log: LogNumber) -> Iterator[tuple[str, bytes]]:
        for name, source in self.sources.items():
            try:
                text = source.log_checkpoint(log)
            except GuildmarkError:
                self.silent.append(name)
                continue
            if text is not None:
                yield name, text

    def _read(self, log: LogNumber, name: str, text: bytes, tree: MerkleTree) -> _Head | None:
        """Return a head of the log, None where the text is none."""
        try:
            note = Note.parse(text)
            head = Checkpoint.parse(note.text)
        except MalformedError:
            return None
        if head.origin != origin_of(self.pin, log):
            return None
        is_known = head.size <= len(tree)
        return _Head(
            source=name,
            note=note,
            checkpoint=head,
            is_signed=self._is_signed(note, head.origin),
            is_true=tree.root(head.size) == head.root if is_known and head.size else None,
        )

    def _is_signed(self, note: Note, origin: str) -> bool | None:
        own = [key for key in self.keys if key.name == origin]
        if not own:
            return None
        try:
            return bool(note.signers(own))
        except NoteSignatureError:
            return False

    def _witnessed(self, log: LogNumber, heads: Sequence[_Head]) -> tuple[int, Sequence[Finding]]:
        """Return how many listed witnesses cosigned the largest true head, and what is wrong."""
        largest = max((one.checkpoint.size for one in heads if one.is_true), default=0)
        seen, found = set[bytes](), list[Finding]()
        for head in heads:
            for key, holds in self._cosigned(head.note):
                if not holds:
                    reason = (
                        f"{head.source} shows a checkpoint of log {log} with a cosignature of "
                        f"{key.name} that does not hold."
                    )
                    found.append(_finding(Flaw.COSIGNATURE_WRONG, reason))
                elif head.is_true and head.checkpoint.size == largest:
                    seen.add(key.public)
        asked = 0 if self.trust is None else self.trust.quorum
        if heads and len(seen) < asked:
            reason = f"{len(seen)} listed witnesses cosigned the head of log {log}, {asked} must."
            found.append(_finding(Flaw.COSIGNATURES_MISSING, reason))
        return len(seen), found

    def _cosigned(self, note: Note) -> Iterator[tuple[NoteKey, bool]]:
        """Yield the listed witnesses in whose name there is a cosignature, and whether it holds."""
        for witness in () if self.trust is None else self.trust.witnesses:
            key = witness.note_key().of_kind(NoteKind.COSIGNATURE)
            for one in note.signatures:
                # What a witness says at a time when it is not listed counts neither way.
                if one.is_of(key) and witness.holds_at(one.time):
                    yield key, _holds(note, key)


def _holds(note: Note, key: NoteKey) -> bool:
    try:
        return bool(note.signers([key]))
    except NoteSignatureError:
        return False


def _wrong(log: LogNumber, head: _Head) -> Iterator[Finding]:
    """Yield what is wrong with one head alone."""
    if head.is_signed is False:
        reason = f"{head.source} shows a checkpoint of log {log} that its key did not sign."
        yield _finding(Flaw.CHECKPOINT_UNSIGNED, reason)
    if head.is_true is False and not head.is_signed:
        yield _differs(log, head.source)
    if head.is_true is False and head.is_signed:
        size = head.checkpoint.size
        reason = f"Log {log} signed a head over {size} records that is not the chain's."
        yield _finding(Flaw.LOG_FORKED, reason)


def _forked(log: LogNumber, heads: Sequence[_Head]) -> Iterator[Finding]:
    """Yield each size of which two heads are shown that the chain does not know yet."""
    roots: dict[int, dict[bytes, _Head]] = {}
    for one in heads:
        if one.is_true is None and one.is_signed is not False:
            roots.setdefault(one.checkpoint.size, {}).setdefault(one.checkpoint.root, one)
    for size, found in sorted(roots.items()):
        if len(found) > 1:
            who = " and ".join(sorted(one.source for one in found.values()))
            reason = f"{who} show two heads of log {log} over {size} records, which differ."
            is_signed = all(one.is_signed for one in found.values())
            yield _finding(Flaw.LOG_FORKED if is_signed else Flaw.CHECKPOINT_DIFFERS, reason)


def _differs(log: LogNumber, name: str) -> Finding:
    reason = f"{name} shows a checkpoint of log {log} that is not the chain's."
    return _finding(Flaw.CHECKPOINT_DIFFERS, reason)


def _finding(flaw: Flaw, reason: str) -> Finding:
    return Finding(flaw=flaw, places=(), reason=reason)
