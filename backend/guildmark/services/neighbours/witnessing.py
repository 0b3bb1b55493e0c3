"""A witness: it cosigns what only grew, says which blocks are final, and remembers both.

What was signed for a log is stored durably before the signature leaves: a witness that is killed
and started again never signs a second history.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.errors import NotFinalError
from guildmark.domain.log.checkpoint import Addition, Checkpoint
from guildmark.domain.log.note import Note, NoteKey, NoteKind, NoteSignature, cosign, sign
from guildmark.domain.log.witness import BlockNote, OriginUnknownError, grown
from guildmark.ports.chain import Ledger
from guildmark.ports.clock import Clock
from guildmark.ports.keys import KeyAlgorithm, KeyName, KeyStore
from guildmark.ports.store import DocumentKind, Documents, NodeStore

WITNESS_KEY = KeyName("witness")
"""The name of the key that signs what a witness says; it signs nothing else."""

_LOGS = b"logs"
_NAME_SIZE = 8


class BlockUnsureError(NotFinalError):
    """The chain that the witness follows does not call the block final (yet)."""

    code = "witness.blockNotFinal"
    hint = "Ask again later, or about an older block."


def make_witness_key(keys: KeyStore) -> None:
    """Make the key that a witness signs with, unless it is there."""
    if WITNESS_KEY not in keys.names():
        keys.create(WITNESS_KEY, KeyAlgorithm.ED25519)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A log that a witness knows, and what it cosigned last of it."""

    key: NoteKey
    last: Checkpoint | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnessing:
    """Use cases of a witness."""

    ledger: Ledger
    store: NodeStore
    keys: KeyStore
    clock: Clock

    def key(self) -> NoteKey:
        """Return the witness's key, for notes about blocks; cosignatures are of the same bytes."""
        public = self.keys.public_key(WITNESS_KEY).value
        name = f"guildmark.org/witness/{sha256(public)[:_NAME_SIZE].hex()}"
        return NoteKey(name=name, public=public)

    def add_log(self, key: NoteKey) -> None:
        """Cosign the checkpoints of a log from now on; its present key replaces an older one."""
        with self.store.writing() as work:
            others = [one for one in _logs(work.documents) if one.name != key.name]
            body = "".join(f"{one.encode()}\n" for one in (*others, key)).encode()
            work.documents.put(DocumentKind.WITNESS, _LOGS, body)

    def logs(self) -> Sequence[Watched]:
        """Return the logs that the witness knows."""
        with self.store.reading() as view:
            return [
                Watched(key=key, last=_last(view.documents, key.name))
                for key in _logs(view.documents)
            ]

    def cosign(self, request: bytes) -> NoteSignature:
        """Return the cosignature over a checkpoint, stored as the last one of its log before.

        Raises:
            CheckpointMalformedError: The request is none.
            NoteMalformedError: Its checkpoint is no note.
            OriginUnknownError: The witness does not know the log.
            NoteSignatureError: The log did not sign it.
            AdditionError: It asks for what cannot be.
            WitnessBehindError: Another size was cosigned last.
            ForkError: The log shows another history.
            ProofError: Growth is not proven.
        """
        addition = Addition.parse(request)
        origin = Checkpoint.parse(Note.parse(addition.checkpoint).text).origin
        with self.store.writing() as work:
            head = grown(
                addition,
                key=_key_of(work.documents, origin),
                last=_last(work.documents, origin),
            )
            work.documents.put(DocumentKind.WITNESS, _place(origin), head.text().encode())
        # Only what is stored for good is signed; whoever asks again for it gets it again.
        text = Note.parse(addition.checkpoint).text
        own = self.key().of_kind(NoteKind.COSIGNATURE)
        return cosign(text, own, self._sign, time=self.clock.now())

    def note(self, number: int) -> Note:
        """Return a signed note about a final block of the chain that the witness follows.

        Raises:
            BlockUnsureError: The block is not final.
            LedgerUnavailableError: The chain's node cannot be reached.
        """
        if number > self.ledger.head(final=True).number:
            message = f"Block {number} is not final."
            raise BlockUnsureError(message, block=number)
        block, chain_id = self.ledger.block(number), self.ledger.pin().chain_id
        said = BlockNote(chain_id=chain_id, number=number, hash=block.hash, time=block.time)
        signature = sign(said.text(), self.key(), self._sign)
        return Note(text=said.text(), signatures=(signature,))

    def _sign(self, data: bytes) -> bytes:
        return self.keys.sign_payload(WITNESS_KEY, data)


def _logs(documents: Documents) -> Sequence[NoteKey]:
    body = documents.get(DocumentKind.WITNESS, _LOGS) or b""
    return [NoteKey.parse(line) for line in body.decode().splitlines()]


def _key_of(documents: Documents, origin: str) -> NoteKey:
    for key in _logs(documents):
        if key.name == origin:
            return key
    message = f"This witness does not know the log {origin[:120]}."
    raise OriginUnknownError(message, origin=origin[:120])


def _last(documents: Documents, origin: str) -> Checkpoint | None:
    body = documents.get(DocumentKind.WITNESS, _place(origin))
    return None if body is None else Checkpoint.parse(body.decode())


def _place(origin: str) -> bytes:
    return sha256(origin.encode())
