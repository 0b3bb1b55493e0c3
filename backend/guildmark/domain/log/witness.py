"""What witnesses say: that a log only grew, and which block of a chain is final.

A checkpoint is cosigned as c2sp.org/tlog-witness has it. A block has a note of our own: chain id,
number, hash and time, one a line.
"""

import re
from dataclasses import dataclass
from typing import Final

from guildmark.domain.errors import ConflictError, GuildmarkError, MalformedError, NotFoundError
from guildmark.domain.identifiers import ChainId, Digest, digest_from_hex, to_hex
from guildmark.domain.log.checkpoint import Addition, Checkpoint, open_checkpoint
from guildmark.domain.log.merkle import verify_consistency
from guildmark.domain.log.note import Note, NoteKey, NoteMalformedError, NoteSignatureError

_HEAD: Final = "guildmark.org/block/v1"
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
_LINES = 5


class BlockNoteError(MalformedError):
    """A note that is not about a block."""

    code = "note.noBlock"
    hint = "Ask the witness again for the block's note."


class AdditionError(MalformedError):
    """What is asked of a witness cannot be: an old size beyond the new one, a needless proof."""

    code = "witness.badRequest"


class OriginUnknownError(NotFoundError):
    """The witness does not know the log."""

    code = "witness.logUnknown"
    hint = "Have the witness add the log's key: `guildmark witness add KEY`."


class WitnessBehindError(ConflictError):
    """The witness saw another size last than the one that the proof begins at."""

    code = "witness.otherSize"
    hint = "Prove growth from the size that is named."


class ForkError(ConflictError):
    """The log shows another history than the one that the witness saw: it must never do that."""

    code = "witness.forked"
    hint = "Stop trusting the log: keep both checkpoints, and ask its operator in public."


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockNote:
    """A final block, as a witness saw it."""

    chain_id: ChainId
    number: int
    hash: Digest
    time: int

    def text(self) -> str:
        """Return the text that is signed."""
        lines = (_HEAD, self.chain_id, self.number, to_hex(self.hash), self.time)
        return "".join(f"{line}\n" for line in lines)

    @classmethod
    def parse(cls, text: str) -> "BlockNote":
        """Return the block that a note's text names.

        Raises:
            BlockNoteError: It names none, or not in the one spelling.
        """
        lines = text.split("\n")[:-1]
        if len(lines) != _LINES or lines[0] != _HEAD:
            message = "A block's note has five lines: its kind, chain id, number, hash and time."
            raise BlockNoteError(message)
        try:
            found = cls(
                chain_id=ChainId(_whole(lines[1])),
                number=_whole(lines[2]),
                hash=digest_from_hex(lines[3]),
                time=_whole(lines[4]),
            )
        except MalformedError as error:
            message = f"A block's note holds a value that cannot be. {error.message}"
            raise BlockNoteError(message) from error
        return found


def grown(addition: Addition, *, key: NoteKey, last: Checkpoint | None) -> Checkpoint:
    """Return the checkpoint that a witness may cosign; c2sp.org/tlog-witness, in its order.

    Args:
        addition: What is asked.
        key: The log's key.
        last: What the witness cosigned last of this log.

    Raises:
        NoteSignatureError: The log's key did not sign it.
        AdditionError: The old size is beyond the new one, or a proof from nothing is given.
        WitnessBehindError: The old size is not the one that was cosigned last.
        ForkError: The tree of that size had another root.
        ProofError: The old tree does not begin the new one.
    """
    signed = Note.parse(addition.checkpoint)
    head = open_checkpoint(signed, origin=key.name, keys=[key])
    size = 0 if last is None else last.size
    if addition.old > head.size:
        message = f"A tree of {head.size} cannot have grown from one of {addition.old}."
        raise AdditionError(message, old=addition.old, size=head.size)
    if addition.old != size:
        message = f"The witness saw {size} records last, not {addition.old}."
        raise WitnessBehindError(message, size=size, old=addition.old)
    if last is None or last.size == 0:
        _check_from_nothing(addition)
        return head
    if head.size == last.size and head.root != last.root:
        message = f"{head.origin} shows another tree of {head.size} records than before."
        raise ForkError(message, size=head.size)
    verify_consistency(
        old=last.size,
        new=head.size,
        proof=addition.proof,
        old_root=last.root,
        new_root=head.root,
    )
    return head


def agreeing(data: bytes, block: BlockNote, keys: tuple[NoteKey, ...]) -> int:
    """Return how many of ``keys``, each counted once, signed a note about exactly this block.

    Raises:
        BlockNoteError: It is a note about something else that one of the keys signed.
        NoteMalformedError: It is no note.
        NoteSignatureError: A signature in the name of one of the keys does not hold.
    """
    note = Note.parse(data)
    signers = {key.public for key in note.signers(keys)}
    if signers and note.text != block.text():
        message = f"The note is not about block {block.number} ({to_hex(block.hash)})."
        raise BlockNoteError(message, number=block.number)
    return len(signers)


WRONG_NOTES: tuple[type[GuildmarkError], ...] = (NoteMalformedError, NoteSignatureError)
"""What a note that nobody should have shown is refused with."""


def _check_from_nothing(addition: Addition) -> None:
    if addition.proof:
        message = "Growth from nothing needs no proof."
        raise AdditionError(message)


def _whole(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        message = f"{text[:40]!r} is no number in plain digits."
        raise BlockNoteError(message)
    return int(text)
