"""What an audit may find, how each of it weighs, and what to do next."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TypeAlias

from guildmark.domain.identifiers import Index, LogNumber

Place: TypeAlias = tuple[LogNumber, Index]


class Flaw(StrEnum):
    """What an audit may find, worst first."""

    DOUBLE_USE = "doubleUse"
    """One label, envelope or counter of a machine stands at several granted positions."""
    RECALLED = "recalled"
    """A recall that is open reaches the part."""
    COMPROMISED = "compromised"
    """A notice on a key or an account fails the part, or leaves it in doubt."""
    PROBLEM = "problem"
    """The verdict about a part is *Problem found*, for another reason."""
    TELEMETRY_WRONG = "telemetryWrong"
    """What was answered about a part's telemetry is not what its machine committed to."""
    LOG_BROKEN = "logBroken"
    """The records of a log do not follow one another."""
    LOG_FORKED = "logForked"
    """The log's own key signed what the chain, or another head that it signed, contradicts."""
    CHECKPOINT_DIFFERS = "checkpointDiffers"
    """A node shows a checkpoint that is not what the chain says of the log."""
    CHECKPOINT_UNSIGNED = "checkpointUnsigned"
    """A checkpoint that is shown as the log's is not signed by its key."""
    COSIGNATURE_WRONG = "cosignatureWrong"
    """A checkpoint has a cosignature in the name of a listed witness that does not hold."""
    DRAWS_DIFFER = "drawsDiffer"
    """A lane is drawn further than the records account for."""
    FALSE_EVIDENCE = "falseEvidence"
    """A node sends what does not stand at the position that it was asked for."""
    ACCREDITATION_GAP = "accreditationGap"
    """What the recipe asks for was not proven to be accredited while the part was built."""
    EQUIVALENCE_GAP = "equivalenceGap"
    """No certificate of equivalence that the recipe asks for is proven to cover the part."""
    RELEASES_DIFFER = "releasesDiffer"
    """Keys that were released and units that were drawn do not go together."""
    WITHHELD = "withheld"
    """Nobody who was asked shows what stands at a unit's position."""
    TELEMETRY_MISSING = "telemetryMissing"
    """Nobody holds a drawn chunk of a part's telemetry at the address that is named for it."""
    LOT_OVERDRAWN = "lotOverdrawn"
    """More parts name a lot than it is enough for."""
    LOT_EXPIRED = "lotExpired"
    """A part was recorded when one of its lots was not good any more."""
    LOT_WITHHELD = "lotWithheld"
    """A part names lots, and nobody shows whether the audited one is among them."""
    TELEMETRY_UNOPENED = "telemetryUnopened"
    """A part's machine committed to telemetry, and nobody opens what was drawn of it."""
    CHECKPOINT_MISSING = "checkpointMissing"
    """Nobody shows a signed head of the log."""
    COSIGNATURES_MISSING = "cosignaturesMissing"
    """Fewer listed witnesses than the list asks for have seen the log grow to where it is."""
    UNREACHABLE = "unreachable"
    """A unit is unseen, and somebody who may show it did not answer."""
    UNCHECKABLE = "uncheckable"
    """The verdict about a part is *Could not check*, for another reason."""
    UNTRUSTED = "untrusted"
    """A part is as it should be, but by somebody who is not on the reader's list."""
    COUNTER_GAP = "counterGap"
    """A machine's counter leaves numbers out among the parts that are shown, and those that it
    built meanwhile outside the scope."""
    NODE_SILENT = "nodeSilent"
    """A node that was asked did not answer every question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence:
    """What follows from a finding.

    Args:
        exit: The exit code of an audit whose worst finding it is.
        next_step: What the auditor does about it.
    """

    exit: int
    next_step: str


CONSEQUENCES: Mapping[Flaw, Consequence] = MappingProxyType(
    {
        Flaw.DOUBLE_USE: Consequence(
            exit=18,
            next_step="Ask the maker which physical part is which; only the first place stands.",
        ),
        Flaw.RECALLED: Consequence(
            exit=20,
            next_step="Read the recall with `guildmark recall show`; ask where the part is now.",
        ),
        Flaw.COMPROMISED: Consequence(
            exit=12,
            next_step="Have the part inspected, or let its maker say why the key was its own.",
        ),
        Flaw.PROBLEM: Consequence(
            exit=18, next_step="Verify the kept bundle: each failed check says what is wrong."
        ),
        Flaw.TELEMETRY_WRONG: Consequence(
            exit=18,
            next_step="Keep the answer, and ask the maker for the one to your own nonce.",
        ),
        Flaw.LOG_BROKEN: Consequence(
            exit=19,
            next_step="Read the chain anew, `guildmark index rebuild`, and audit again.",
        ),
        Flaw.CHECKPOINT_DIFFERS: Consequence(
            exit=19, next_step="Keep the checkpoint: who signed it showed another history."
        ),
        Flaw.LOG_FORKED: Consequence(
            exit=19,
            next_step="Keep the checkpoint: it proves that the operator signed two histories.",
        ),
        Flaw.CHECKPOINT_UNSIGNED: Consequence(
            exit=12, next_step="Ask the log's operator for its key, and another node for the head."
        ),
        Flaw.COSIGNATURE_WRONG: Consequence(
            exit=12, next_step="Fetch the checkpoint elsewhere, and tell the witness."
        ),
        Flaw.CHECKPOINT_MISSING: Consequence(
            exit=23, next_step="Name a node of the log's operator, or a mirror of the log."
        ),
        Flaw.COSIGNATURES_MISSING: Consequence(
            exit=23, next_step="Ask the log's operator who witnesses it: `guildmark witness`."
        ),
        Flaw.DRAWS_DIFFER: Consequence(
            exit=19,
            next_step="Read the chain anew, `guildmark index rebuild`, and audit again.",
        ),
        Flaw.FALSE_EVIDENCE: Consequence(
            exit=14, next_step="Ask other nodes, and do not count on this one."
        ),
        Flaw.ACCREDITATION_GAP: Consequence(
            exit=13, next_step="Ask the maker for the accreditation that held at that time."
        ),
        Flaw.EQUIVALENCE_GAP: Consequence(
            exit=15, next_step="Ask the site for the certificate that held at that time."
        ),
        Flaw.RELEASES_DIFFER: Consequence(
            exit=23, next_step="Ask the licensor with `guildmark license reconcile`."
        ),
        Flaw.LOT_OVERDRAWN: Consequence(
            exit=15, next_step="Ask the maker what the parts were made of: some are of another lot."
        ),
        Flaw.LOT_EXPIRED: Consequence(
            exit=15, next_step="Ask the maker when the part was built, and have it inspected."
        ),
        Flaw.WITHHELD: Consequence(
            exit=23, next_step="Ask the log's operator to show the entry; only he is hurt by it."
        ),
        Flaw.TELEMETRY_MISSING: Consequence(
            exit=23,
            next_step="Name a node that keeps the maker's files, or let the maker store them anew.",
        ),
        Flaw.TELEMETRY_UNOPENED: Consequence(
            exit=23,
            next_step="Ask the maker to answer your nonce: `guildmark agent open`.",
        ),
        Flaw.LOT_WITHHELD: Consequence(
            exit=23, next_step="Ask the maker to show the part's list of lots."
        ),
        Flaw.UNREACHABLE: Consequence(
            exit=3, next_step="Audit again when the node answers, or name a mirror of its log."
        ),
        Flaw.UNCHECKABLE: Consequence(
            exit=23, next_step="Verify the kept bundle: each check says what it lacks."
        ),
        Flaw.UNTRUSTED: Consequence(
            exit=16, next_step="Decide whether they belong on your list: `guildmark trust add`."
        ),
        Flaw.COUNTER_GAP: Consequence(
            exit=23, next_step="Ask the maker what became of the numbers that are left out."
        ),
        Flaw.NODE_SILENT: Consequence(
            exit=3, next_step="Audit again when the node answers, or name a mirror of its log."
        ),
    }
)

GAP_CHECKS: Mapping[int, Flaw] = MappingProxyType(
    {9: Flaw.EQUIVALENCE_GAP, 10: Flaw.ACCREDITATION_GAP}
)
"""The checks that ask what somebody certified for a time, and what it is where nobody did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that does not add up.

    Args:
        places: Where to look, as log and index; empty where it is no entry.
        reason: What was found.
    """

    flaw: Flaw
    places: tuple[Place, ...]
    reason: str
