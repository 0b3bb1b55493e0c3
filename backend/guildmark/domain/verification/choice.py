"""What of many things a bundle is to show: those that the asker's own list names go first."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from guildmark.domain.errors import UsageError
from guildmark.domain.identifiers import IdentityId
from guildmark.domain.trust import Listed, Trust
from guildmark.domain.verification.evidence import AUTHORITIES_MAX

CHOSEN_MAX = AUTHORITIES_MAX
"""How many of a kind one question may name."""


class ChoiceTooLongError(UsageError):
    """A list names more of a kind than one bundle answers for."""

    code = "bundle.choiceTooLong"
    hint = "Ask for several bundles, each with a part of the list: `guildmark verify --beside`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Whom an asker lists; the order is his.

    Args:
        authorities: Of whom the bundle proves whether they gave notice.
        issuers: Whose claims go before those of others.
        inspectors: Whose inspections go before those of others.
    """

    authorities: tuple[IdentityId, ...] = ()
    issuers: tuple[IdentityId, ...] = ()
    inspectors: tuple[IdentityId, ...] = ()

    def __post_init__(self) -> None:
        for what in ("authorities", "issuers", "inspectors"):
            named = getattr(self, what)
            if len(named) > CHOSEN_MAX:
                message = f"{len(named)} {what} are named; one bundle answers for {CHOSEN_MAX}."
                raise ChoiceTooLongError(message, found=len(named), limit=CHOSEN_MAX)

    @classmethod
    def of(cls, trust: Trust) -> Self:
        """Return whom a trust file lists.

        Raises:
            ChoiceTooLongError: It lists more of a kind than one bundle answers for.
        """
        return cls(
            authorities=_ids(trust.authorities),
            issuers=_ids(trust.issuers),
            inspectors=_ids(trust.inspectors),
        )

    @classmethod
    def of_notices_and_inspections(cls, trust: Trust | None) -> Self:
        """Return the authorities and inspectors of a trust file, as many as one bundle answers for.

        Of whom a bundle says nothing the checks say so: nobody need be told whom a reader trusts.
        """
        if trust is None:
            return cls()
        return cls(
            authorities=_ids(trust.authorities)[:CHOSEN_MAX],
            inspectors=_ids(trust.inspectors)[:CHOSEN_MAX],
        )


ANYBODY = Choice()


def _ids(listed: Sequence[Listed]) -> tuple[IdentityId, ...]:
    # One identity may be listed for several times.
    return tuple(dict.fromkeys(one.id for one in listed))
