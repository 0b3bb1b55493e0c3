"""What a node counts about itself, for Prometheus."""

from dataclasses import dataclass, field
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from guildmark.domain.identifiers import to_hex
from guildmark.domain.rights.reconciliation import Difference, Reconciliation
from guildmark.ports.content import Availability
from guildmark.services.evidence.keeping import Round
from guildmark.services.log.ingest import Reception
from guildmark.services.watch.alarms import ALARMS, Watch


class ReleaseOutcome(StrEnum):
    """What became of a request for keys."""

    RELEASED = "released"
    REPEATED = "repeated"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What is known at one moment.

    Args:
        waiting: Accepted entries that are in no batch.
        indexed: The block up to which the index has read, None before the first one.
        head: The newest final block, None where the chain does not answer.
        challenged: The newest round of challenges, None before the first one ended.
        watched: The newest look at the node.
    """

    waiting: int
    indexed: int | None
    head: int | None
    challenged: Round | None
    watched: Watch


@dataclass(frozen=True, slots=True)
class Metrics:
    """The counters of one process; what can be read is read when it is asked for."""

    _registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    _builds: Counter = field(init=False)
    _releases: Counter = field(init=False)
    _differences: Gauge = field(init=False)
    _gauges: dict[str, Gauge] = field(init=False)
    _files: Gauge = field(init=False)
    _alarms: Gauge = field(init=False)
    _shown: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        builds = Counter(
            "guildmark_builds",
            "Envelopes by what the door said to them.",
            ["reception"],
            registry=self._registry,
        )
        for reception in Reception:
            builds.labels(reception.value)
        releases = Counter(
            "guildmark_releases",
            "Requests for keys by what became of them.",
            ["outcome"],
            registry=self._registry,
        )
        for outcome in ReleaseOutcome:
            releases.labels(outcome.value)
        differences = Gauge(
            "guildmark_release_differences",
            "Lanes whose releases and draws differ, at the last reconciliation of a license.",
            ["license", "difference"],
            registry=self._registry,
        )
        files = Gauge(
            "guildmark_content_files",
            "Files by what a content store answered when it was last asked for them.",
            ["store", "state"],
            registry=self._registry,
        )
        alarms = Gauge(
            "guildmark_alarms",
            "What the operator must look at, by its code; 0 where it is over.",
            ["code"],
            registry=self._registry,
        )
        for kind in ALARMS:
            alarms.labels(kind.code)
        gauges = {name: Gauge(name, text, registry=self._registry) for name, text in _GAUGES}
        # The class is frozen, so that nobody swaps its counters.
        object.__setattr__(self, "_builds", builds)
        object.__setattr__(self, "_releases", releases)
        object.__setattr__(self, "_differences", differences)
        object.__setattr__(self, "_gauges", gauges)
        object.__setattr__(self, "_files", files)
        object.__setattr__(self, "_alarms", alarms)

    def count(self, reception: Reception, envelopes: int) -> None:
        """Count envelopes that were answered alike."""
        self._builds.labels(reception.value).inc(envelopes)

    def count_release(self, outcome: ReleaseOutcome) -> None:
        """Count a request for keys."""
        self._releases.labels(outcome.value).inc()

    def reconciled(self, found: Reconciliation) -> None:
        """Note what a reconciliation showed."""
        for difference in Difference:
            lanes = self._differences.labels(to_hex(found.license), difference.value)
            lanes.set(found.count(difference))

    def text(self, reading: Reading) -> bytes:
        """Return everything in Prometheus' text format."""
        missing = float("nan")
        head = missing if reading.head is None else reading.head
        indexed = missing if reading.indexed is None else reading.indexed
        figures = reading.watched.figures
        measured = (figures.behind, figures.lag, figures.balance, figures.records, figures.oldest)
        values = (
            *(reading.waiting, head, indexed, head - indexed, reading.head is not None),
            *(missing if one is None else one for one in measured),
        )
        for (name, _), value in zip(_GAUGES, values, strict=True):
            self._gauges[name].set(float(value))
        self._show_alarms(reading.watched)
        for store in reading.challenged.stores if reading.challenged else ():
            for state in Availability:
                self._files.labels(store.store, state.value).set(store.count(state))
        return generate_latest(self._registry)

    def _show_alarms(self, watched: Watch) -> None:
        codes = [one.code for one in watched.alarms]
        self._shown.update(codes)
        for code in self._shown:
            self._alarms.labels(code).set(codes.count(code))


_GAUGES = (
    ("guildmark_waiting_entries", "Accepted entries that are in no batch yet."),
    ("guildmark_head_block", "The newest final block of the chain."),
    ("guildmark_indexed_block", "The block up to which the index has read the chain."),
    ("guildmark_index_lag_blocks", "Final blocks that the index has not read yet."),
    ("guildmark_chain_up", "Whether the chain's node answers."),
    ("guildmark_finality_behind_seconds", "From the newest final block to the newest one."),
    ("guildmark_index_lag_seconds", "From the newest block of the index to the final one."),
    ("guildmark_writer_balance", "The coin of the account that writes records."),
    ("guildmark_writer_records", "For how many records that is enough at today's price."),
    ("guildmark_outbox_oldest_seconds", "For how long the oldest transaction has been open."),
)
