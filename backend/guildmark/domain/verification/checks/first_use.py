"""Of two entries with one label one stands: whose license names it, else the earlier one."""

from collections.abc import Iterator
from enum import Enum

from guildmark.domain.errors import GuildmarkError
from guildmark.domain.statement import BuildStatement
from guildmark.domain.terms import TermsKind, named_in
from guildmark.domain.verification.case import ENVELOPE, Case, Rival
from guildmark.domain.verification.checks.members import members_of
from guildmark.domain.verification.evidence import Core, Evidence, statement_of
from guildmark.domain.verification.naming import is_listed
from guildmark.domain.verification.report import Cause, Finding, State

_RIVALS = "rivals"

LABEL_CLAIMED_EARLIER = Cause(
    code="verify.labelClaimedEarlier",
    state=State.FAIL,
    meaning="An earlier entry, which stands by itself, claims the label.",
)
LABEL_LICENSED_ELSEWHERE = Cause(
    code="verify.labelLicensedElsewhere",
    state=State.FAIL,
    meaning="Another entry, which stands by itself, claims the label under a license that names "
    "its namespace; this one's license does not.",
)
ENVELOPE_LOGGED_EARLIER = Cause(
    code="verify.envelopeLoggedEarlier",
    state=State.FAIL,
    meaning="The same envelope was logged before, and that entry stands by itself.",
)


class Rank(Enum):
    """How another entry stands beside the one that is judged."""

    NONE = "none"
    """It is another part's."""
    UNSOUND = "unsound"
    """It does not stand by itself."""
    UNLISTED = "unlisted"
    """It stands by itself, and the reader lists its parties less than those of this one."""
    LATER = "later"
    EARLIER = "earlier"
    LICENSED = "licensed"
    """Its license names the label's namespace, this one's does not."""
    UNLICENSED = "unlicensed"
    """This one's license names the label's namespace, its own does not."""


def first_use(case: Case) -> Iterator[Finding]:
    """Yield a finding for each entry that stands where this one does not."""
    for rival in case.rivals:
        rank, place = rank_of(case, rival), _place(rival.evidence.core)
        if rank is Rank.LICENSED:
            reason = f"Part {place} claims the label under a license that names its namespace."
            yield LABEL_LICENSED_ELSEWHERE.found(reason, _RIVALS)
        elif rank is Rank.EARLIER and _envelope(rival.evidence) == _envelope(case.evidence):
            yield ENVELOPE_LOGGED_EARLIER.found(f"It was logged before as {place}.", ENVELOPE)
        elif rank is Rank.EARLIER:
            reason = f"The earlier entry {place} claims this label."
            yield LABEL_CLAIMED_EARLIER.found(reason, _RIVALS)


def first_use_notes(case: Case) -> Iterator[str]:
    """Yield a sentence for each other entry of this label that changes no state."""
    sentences = {
        Rank.LATER: "A later entry claims this label: {}.",
        Rank.UNLICENSED: "An entry whose license does not name this label claims it: {}.",
        Rank.UNLISTED: "An entry of parties that you do not list claims this label: {}.",
        Rank.UNSOUND: "Another entry claims this label and does not stand by itself: {}.",
    }
    for rival in case.rivals:
        sentence = sentences.get(rank_of(case, rival))
        if sentence is not None:
            yield sentence.format(_place(rival.evidence.core))


def rank_of(case: Case, rival: Rival) -> Rank:
    """Return how another entry stands beside the one that is judged."""
    ours, theirs = case.parsed_statement, statement_of(rival.evidence.core)
    if not _is_of_label(ours, theirs) or _order(rival.evidence.core) == _order(case.core):
        return Rank.NONE
    if not _is_sound(case, rival):
        return Rank.UNSOUND
    if is_listed(case) and not rival.is_listed:
        return Rank.UNLISTED
    we_name, they_name = _names_label(case.evidence), _names_label(rival.evidence)
    if we_name != they_name:
        return Rank.UNLICENSED if we_name else Rank.LICENSED
    is_earlier = _order(rival.evidence.core) < _order(case.core)
    return Rank.EARLIER if is_earlier else Rank.LATER


def _is_of_label(ours: BuildStatement | GuildmarkError, theirs: BuildStatement | None) -> bool:
    return isinstance(ours, BuildStatement) and theirs is not None and theirs.label == ours.label


def _is_sound(case: Case, rival: Rival) -> bool:
    """Return whether an entry stands by itself, proven under the same block.

    With one block (0) is answered for both.
    """
    has_same_block = rival.evidence.chain.header == case.evidence.chain.header
    return has_same_block and not any(check.falls_short for check in rival.checks if check.number)


def _names_label(evidence: Evidence) -> bool:
    """Return whether a license of the entry names the label's namespace, as far as is shown."""
    statement = statement_of(evidence.core)
    shown = [members_of(license_) for license_ in evidence.disclosed.licenses]
    namespaces = (
        prefix
        for members in shown
        if members is not None
        for prefix in named_in(members, TermsKind.LABEL_NAMESPACE)
    )
    return statement is not None and any(map(statement.label.startswith, namespaces))


def _order(core: Core) -> tuple[int, int, int]:
    """Return where an entry stands: by its record's time, then its place."""
    return core.record.time, core.record.log, core.index


def _envelope(evidence: Evidence) -> bytes:
    return evidence.core.envelope


def _place(core: Core) -> str:
    return f"{core.record.log}.{core.index}"
