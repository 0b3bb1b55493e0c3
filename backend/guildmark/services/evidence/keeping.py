"""Keeping content: challenges on a schedule, and what they showed."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from guildmark.ports.clock import Clock
from guildmark.ports.content import Availability, ContentStores, StoreAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSummary:
    """How many files of a store were found how in one round.

    Args:
        mended: Of those that are well now, how many were not.
    """

    store: str
    ok: int = 0
    unavailable: int = 0
    invalid: int = 0
    mended: int = 0

    def count(self, state: Availability) -> int:
        """Return how many files were found so."""
        counts = {
            Availability.OK: self.ok,
            Availability.UNAVAILABLE: self.unavailable,
            Availability.INVALID: self.invalid,
        }
        return counts[state]


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One round of challenges over all files and stores.

    Args:
        at: Seconds since 1970 at which it ended.
    """

    at: int
    stores: tuple[StoreSummary, ...]

    @property
    def is_whole(self) -> bool:
        """Return whether every store holds every file."""
        return not any(store.unavailable or store.invalid for store in self.stores)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """Use cases around the stores that keep a home's content."""

    stores: ContentStores
    clock: Clock

    def round(self) -> Round:
        """Challenge every store for every file, mend what failed, and sum up."""
        summaries = tuple(_summaries(self.stores.round()))
        return Round(at=self.clock.now(), stores=summaries)


def _summaries(answers: Iterable[StoreAnswer]) -> Iterator[StoreSummary]:
    # One pass, counts only: there may be many files.
    states: dict[str, Counter[Availability]] = {}
    mended: Counter[str] = Counter()
    for answer in answers:
        states.setdefault(answer.store, Counter())[answer.state] += 1
        mended[answer.store] += answer.mended
    for store, found in states.items():
        yield StoreSummary(
            store=store,
            ok=found[Availability.OK],
            unavailable=found[Availability.UNAVAILABLE],
            invalid=found[Availability.INVALID],
            mended=mended[store],
        )
