"""What a node computes for readers: one thing at a time, pictures once."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock

from guildmark.adapters.statistics import draw, evaluate
from guildmark.domain.equivalence.dataset import Dataset
from guildmark.domain.equivalence.plan import EquivalencePlan
from guildmark.domain.equivalence.verdict import EquivalenceResult
from guildmark.domain.errors import UncheckableError
from guildmark.domain.identifiers import Digest
from guildmark.services.equivalence.results import Publication

_ALBUMS = 8
_PATIENCE = 20.0

Album = Mapping[str, bytes]


class EngineBusyError(UncheckableError):
    """The node computes for others."""

    code = "equivalence.engineBusy"
    hint = "Try again in a while, or compute it yourself: `guildmark equivalence download`."


@dataclass(slots=True)
class Computing:
    """The engine behind a lock: whoever asks often waits, and the rest of the node serves on.

    Args:
        patience: How many seconds somebody waits for his turn.
    """

    patience: float = _PATIENCE
    _turn: Lock = field(default_factory=Lock, repr=False)
    _albums: OrderedDict[tuple[Digest, ...], Album] = field(default_factory=OrderedDict)

    def evaluate(self, plan: EquivalencePlan, dataset: Dataset) -> EquivalenceResult:
        """Return what a plan makes of its data, computed now.

        Raises:
            EngineBusyError: Others are computing all the time.
            StatisticsSupportError: The extra `equivalence` is not installed.
            OtherEngineError: The plan names another engine.
        """
        self._wait()
        try:
            return evaluate(plan, dataset)
        finally:
            self._turn.release()

    def album(self, found: Publication) -> Album:
        """Return the pictures of a result by their file names, as SVG; the newest few are kept.

        Raises:
            EngineBusyError: Others are computing all the time.
            StatisticsSupportError: The extra `equivalence` is not installed.
        """
        reported = found.reported
        key = (reported.report.result_digest, *sorted(one.root() for one in reported.data))
        self._wait()
        try:
            if key not in self._albums:
                drawn = draw(reported.plan, reported.dataset, found.result, reported.names)
                self._albums[key] = drawn
            self._albums.move_to_end(key)
            if len(self._albums) > _ALBUMS:
                self._albums.popitem(last=False)
            return self._albums[key]
        finally:
            self._turn.release()

    def _wait(self) -> None:
        if not self._turn.acquire(timeout=self.patience):
            message = "This node computes for others."
            raise EngineBusyError(message)
