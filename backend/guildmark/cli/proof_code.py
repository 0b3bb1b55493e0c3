"""``guildmark label proof``: an entry's place in its log, in one code."""

from collections.abc import Sequence
from pathlib import Path

from guildmark.adapters.evidence_http import Parts
from guildmark.cli.verify import PartNotThereError, read_trust
from guildmark.domain import bundle
from guildmark.domain.errors import SettingsError
from guildmark.domain.identifiers import parse_hint
from guildmark.domain.labels.proof import ProofCode, signatures_of
from guildmark.domain.log.checkpoint import Checkpoint, LogProof, origin_of
from guildmark.domain.log.note import NoteKind
from guildmark.domain.trust import Trust


class ProofWitnessesError(SettingsError):
    """No trust file names the witnesses whose signatures the code shall hold."""

    code = "label.proofWitnessesUnknown"
    hint = "Name the witnesses that readers pin: `guildmark trust witness KEY --quorum 1`."


def proof_code(part: str, node: Parts, trusted: Trust) -> ProofCode:
    """Return the proof of a final entry, as a node shows it; what it shows is checked.

    Raises:
        PartNotThereError: The node knows no such part.
        NotFinalError: The part is not final.
        ProofUnwitnessedError: No witness of the reader's list signed the log with it.
        ProofError: What the node shows does not belong together.
    """
    log, index = parse_hint(part)
    data = node.bundle(log, index, block=None)
    shown = None if data is None else bundle.read(data).core
    proven = None if shown is None else node.record_proof(log, shown.record.seq)
    if shown is None or proven is None:
        message = f"{node.url} knows no such part."
        raise PartNotThereError(message)
    keys = [one.note_key() for one in trusted.witnesses]
    found = LogProof.parse(proven)
    cosigners = [key.of_kind(NoteKind.COSIGNATURE) for key in keys]
    origin = origin_of(trusted.chain, log)
    note = found.verify(shown.record.digest(), origin=origin, keys=cosigners, quorum=0)
    code = ProofCode(
        bare=shown.record,
        entry=shown.entry,
        salt=shown.salt,
        position=shown.position,
        path=shown.path,
        size=Checkpoint.parse(note.text).size,
        record_path=found.path,
        signatures=signatures_of(note, keys),
    )
    return code.fitted()


def witnesses_of(files: Sequence[Path], home: Path | None) -> Trust:
    """Return the trust that names the witnesses.

    Raises:
        ProofWitnessesError: There is none, or it names none.
    """
    trusted = read_trust(files, home)
    if trusted is None or not trusted.witnesses:
        message = "There is no trust file that names witnesses."
        raise ProofWitnessesError(message)
    return trusted
