"""Notices on who owned a design: who licensed it, and published its revision and its recipe.

An owner is an account. A notice on that account bears on what it did in whoever's name a bundle
shows that it spoke: whoever steals a key has all that it opens.

The chain keeps who owned a design in each epoch, not in which epoch something was published.
"""

from collections.abc import Iterator

from guildmark.domain.chain import storage
from guildmark.domain.identifiers import IdentityId
from guildmark.domain.verification.case import Case, UndecidedError
from guildmark.domain.verification.doubts import Doubt, doubt_findings, of_act
from guildmark.domain.verification.evidence import LicenseDisclosure
from guildmark.domain.verification.licensing import Signed, signed
from guildmark.domain.verification.report import Finding
from guildmark.domain.verification.slots import acting
from guildmark.domain.verification.state import Unproven


def published_findings(case: Case, at: int, act: str, evidence: str) -> Iterator[Finding]:
    """Yield a finding for each notice that bears on what was published for the design.

    The owner is the one who signed for the unit. Where another one may have published, what
    follows on a notice is in doubt, not void.

    Raises:
        UndecidedError: It is not proven whether there is one.
    """
    owner, root = case.disclosed.owner, case.disclosed.root_license
    try:
        found = signed(case)
        account = 0 if found is None or root is None else _account(case, root, found)
    except UndecidedError:
        # (6) says what is not proven.
        return
    if owner is None or root is None or found is None:
        return
    is_certain = _is_his(case, root, found, at)
    doubts = _doubts(case, owner, account, at)
    yield from doubt_findings(doubts, at, act, evidence, is_certain=is_certain)


def signed_findings(case: Case, evidence: str) -> Iterator[Finding]:
    """Yield a finding for each notice that bears on who granted the license, or added the unit.

    Where nobody is shown who spoke for the design's owner, the reader lists none either.

    Raises:
        UndecidedError: It is not proven whether there is one.
    """
    found, owner, root = signed(case), case.disclosed.owner, case.disclosed.root_license
    if found is None or owner is None or root is None:
        return
    doubts = _doubts(case, owner, _account(case, root, found), found.at)
    yield from doubt_findings(doubts, found.at, found.act, evidence)


def _account(case: Case, root: LicenseDisclosure, found: Signed) -> int:
    """Return the account that owned the design and signed, as a slot holds it."""
    return case.word(storage.DESIGN_OWNERS.at(root.terms.design, found.epoch))


def _doubts(case: Case, owner: IdentityId, account: int, at: int) -> Iterator[Doubt]:
    """Yield the notices on the owner, and on his account in others' names that are shown."""
    yield from of_act(case, owner, at)
    for other in sorted(acting(case.core, case.disclosed) - {owner}):
        # Who is named but not proven is no evidence; what rests on him is refused where it counts.
        if case.state.word(storage.IDENTITIES.at(other)) is not Unproven.MISSING:
            yield from of_act(case, other, at, account=account)


def _is_his(case: Case, root: LicenseDisclosure, found: Signed, at: int) -> bool:
    """Return whether who signed for the unit surely owned the design at another time, too."""
    next_owner = case.word(storage.DESIGN_OWNERS.at(root.terms.design, found.epoch + 1))
    return found.epoch == 0 if at < found.at else next_owner == 0
