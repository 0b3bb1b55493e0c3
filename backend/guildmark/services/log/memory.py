"""What a door found at one block, kept for the requests that see the index at the same one.

Facts follow from the chain: at the same block they are the same. Documents do not, and are
compared: what rests on others than it was found by is found anew.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

from guildmark.domain.builds.countersigning import Demand
from guildmark.domain.chain.facts import LicenseFact
from guildmark.domain.measurement.quality_plan import QualityPlan
from guildmark.domain.recipes.clause import Clause
from guildmark.domain.recipes.clauses import DisclosedClauses
from guildmark.ports.chain import Block
from guildmark.services.remembering import Told

ENTRIES_MAX = 10_000
"""How many answers and jobs are remembered at most; then all of them are forgotten."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is sound for all parts of a job, and what each of them is judged by.

    Args:
        licenses: From the lane's own to the root's, each with its terms.
        told: The documents from which this was found.
        beginnings: Of each license, what labels may begin with.
        tolerances: What is to be measured.
        plan: How it is judged.
        demand: Which second signature the recipe asks for.
    """

    licenses: Sequence[tuple[LicenseFact, DisclosedClauses]]
    told: Told
    beginnings: Sequence[tuple[str, ...]]
    tolerances: Sequence[Clause] = ()
    plan: QualityPlan = field(default_factory=QualityPlan)
    demand: Demand | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What was found while the index stood at a block.

    Args:
        answers: Of the index, by the question.
        jobs: By all that their statements share.
    """

    cursor: Block
    answers: dict[Hashable, Any] = field(default_factory=dict)
    jobs: dict[Hashable, Job] = field(default_factory=dict)

    @property
    def is_full(self) -> bool:
        """Return whether there is no room for more."""
        return len(self.answers) + len(self.jobs) >= ENTRIES_MAX


@dataclass(slots=True)
class Memory:
    """What one log's door remembers: of the newest block that it was asked at, nothing older."""

    _newest: Remembered | None = None

    def at(self, cursor: Block) -> Remembered:
        """Return what is remembered of a block, to be added to."""
        newest = self._newest
        if newest is None or newest.cursor != cursor or newest.is_full:
            newest = self._newest = Remembered(cursor=cursor)
        return newest
