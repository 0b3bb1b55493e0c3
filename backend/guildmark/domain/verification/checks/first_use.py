"""Of two entries with one label one stands: the one rightfully licensed for it, else the earlier.

Anybody registers a design and licenses himself any namespace. A license that names the label goes
before time only by the word of somebody whom both entries rest on, or whom the label belongs to.
"""

from collections.abc import Iterator
from enum import Enum

from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.chain import storage
from guildmark.domain.chain.ethproof.header import decode_header
from guildmark.domain.chain.storage import AccountWord
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import Address
from guildmark.domain.rights.terms import TermsKind, is_in_namespace, named_in
from guildmark.domain.verification.case import ENVELOPE, Case, LabelRight, Rival
from guildmark.domain.verification.checks.members import members_of
from guildmark.domain.verification.evidence import Core, Evidence, LicenseDisclosure, statement_of
from guildmark.domain.verification.naming import (
    DESIGN_OWNER,
    MAKER,
    is_listed,
    parties,
    prefix_holders,
)
from guildmark.domain.verification.report import Cause, Finding, Lack, State

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
    "its namespace, by the same design owner or of whom the label's GS1 prefix is; this one's "
    "license does not.",
)
ENVELOPE_LOGGED_EARLIER = Cause(
    code="verify.envelopeLoggedEarlier",
    state=State.FAIL,
    meaning="The same envelope was logged before, and that entry stands by itself.",
)

LABEL_SOURCE_SILENT = Cause(
    code="verify.labelSourceSilent",
    state=State.UNKNOWN,
    meaning="A node that was asked for other entries of the label did not answer, or not with all "
    "that it names.",
    lack=Lack.SOURCE,
)
LABEL_ENTRIES_BEYOND = Cause(
    code="verify.labelEntriesBeyond",
    state=State.UNKNOWN,
    meaning="More entries claim the label than are looked at.",
)
_UNSEARCHED = {Lack.SOURCE: LABEL_SOURCE_SILENT, Lack.EVIDENCE: LABEL_ENTRIES_BEYOND}


class Rank(Enum):
    """How another entry stands beside the one that is judged, what weighs least first."""

    NONE = "none"
    """It is another part's."""
    UNSOUND = "unsound"
    """It does not stand by itself."""
    UNCOMPARED = "uncompared"
    """It is proven under another block, which the reader does not trust."""
    UNLISTED = "unlisted"
    """It stands by itself, and the reader lists its parties less than those of this one."""
    LATER = "later"
    UNLICENSED = "unlicensed"
    """This one's license names the label's namespace rightfully, its own does not."""
    EARLIER = "earlier"
    LICENSED = "licensed"
    """Its license names the label's namespace rightfully, this one's does not."""


_WEIGHTS = tuple(Rank)

_SOUND = range(1, 9)
"""The checks by which an entry stands by itself; who asks for accreditations judges his own."""


def first_use(case: Case) -> Iterator[Finding]:
    """Yield a finding for each entry that stands where this one does not."""
    for rival, rank in _weighed(case):
        if rank not in {Rank.LICENSED, Rank.EARLIER}:
            continue
        place = _place(rival.evidence.core) + _block(case, rival)
        if rank is Rank.LICENSED:
            reason = f"Part {place} claims the label under a license that names its namespace."
            yield LABEL_LICENSED_ELSEWHERE.found(reason, _RIVALS)
        elif _envelope(rival.evidence) == _envelope(case.evidence):
            yield ENVELOPE_LOGGED_EARLIER.found(f"It was logged before as {place}.", ENVELOPE)
        else:
            reason = f"The earlier entry {place} claims this label."
            yield LABEL_CLAIMED_EARLIER.found(reason, _RIVALS)


def searched(case: Case) -> Iterator[Finding]:
    """Yield a finding for each place where other entries could not all be looked at."""
    for one in case.question.unsearched:
        if one.lack is not None:
            yield _UNSEARCHED[one.lack].found(one.reason, _RIVALS)


def first_use_notes(case: Case) -> Iterator[str]:
    """Yield a sentence for each other entry that changes no state."""
    sentences = {
        Rank.LATER: "A later entry claims this label: {}.",
        Rank.UNLICENSED: "An entry whose license does not name this label claims it: {}.",
        Rank.UNLISTED: "An entry of parties that you do not list claims this label: {}.",
        Rank.UNSOUND: "Another entry claims this label and does not stand by itself: {}.",
        Rank.UNCOMPARED: "Could not compare with {}, which claims this label:",
    }
    for rival, rank in _weighed(case):
        sentence = sentences.get(rank)
        if sentence is not None:
            why = f" {rival.checks[0].reason}" if rank is Rank.UNCOMPARED else ""
            yield sentence.format(_place(rival.evidence.core)) + why
    for rival in case.rivals:
        if rival.name and rank_of(case, rival) is Rank.NONE:
            yield f"Did not compare with {rival.name}: {_no_rival(case, rival)}."
    yield from (one.reason for one in case.question.unsearched if one.lack is None)


def rank_of(case: Case, rival: Rival) -> Rank:
    """Return how another entry stands beside the one that is judged."""
    stated, claimed = case.parsed_statement, statement_of(rival.evidence.core)
    if not _is_of_label(stated, claimed) or rival.evidence.place == case.evidence.place:
        return Rank.NONE
    # With one block (0) is answered for both.
    if not _is_at_same_block(case, rival) and rival.checks[0].falls_short:
        return Rank.UNCOMPARED
    if any(check.falls_short for check in rival.checks if check.number in _SOUND):
        return Rank.UNSOUND
    if is_listed(case) and not rival.is_listed:
        return Rank.UNLISTED
    ours, theirs = label_right(case), rival.right
    we_go, they_go = _goes_before_time(ours, theirs), _goes_before_time(theirs, ours)
    if we_go != they_go:
        return Rank.UNLICENSED if we_go else Rank.LICENSED
    is_earlier = _order(rival.evidence.core) < _order(case.core)
    return Rank.EARLIER if is_earlier else Rank.LATER


def _weighed(case: Case) -> Iterator[tuple[Rival, Rank]]:
    """Yield each other entry of the label once: of several bundles the one that weighs most.

    So whoever shows a worthless bundle of an entry hides no better one.
    """
    found: dict[tuple[int, int], tuple[Rival, Rank]] = {}
    for rival in case.rivals:
        rank, place = rank_of(case, rival), rival.evidence.place
        _, known = found.get(place, (rival, Rank.NONE))
        if _WEIGHTS.index(rank) > _WEIGHTS.index(known):
            found[place] = rival, rank
    yield from found.values()


def _no_rival(case: Case, rival: Rival) -> str:
    """Return why an entry that the reader brought is no rival."""
    ours, theirs = case.parsed_statement, statement_of(rival.evidence.core)
    if not isinstance(ours, BuildStatement):
        return "this part's statement cannot be read"
    if theirs is None:
        return "its statement cannot be read"
    if theirs.label != ours.label:
        return "it is about another label"
    return "it is about this very entry"


def _is_at_same_block(case: Case, rival: Rival) -> bool:
    return rival.evidence.chain.header == case.evidence.chain.header


def _block(case: Case, rival: Rival) -> str:
    """Return at which block an entry was judged, where it is another than the part's."""
    if _is_at_same_block(case, rival):
        return ""
    return f" (as of block {decode_header(rival.evidence.chain.header).number})"


def _is_of_label(ours: BuildStatement | GuildmarkError, theirs: BuildStatement | None) -> bool:
    return isinstance(ours, BuildStatement) and theirs is not None and theirs.label == ours.label


def _goes_before_time(one: LabelRight, other: LabelRight) -> bool:
    """Return whether a license lets one entry stand before another, whichever is earlier."""
    is_by_owner = one.is_named_by_owner and not other.is_named_by_owner
    is_by_same = one.licensor is not None and one.licensor == other.licensor
    return (is_by_owner and is_by_same) or (one.is_named_by_holder and not other.has_prefix)


def label_right(case: Case) -> LabelRight:
    """Return by whose word an entry claims its label."""
    root, holders = case.disclosed.root_license, prefix_holders(case, parties(case))
    by_owner = root is not None and _names_label(case, root)
    by_anybody = any(_names_label(case, license_) for license_ in case.disclosed.licenses)
    return LabelRight(
        licensor=_licensor(case, root),
        is_named_by_owner=by_owner,
        is_named_by_holder=(by_owner and DESIGN_OWNER in holders)
        or (by_anybody and MAKER in holders),
        has_prefix=bool(holders),
    )


def _licensor(case: Case, root: LicenseDisclosure | None) -> Address | None:
    """Return the account that owned the design when it signed the root license, where proven."""
    if root is None:
        return None
    word = case.state.word(storage.DESIGN_OWNERS.at(root.terms.design, root.terms.design_epoch))
    return AccountWord.decode(word).account if isinstance(word, int) and word else None


def _names_label(case: Case, license_: LicenseDisclosure) -> bool:
    """Return whether a license names the label's namespace, as far as is shown."""
    members, statement = members_of(license_), statement_of(case.core)
    namespaces = () if members is None else named_in(members, TermsKind.LABEL_NAMESPACE)
    return statement is not None and any(
        is_in_namespace(statement.label, one) for one in namespaces
    )


def _order(core: Core) -> tuple[int, int, int]:
    """Return where an entry stands: by its record's time, then its place."""
    return core.record.time, core.record.log, core.index


def _envelope(evidence: Evidence) -> bytes:
    return evidence.core.envelope


def _place(core: Core) -> str:
    return f"{core.record.log}.{core.index}"
