"""How units came to a lane: who granted or added them, and who gave them on."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from guildmark.domain.chain.facts import (
    ControllerFact,
    DesignOwnerFact,
    ExtensionFact,
    LaneFact,
    LicenseFact,
    RecipeFact,
    RevisionFact,
    SpokenForFact,
)
from guildmark.domain.errors import RevokedError
from guildmark.domain.identifiers import Address, DesignId, IdentityId, UnitNumber, to_hex
from guildmark.domain.rights.tenure import FOREVER, Tenure, deeds
from guildmark.domain.trust import Trust
from guildmark.ports.facts import Facts
from guildmark.services.identity.notices import is_act_doubted
from guildmark.services.index.projection import known

_FOREVER = 2**40


class GivenInDoubtError(RevokedError):
    """A notice doubts who granted the license, added units to it, or gave the lane on."""

    code = "license.givenInDoubt"
    hint = "Let whoever is named give the units anew, under his own account."


class PublishedInDoubtError(RevokedError):
    """A notice doubts who published the design's revision, or its recipe."""

    code = "design.publishedInDoubt"
    hint = "Let the design's owner look at what was published, and publish and qualify it anew."


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """By which act of a design's owner units exist.

    Args:
        account: The owner's.
        epoch: The epoch of the design in which he owned it.
        at: The block time.
        extension: The first unit of the extension, None where they were granted.
    """

    account: Address
    epoch: int
    at: int
    extension: UnitNumber | None = None


def signing(root: LicenseFact, unit: UnitNumber, facts: Facts) -> Signing:
    """Return by which act of the design's owner a unit of a root license exists."""
    terms = root.terms
    epoch, at, extension = terms.design_epoch, root.granted_at, None
    if unit > terms.units:
        added = _extension(root, unit, facts)
        epoch, at, extension = added.epoch, added.at, added.first
    owner = known(facts, DesignOwnerFact, terms.design, epoch)
    return Signing(account=owner.owner, epoch=epoch, at=at, extension=extension)


def lanes_above(lane: LaneFact, facts: Facts) -> Sequence[LaneFact]:
    """Return the lanes from which a lane was cut, the nearest first."""
    found: list[LaneFact] = []
    while lane.source:
        lane = known(facts, LaneFact, lane.source)
        found.append(lane)
    return found


def spoke_for(account: Address, at: int, facts: Facts) -> Iterator[IdentityId]:
    """Yield the identities for which an account spoke at a time, or before it registered them.

    In the second of a change either account may have spoken.
    """
    for one in facts.each(SpokenForFact, account):
        terms = facts.each(ControllerFact, one.identity)
        begins = [0, *(term.since for term in terms[1:])]
        ends = [*begins[1:], _FOREVER]
        if any(
            term.account == account and begin <= at <= end
            for term, begin, end in zip(terms, begins, ends, strict=True)
        ):
            yield one.identity


def check_given(lane: LaneFact, root: LicenseFact, facts: Facts, trust: Trust | None) -> None:
    """Refuse units that a notice puts in doubt, by whoever granted, added or gave them on.

    Raises:
        GivenInDoubtError: One of them is doubted.
    """
    for giver, at in _acts(lane, root, facts):
        if is_act_doubted(giver, at, facts, trust):
            message = f"What {to_hex(giver)} licensed or gave on at {at} is doubted."
            raise GivenInDoubtError(message, identity=to_hex(giver), time=at, lane=lane.number)


def check_published(
    lane: LaneFact, root: LicenseFact, times: Sequence[int], facts: Facts, trust: Trust | None
) -> None:
    """Refuse a revision or a recipe that was published while who owned the design is doubted.

    Whoever owned it by then may have got it from one who is doubted since before he gave it away.

    Args:
        lane: The lane that is drawn from.
        root: Its root license.
        times: When what is built by was published.
        facts: What this home knows.
        trust: Which authorities' notices count.

    Raises:
        PublishedInDoubtError: One of them is doubted.
    """
    act, owners = signing(root, lane.first, facts), tenures(root.terms.design, facts)
    for deed in (deed for at in times for deed in deeds(owners, act.epoch, at)):
        # Whoever spoke for the account when it licensed is who a verdict names.
        named = spoke_for(act.account, act.at, facts) if deed.account == act.account else ()
        for owner in dict.fromkeys((*named, *spoke_for(deed.account, deed.at, facts))):
            if is_act_doubted(owner, deed.at, facts, trust):
                did = "gave away" if deed.is_transfer else "published"
                message = f"What {to_hex(owner)} {did} at {deed.at} is doubted."
                raise PublishedInDoubtError(message, identity=to_hex(owner), time=deed.at)


def tenures(design: DesignId, facts: Facts) -> Sequence[Tenure]:
    """Return a design's owners, the first one first."""
    known_ones = facts.each(DesignOwnerFact, design)
    ends = [*(one.since for one in known_ones[1:]), FOREVER]
    return [
        Tenure(epoch=one.epoch, account=one.owner, since=one.since, until=end)
        for one, end in zip(known_ones, ends, strict=False)
    ]


def published_times(
    revision: RevisionFact | None, recipe: RecipeFact | None, since: int
) -> Sequence[int]:
    """Return when papers were published, and each status set that held at a time or came after.

    A paper that nobody published has no time: it is refused where it is read.
    """
    revised = () if revision is None else (revision.revision.at,)
    if recipe is None:
        return revised
    return (*revised, recipe.published_at, *recipe.steps_since(since))


def _acts(lane: LaneFact, root: LicenseFact, facts: Facts) -> Iterator[tuple[IdentityId, int]]:
    # All units of a lane were granted or added together: lanes are only ever cut.
    act = signing(root, lane.first, facts)
    for identity in spoke_for(act.account, act.at, facts):
        yield identity, act.at
    below = lane
    for source in lanes_above(lane, facts):
        yield source.holder, below.given_at
        below = source


def _extension(root: LicenseFact, unit: UnitNumber, facts: Facts) -> ExtensionFact:
    added = facts.floor(ExtensionFact, root.number, unit)
    return known(facts, ExtensionFact, root.number, unit) if added is None else added
