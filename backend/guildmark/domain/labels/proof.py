"""A proof code: an entry's place in its log in one QR code, to be checked without a connection.

It holds the entry with its salt, the paths to the root of its record and on to that of a
checkpoint, and what witnesses signed of the checkpoint. Roots are left out: they follow. The
layout is that of docs/formats.md ("Proof code").
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NoReturn

from guildmark.domain.chain.contracts import ChainPin
from guildmark.domain.encoding import base45, cbor
from guildmark.domain.errors import GuildmarkError, MalformedError, UncheckableError, UsageError
from guildmark.domain.identifiers import Bytes32, Digest, Index, LogNumber
from guildmark.domain.log.checkpoint import Checkpoint, origin_of
from guildmark.domain.log.entry import Entry, EntryKind
from guildmark.domain.log.merkle import HASH_SIZE, leaf_hash, root_of_path
from guildmark.domain.log.note import Note, NoteKey, NoteKind, NoteSignature
from guildmark.domain.log.record import Grant, Record

BEGIN: Final = "GM1:"
PROOF_MAX: Final = 1_050
"""Bytes, so that a code of version 27 holds it with a middling correction of errors."""
TEXT_MAX: Final = len(BEGIN) + (PROOF_MAX + 1) // 2 * 3

_VERSION = 1
_MEMBERS = 22
_GRANT = 3
_SIGNATURE = 3
_KEY_SIZE, _TIME_SIZE, _SIGNED_SIZE = 4, 8, 64
_PATH_MAX = 63
_ZERO = bytes(HASH_SIZE)


class ProofCodeMalformedError(MalformedError):
    """A text that is no proof code, or not in its one form."""

    code = "label.proofMalformed"
    hint = "Scan the code again, or copy its whole text."


class ProofCodeTooLongError(UsageError):
    """A proof that fits no code with a single signature in it."""

    code = "label.proofTooLong"
    hint = "Print the link's code, and give the part's bundle along."


class ProofUnwitnessedError(UncheckableError):
    """No witness that was named signed a checkpoint with the entry in it."""

    code = "label.proofUnwitnessed"
    hint = "Wait until the node's witnesses have cosigned, or name those that did."


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessSignature:
    """A cosignature of a checkpoint.

    Args:
        key: The four bytes that name the witness's key.
        time: When it says that it was made, in seconds.
        value: Ed25519, 64 bytes.
    """

    key: bytes
    time: int
    value: bytes

    def under(self, key: NoteKey) -> NoteSignature:
        """Return the line below the note that it was."""
        value = self.time.to_bytes(_TIME_SIZE, "big") + self.value
        return NoteSignature(name=key.name, key=self.key, value=value)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofCode:
    """What a proof code holds.

    Args:
        bare: The record, its root left out (zero): it follows from the entry and its path.
        entry: The entry.
        salt: The salt of the entry's leaf.
        position: The entry's position in the record.
        path: From the entry to the record's root.
        size: How many records the checkpoint has.
        record_path: From the record to the checkpoint's root.
        signatures: What witnesses signed of the checkpoint.
    """

    bare: Record
    entry: Entry
    salt: Bytes32
    position: int
    path: tuple[Digest, ...]
    size: int
    record_path: tuple[Digest, ...]
    signatures: tuple[WitnessSignature, ...]

    @property
    def place(self) -> tuple[LogNumber, Index]:
        """Return log and index of the entry."""
        return self.bare.log, self.bare.index_of(self.position)

    def record(self) -> Record:
        """Return the record whole.

        Raises:
            ProofError: The path does not fit position and count.
        """
        leaf = leaf_hash(self.entry.leaf_data(self.salt))
        count = self.bare.count
        root = root_of_path(leaf=leaf, index=self.position, count=count, path=self.path)
        return replace(self.bare, root=root)

    def checkpoint(self, pin: ChainPin) -> Checkpoint:
        """Return the checkpoint that the witnesses of a chain's log must have signed.

        Raises:
            ProofError: A path does not fit its place.
        """
        leaf = leaf_hash(self.record().digest())
        path = self.record_path
        root = root_of_path(leaf=leaf, index=self.bare.seq, count=self.size, path=path)
        return Checkpoint(origin=origin_of(pin, self.bare.log), size=self.size, root=root)

    def encode(self) -> bytes:
        """Return the bytes."""
        record, entry = self.bare, self.entry
        return cbor.dumps(
            [
                *(_VERSION, record.log, record.seq, record.first_index, record.count),
                *(record.time, record.parent),
                [[grant.lane, grant.n, grant.first_unit] for grant in record.grants],
                *(self.position, int(entry.kind), entry.subject, entry.envelope),
                *(_short(entry.site_recipe), entry.machine, entry.maker),
                *(_short(entry.dependencies), entry.previous, self.salt),
                *(b"".join(self.path), self.size, b"".join(self.record_path)),
                [[each.key, each.time, each.value] for each in self.signatures],
            ]
        )

    def text(self) -> str:
        """Return the text of the code."""
        return BEGIN + base45.encode(self.encode())

    def fitted(self) -> "ProofCode":
        """Return the code with as many of its signatures, from the first on, as there is room for.

        Raises:
            ProofUnwitnessedError: There is none.
            ProofCodeTooLongError: Not one fits.
        """
        if not self.signatures:
            message = "No witness has signed a checkpoint with this entry in it."
            raise ProofUnwitnessedError(message)
        for count in range(len(self.signatures), 0, -1):
            fitting = replace(self, signatures=self.signatures[:count])
            if len(fitting.encode()) <= PROOF_MAX:
                return fitting
        size = len(replace(self, signatures=self.signatures[:1]).encode())
        message = f"The proof has {size} bytes, a code holds {PROOF_MAX}."
        raise ProofCodeTooLongError(message, size=size, limit=PROOF_MAX)

    @classmethod
    def parse(cls, text: str) -> "ProofCode":
        """Return the proof that a code's text writes.

        Raises:
            ProofCodeMalformedError: It is none, or not in its one form.
        """
        if not text.startswith(BEGIN) or len(text) > TEXT_MAX:
            _refuse(f"expected {BEGIN} and at most {TEXT_MAX - len(BEGIN)} letters")
        try:
            data = base45.decode(text.removeprefix(BEGIN))
            found = _read(cbor.loads(data))
            # Numbers that no contract can hold are found out when they are written.
            found.bare.digest()
            found.entry.encode()
        except ProofCodeMalformedError:
            raise
        except (GuildmarkError, ValueError) as error:
            message = "The proof code cannot be read."
            raise ProofCodeMalformedError(message) from error
        if found.text() != text or not found.signatures:
            _refuse("it is not in its one form, or nobody signed it")
        return found


def signatures_of(note: Note, keys: Sequence[NoteKey]) -> tuple[WitnessSignature, ...]:
    """Return what some witnesses signed of a checkpoint, in their order; each is checked.

    Raises:
        NoteSignatureError: A signature in a witness's name does not hold.
    """
    cosigners = [key.of_kind(NoteKind.COSIGNATURE) for key in keys]
    note.signers(cosigners)
    return tuple(
        WitnessSignature(key=one.key, time=one.time, value=one.value[_TIME_SIZE:])
        for key in dict.fromkeys(cosigners)
        for one in note.signatures
        if one.is_of(key)
    )


def _short(digest: bytes) -> bytes:
    """Return a digest, nothing for zero."""
    return b"" if digest == _ZERO else digest


def _read(value: cbor.Cbor) -> ProofCode:
    members = _array(value, _MEMBERS)
    version, *head = members
    if version != _VERSION:
        _refuse(f"its version is not {_VERSION}")
    log, seq, first_index, count, time = map(_number, head[:5])
    parent, grants = _digest(head[5]), _array(head[6])
    position, kind = map(_number, head[7:9])
    subject, envelope, site_recipe, machine, maker, dependencies = map(_digest, head[9:15])
    previous, salt, path = _number(head[15]), _digest(head[16]), _path(head[17])
    whole: Any = {
        "bare": _record(log, seq, first_index, count, time, parent, grants),
        "entry": _entry(
            kind=EntryKind(kind),
            subject=subject,
            envelope=envelope,
            site_recipe=site_recipe,
            machine=machine,
            maker=maker,
            dependencies=dependencies,
            previous=previous,
        ),
        "salt": salt,
        "position": position,
        "path": path,
        "size": _number(head[18]),
        "record_path": _path(head[19]),
        "signatures": tuple(map(_signature, _array(head[20]))),
    }
    return ProofCode(**whole)


def _record(*values: Any) -> Record:
    log, seq, first_index, count, time, parent, grants = values
    return Record(
        log=log,
        seq=seq,
        first_index=first_index,
        count=count,
        time=time,
        parent=parent,
        root=Digest(_ZERO),
        grants=tuple(map(_grant, grants)),
    )


def _entry(**values: Any) -> Entry:
    return Entry(**values)


def _grant(value: cbor.Cbor) -> Grant:
    members: Any = map(_number, _array(value, _GRANT))
    lane, n, first_unit = members
    return Grant(lane=lane, n=n, first_unit=first_unit)


def _signature(value: cbor.Cbor) -> WitnessSignature:
    key, time, signed = _array(value, _SIGNATURE)
    if len(_bytes(key)) != _KEY_SIZE or len(_bytes(signed)) != _SIGNED_SIZE:
        _refuse("a signature has another size")
    return WitnessSignature(key=_bytes(key), time=_number(time), value=_bytes(signed))


def _array(value: cbor.Cbor, count: int | None = None) -> Sequence[cbor.Cbor]:
    if isinstance(value, int | bytes) or count not in {None, len(value)}:
        _refuse("an array is missing, or has another length")
    return value


def _number(value: cbor.Cbor) -> int:
    if not isinstance(value, int):
        _refuse("a number is missing")
    return value


def _bytes(value: cbor.Cbor) -> bytes:
    if not isinstance(value, bytes):
        _refuse("bytes are missing")
    return value


def _digest(value: cbor.Cbor) -> Digest:
    data = _bytes(value) or _ZERO
    if len(data) != HASH_SIZE:
        _refuse("a digest has another size")
    return Digest(data)


def _path(value: cbor.Cbor) -> tuple[Digest, ...]:
    data = _bytes(value)
    if len(data) % HASH_SIZE or len(data) > _PATH_MAX * HASH_SIZE:
        _refuse("a path is no row of digests")
    return tuple(Digest(data[at : at + HASH_SIZE]) for at in range(0, len(data), HASH_SIZE))


def _refuse(reason: str) -> NoReturn:
    message = f"This is no proof code: {reason}."
    raise ProofCodeMalformedError(message)
