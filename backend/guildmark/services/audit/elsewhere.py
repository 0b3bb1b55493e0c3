"""What a machine built outside an audit's scope: there a number of its counter may stand."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from guildmark.domain.audit.accounts import MachineAccount
from guildmark.domain.audit.units import DrawnUnit
from guildmark.domain.identifiers import IdentityId
from guildmark.ports.facts import Facts
from guildmark.services.audit.scope import DrawnRecord, Scope, drawn

LOOKED_MAX = 1_000
"""How many units outside its scope an audit asks for."""


@dataclass(slots=True, kw_only=True)
class Elsewhere:
    """The units outside a scope that an audit looks at, in the time of a machine's parts in it.

    Args:
        room: How many more are looked at.
        was_cut: Whether there were more.
    """

    room: int = LOOKED_MAX
    was_cut: bool = False

    def units(
        self,
        machine: IdentityId,
        account: MachineAccount,
        records: Sequence[DrawnRecord],
        facts: Facts,
    ) -> Sequence[DrawnUnit]:
        """Return units that the machine may have built between its first and last part here.

        Args:
            machine: Whose counter leaves numbers out.
            account: What the scope shows of it.
            records: What the scope drew: it was looked at already.
            facts: The auditor's own.
        """
        known = {(one.record.log, one.record.seq): one.lanes.keys() for one in records}
        time = Scope(machine=machine, begin=account.since, end=account.until + 1)
        others = (
            unit
            for record in drawn(time, facts)
            for unit in record.units()
            if unit.lane not in known.get((record.record.log, record.record.seq), ())
        )
        found = [*islice(others, self.room)]
        self.room -= len(found)
        self.was_cut = self.was_cut or _has_more(others)
        return found

    def words(self) -> str:
        """Return what is said of a number that was not found."""
        if self.was_cut:
            return f", as far as {LOOKED_MAX - self.room} units outside the scope tell"
        return ", also outside the scope"


def _has_more(units: Iterator[DrawnUnit]) -> bool:
    return next(units, None) is not None
