"""Notices on who owned a design: who licensed it, and published its revision and its recipe.

An owner is an account. A notice on that account bears on what it did in whoever's name a bundle
shows that it spoke: whoever steals a key has all that it opens.

The chain keeps who owned a design in each epoch, and since when: a notice on an owner bears on what
appeared in his time, and on his giving the design away, but not on what later owners did.
"""

from collections.abc import Iterator, Sequence

from guildmark.domain.chain import storage
from guildmark.domain.chain.storage import AccountWord
from guildmark.domain.identifiers import Address, DesignId, IdentityId
from guildmark.domain.rights.tenure import FOREVER, Deed, Tenure, deeds
from guildmark.domain.verification.case import Case, UndecidedError
from guildmark.domain.verification.doubts import Doubt, doubt_findings, of_act
from guildmark.domain.verification.evidence import LicenseDisclosure
from guildmark.domain.verification.licensing import Signed, signed
from guildmark.domain.verification.report import Finding
from guildmark.domain.verification.slots import acting
from guildmark.domain.verification.state import Unproven


def published_findings(case: Case, at: int, act: str, evidence: str) -> Iterator[Finding]:
    """Yield a finding for each notice that bears on what was published for the design.

    It bears on whoever owned the design then, and on whoever gave it away after he signed for the
    unit: where another one may have published, what follows is in doubt, not void.

    Raises:
        UndecidedError: It is not proven whether there is one.
    """
    named, root = case.disclosed.owner, case.disclosed.root_license
    try:
        found = signed(case)
        signer = None if found is None or root is None else _account(case, root, found)
    except UndecidedError:
        # (6) says what is not proven.
        return
    if named is None or root is None or found is None or signer is None:
        return
    for deed in _deeds(case, root.terms.design, found, at, signer):
        what = "The design was given away" if deed.is_transfer else act
        owner = named if deed.account == signer else None
        doubts = _doubts(case, deed.account, deed.at, owner)
        yield from doubt_findings(doubts, deed.at, what, evidence, is_certain=deed.is_certain)


def tenures_at(case: Case, at: int) -> Iterator[Tenure]:
    """Yield those of the shown owners of the design who may have owned it at a time.

    Raises:
        UndecidedError: Somebody's time is not proven.
    """
    root = case.disclosed.root_license
    if root is None:
        return
    for epoch in shown_epochs(case, root):
        tenure = _tenure(case, root.terms.design, epoch)
        if any(tenure.account) and tenure.may_cover(at):
            yield tenure


def shown_epochs(case: Case, root: LicenseDisclosure) -> Sequence[int]:
    """Return in which epochs of the design the bundle shows who owned it."""
    shown = case.disclosed
    epochs = {root.terms.design_epoch, *(one.epoch for one in shown.owners)}
    if shown.extension is not None:
        epochs.add(shown.extension.epoch)
    return sorted(epochs)


def signed_findings(case: Case, evidence: str) -> Iterator[Finding]:
    """Yield a finding for each notice that bears on who granted the license, or added the unit.

    Where nobody is shown who spoke for the design's owner, the reader lists none either.

    Raises:
        UndecidedError: It is not proven whether there is one.
    """
    found, owner, root = signed(case), case.disclosed.owner, case.disclosed.root_license
    if found is None or owner is None or root is None:
        return
    doubts = _doubts(case, _account(case, root, found), found.at, owner)
    yield from doubt_findings(doubts, found.at, found.act, evidence)


def _account(case: Case, root: LicenseDisclosure, found: Signed) -> Address:
    """Return the account that owned the design and signed."""
    return _owner(case, root.terms.design, found.epoch).account


def _deeds(case: Case, design: DesignId, found: Signed, at: int, signer: Address) -> Iterator[Deed]:
    """Yield what the owners did that are shown; who is not shown may be the one who signed."""
    epochs = {found.epoch, *(one.epoch for one in case.disclosed.owners)}
    shown = [_tenure(case, design, epoch) for epoch in sorted(epochs)]
    # An epoch that never began says nothing of who owned the design.
    owners = [one for one in shown if any(one.account)]
    if not any(one.may_cover(at) for one in owners):
        yield Deed(account=signer, at=at, is_certain=False)
    yield from deeds(owners, found.epoch, at)


def _tenure(case: Case, design: DesignId, epoch: int) -> Tenure:
    owner, following = (_owner(case, design, number) for number in (epoch, epoch + 1))
    until = following.since if any(following.account) else FOREVER
    return Tenure(epoch=epoch, account=owner.account, since=owner.since, until=until)


def _owner(case: Case, design: DesignId, epoch: int) -> AccountWord:
    return AccountWord.decode(case.word(storage.DESIGN_OWNERS.at(design, epoch)))


def _doubts(
    case: Case, account: Address, at: int, named: IdentityId | None = None
) -> Iterator[Doubt]:
    """Yield the notices on an account in the names that are shown, and those on whom it is."""
    if named is not None:
        yield from of_act(case, named, at)
    for other in sorted(acting(case.core, case.disclosed) - {named}):
        # Who is named but not proven is no evidence; what rests on him is refused where it counts.
        if case.state.word(storage.IDENTITIES.at(other)) is not Unproven.MISSING:
            yield from of_act(case, other, at, account=account)
