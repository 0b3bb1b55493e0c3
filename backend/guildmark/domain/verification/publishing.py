"""Notices on who published a design's revision and its recipe.

The chain keeps who owned a design in each epoch, not in which epoch something was published.
"""

from collections.abc import Iterator

from guildmark.domain.chain import storage
from guildmark.domain.verification.case import Case, UndecidedError
from guildmark.domain.verification.doubts import act_findings
from guildmark.domain.verification.evidence import LicenseDisclosure
from guildmark.domain.verification.licensing import Signed, signed
from guildmark.domain.verification.report import Finding


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
    except UndecidedError:
        # (6) says what is not proven.
        return
    if owner is None or root is None or found is None:
        return
    is_certain = _is_his(case, root, found, at)
    yield from act_findings(case, owner, at, act, evidence, is_certain=is_certain)


def _is_his(case: Case, root: LicenseDisclosure, found: Signed, at: int) -> bool:
    """Return whether who signed for the unit surely owned the design at another time, too."""
    next_owner = case.word(storage.DESIGN_OWNERS.at(root.terms.design, found.epoch + 1))
    return found.epoch == 0 if at < found.at else next_owner == 0
