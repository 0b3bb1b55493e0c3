"""Who did what with a design: its owners one after another, and in whose time a paper appeared."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from guildmark.domain.identifiers import UINT40_MAX, Address

FOREVER = UINT40_MAX
"""The end of a time that has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenure:
    """One owner's time.

    Args:
        epoch: How many transfers there were before.
        account: The owner's.
        since: The block time of the registration, or of the transfer to him.
        until: The block time of the transfer from him, `FOREVER` while he owns.
    """

    epoch: int
    account: Address
    since: int
    until: int = FOREVER

    def may_cover(self, time: int) -> bool:
        """Return whether he may have owned at a time; in the second of a transfer either may."""
        return self.since <= time <= self.until

    def covers(self, time: int) -> bool:
        """Return whether he surely owned at a time; nobody did before the first owner."""
        begins = self.epoch == 0 or self.since < time
        return begins and self.may_cover(time) and time < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What an owner did, or may have done, that a paper of the design rests on.

    Args:
        account: The owner's.
        at: The block time.
        is_certain: Whether it surely was he.
        is_transfer: Whether he gave the design away, to whoever published later.
    """

    account: Address
    at: int
    is_certain: bool
    is_transfer: bool = False


def deeds(owners: Sequence[Tenure], signed: int, at: int) -> Iterator[Deed]:
    """Yield who may have published at a time, then the transfers that made him the owner.

    A transfer is doubtful for whoever rests on a license from before it, so it never counts for
    certain: whoever stole a key could give the design to himself, and go on under the license.

    Args:
        owners: The owners that are known.
        signed: In whose epoch the license was signed.
        at: When something was published.
    """
    for one in owners:
        if one.may_cover(at):
            yield Deed(account=one.account, at=at, is_certain=one.covers(at))
    for one in owners:
        if one.epoch >= signed and one.until < at:
            yield Deed(account=one.account, at=one.until, is_certain=False, is_transfer=True)
