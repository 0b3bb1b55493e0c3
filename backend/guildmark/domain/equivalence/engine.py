"""All gates in their order: a plan and its data in, the same bytes out wherever it is run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from guildmark.domain.equivalence import (
    capability,
    distribution,
    family,
    gauge,
    integrity,
    location,
    spread,
    stability,
)
from guildmark.domain.equivalence.columns import Summary, Table, summary, table
from guildmark.domain.equivalence.dataset import Dataset
from guildmark.domain.equivalence.plan import (
    CharacteristicPlan,
    EquivalencePlan,
    Kind,
    engine_digest,
)
from guildmark.domain.equivalence.process import windows
from guildmark.domain.equivalence.process.traces import Signatures, signatures
from guildmark.domain.equivalence.verdict import (
    EquivalenceResult,
    Gate,
    GateOutcome,
    Outcome,
    PairVerdict,
    verdict_of,
)
from guildmark.domain.equivalence.words import summary as sentence
from guildmark.domain.errors import UsageError
from guildmark.domain.identifiers import to_hex
from guildmark.domain.recipes.clause import ClausePath

_LEAST = 2


class OtherEngineError(UsageError):
    """A plan that names an engine with other figures."""

    code = "equivalence.otherEngine"
    hint = "Install the version of Guildmark that the plan was made with."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Premises:
    """What is known before sites are compared.

    Args:
        summaries: The series of sites whose data may be used.
        gauges: By instrument and characteristic.
        data: By site.
        alone: What each site shows by itself, by site and characteristic.
    """

    plan: EquivalencePlan
    data: Table
    summaries: Mapping[tuple[str, ClausePath], Summary]
    gauges: Mapping[tuple[str, ClausePath], GateOutcome]
    integrity: Mapping[str, Sequence[GateOutcome]]
    alone: Mapping[tuple[str, ClausePath], Sequence[GateOutcome]]

    def behind(
        self, sites: tuple[str, str], wanted: Sequence[CharacteristicPlan]
    ) -> Iterator[GateOutcome]:
        """Yield what a comparison of some characteristics rests on."""
        keys = [(site, one.path) for site in sites for one in wanted]
        for key in keys:
            series = self.data.series.get(key)
            for instrument in sorted(series.instruments) if series else ():
                if (instrument, key[1]) in self.gauges:
                    yield self.gauges[instrument, key[1]]
        for site in sites:
            yield from self.integrity[site]
        for key in keys:
            yield from self.alone.get(key, ())


def run(plan: EquivalencePlan, dataset: Dataset) -> EquivalenceResult:
    """Return what a plan makes of its data.

    Raises:
        OtherEngineError: The plan names another engine.
        ForeignSiteError: A reading is of a site that the plan does not name.
    """
    check_engine(plan)
    return run_table(plan, dataset, table(plan, dataset))


def check_engine(plan: EquivalencePlan) -> None:
    """Check that this engine is the one that a plan names.

    Raises:
        OtherEngineError: It is another.
    """
    own = engine_digest()
    if plan.engine != own:
        message = f"The plan names the engine {to_hex(plan.engine)}; this is {to_hex(own)}."
        raise OtherEngineError(message, wanted=to_hex(plan.engine), found=to_hex(own))


def run_table(plan: EquivalencePlan, dataset: Dataset, data: Table) -> EquivalenceResult:
    """Return what a plan makes of its data in columns."""
    started = _premises(plan, dataset, data)
    verdicts: list[PairVerdict] = []
    gates = [*started.gauges.values()]
    for found in (*started.integrity.values(), *started.alone.values()):
        gates += found
    for sites in plan.pairs:
        for kind in Kind:
            wanted = [one for one in plan.characteristics if one.kind is kind]
            if wanted:
                own = list(_compared(started, sites, wanted))
                gates += own
                behind = list(started.behind(sites, wanted))
                verdicts.append(_verdict(sites, kind, len(wanted), [*behind, *own]))
    return EquivalenceResult(
        plan=plan.digest(),
        engine=plan.engine,
        data=dataset.roots,
        verdicts=tuple(verdicts),
        gates=tuple(sorted(gates, key=lambda one: one.gate.number)),
    )


def summaries(plan: EquivalencePlan, data: Table) -> dict[tuple[str, ClausePath], Summary]:
    """Return the summary of each planned series whose replicates are several and vary."""
    found = {
        (site, wanted.path): summary(series, wanted.transformation)
        for site in plan.all_sites
        for wanted in plan.characteristics
        if (series := data.series.get((site, wanted.path))) is not None
        and len(series.starts) >= _LEAST
    }
    return {key: one for key, one in found.items() if one.variance > 0}


def _premises(plan: EquivalencePlan, dataset: Dataset, data: Table) -> _Premises:
    told = signatures(plan, dataset.traces)
    checked = integrity.judge(plan, dataset, data, told)
    usable = {
        key: series
        for key, series in data.series.items()
        if all(one.passed for one in checked[key[0]])
    }
    found = summaries(plan, replace(data, series=usable))
    return _Premises(
        plan=plan,
        data=data,
        summaries=found,
        gauges=_gauges(plan, dataset, data),
        integrity=checked,
        alone={
            (site, wanted.path): [
                *_alone(plan, wanted, site, found),
                *_windows(wanted, site, told),
            ]
            for site in plan.all_sites
            for wanted in plan.characteristics
            if (site, wanted.path) in usable
        },
    )


def _gauges(
    plan: EquivalencePlan, dataset: Dataset, data: Table
) -> dict[tuple[str, ClausePath], GateOutcome]:
    studies = {(one.instrument, one.characteristic): one for one in dataset.studies}
    planned = {one.path: one for one in plan.characteristics if one.max_gauge is not None}
    used = {
        (instrument, path)
        for (_, path), series in data.series.items()
        if path in planned
        for instrument in series.instruments
    }
    return {key: gauge.judge(studies.get(key), planned[key[1]], key[0]) for key in sorted(used)}


def _alone(
    plan: EquivalencePlan,
    wanted: CharacteristicPlan,
    site: str,
    found: Mapping[tuple[str, ClausePath], Summary],
) -> Iterator[GateOutcome]:
    """Yield the gates that look at one site by itself."""
    own = found.get((site, wanted.path))
    if own is None:
        yield GateOutcome(
            gate=Gate.STABILITY,
            outcome=Outcome.INCONCLUSIVE,
            reason=f"There are not two {plan.replication}s that differ: too few for any chart.",
            sites=(site,),
            characteristic=wanted.path,
        )
        return
    yield stability.judge(plan, wanted, site, own)
    yield distribution.judge(plan, wanted, site, own)
    if wanted.min_cpk is not None:
        yield capability.judge(plan, wanted, site, own)


def _windows(wanted: CharacteristicPlan, site: str, told: Signatures) -> Iterator[GateOutcome]:
    """Yield what a site's telemetry shows of a window, where the plan promises something of it."""
    if wanted.trace is not None:
        yield windows.judge(wanted, wanted.trace, site, told[site, wanted.path])


def _compared(
    started: _Premises, sites: tuple[str, str], wanted: Sequence[CharacteristicPlan]
) -> Iterator[GateOutcome]:
    """Yield the gates that look at two sites, where the data of both can be computed with."""
    plan, found = started.plan, started.summaries
    judged: list[GateOutcome] = []
    for one in wanted:
        first, second = (found.get((site, one.path)) for site in sites)
        if first is None or second is None:
            continue
        judged.append(location.judge(plan, one, sites, first, second))
        if one.spread_margin is not None:
            judged.append(spread.judge(plan, one, sites, first, second))
    yield from judged
    if judged and wanted[0].kind is Kind.PART:
        yield family.judge(plan, sites, judged)


def _verdict(
    sites: tuple[str, str], kind: Kind, count: int, gates: Sequence[GateOutcome]
) -> PairVerdict:
    ordered = sorted(gates, key=lambda one: one.gate.number)
    verdict = verdict_of(ordered)
    return PairVerdict(
        sites=sites, kind=kind, verdict=verdict, summary=sentence(kind, verdict, count, ordered)
    )
