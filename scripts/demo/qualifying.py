"""Three sites are compared: planned, committed to blindly, computed, certified, watched.

All values of these qualification parts are simulated; everything else is as in earnest: they are
licensed, signed by the machines, logged, and drawn by the hash of a later block.
"""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from demo import cast
from demo.actors import ACCOUNT, SEALED, SITE
from demo.sampling import DRAWN, LOGGED, license_samples
from demo.scene import Scene
from demo.stage import StageError, write
from demo.telling import Teller
from demo.workshop import Workshop
from guildmark.adapters.reports.page import html
from guildmark.adapters.statistics import draw, drift, evaluate
from guildmark.domain.chain.facts import PlanFact, SiteRecipeFact
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.equivalence.blinded import SiteData
from guildmark.domain.equivalence.plan import CharacteristicPlan, EquivalencePlan, engine_digest
from guildmark.domain.equivalence.registration import Outcome
from guildmark.domain.equivalence.verdict import EquivalenceResult, Verdict
from guildmark.domain.identifiers import Bytes32, EquivalencePlanId, IdentityId, RecipeId, to_hex
from guildmark.domain.recipes.clause import ClausePath
from guildmark.services.equivalence.reporting import Reported
from guildmark.services.release.packages import Package

BORE, WIDTH = ClausePath("/tolerance/bore"), ClausePath("/tolerance/width")
BUILDS, REPLICATES = 10, 8
MAX_GAUGE = "0.3"
FEW = 4
TOLD: Mapping[str, Sequence[str]] = {
    "a": ("EQUIVALENT",),
    "b": ("EQUIVALENT",),
    "c": ("INCONCLUSIVE", "EQUIVALENT"),
}
"""What each site is certified, plan by plan."""
DRIFTING = "b"

_HOUR = 3600
_SEED = 5
_MIDDLES = {BORE: 22.2, WIDTH: 16.0}
_MARGINS = {BORE: "0.06", WIDTH: "0.06"}
_LIMITS = {BORE: ("22.05", "22.45"), WIDTH: ("15.8", "16.2")}
_SPREAD = 0.015
_SHIFT = 1.5 * _SPREAD
_DRIFTS_FROM = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Qualification:
    """What came out of a plan for one site."""

    site: str
    plan: str
    number: int
    verdict: str
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Qualified:
    """How the sites were compared, and what is needed to watch them."""

    rows: Sequence[Qualification]
    plans: Sequence[Reported]
    digests_equal: bool

    def told(self) -> Mapping[str, Sequence[str]]:
        """Return the verdicts of each site, in the order of its plans."""
        found: dict[str, list[str]] = {}
        for row in self.rows:
            found.setdefault(row.site, []).append(row.verdict)
        return found


class Source(Protocol):
    """Where a plan's data come from."""

    def asks(self) -> Mapping[str, Any]:
        """Return what a plan says of its samples."""
        ...

    def build(self, builds: Mapping[str, int], name: str) -> None:
        """Let sites build what is measured."""
        ...

    def tick(self) -> None:
        """Let what was built be drawn."""
        ...

    def data(self, plan: EquivalencePlanId, document: EquivalencePlan, letter: str) -> SiteData:
        """Return what a site commits to."""
        ...


def qualify(
    scene: Scene, package: Package, workshops: Sequence[Workshop], teller: Teller
) -> Qualified:
    """Compare all sites; the last one builds too little at first, and takes part again."""
    first, *_, last = workshops
    recipe = package.recipe.id()
    rows: list[Qualification] = []
    round_of = partial(Round, scene=scene, recipe=recipe, max_gauge=MAX_GAUGE)
    with teller.step(
        f"{LOGGED * 5} more units are licensed to compare the sites; gauges are calibrated"
    ):
        source = license_samples(scene, package, workshops, middles=_MIDDLES, spread=_SPREAD)
    with teller.step(
        f"Plan 1 before any part: {DRAWN} of {LOGGED} logged parts of each site are drawn; "
        f"{last.maker.place}: too few builds"
    ):
        builds = {workshop.maker.example.letter: BUILDS for workshop in workshops}
        builds[last.maker.example.letter] = FEW
        one = round_of(workshops=workshops, builds=builds, name="1", source=source)
        made = one.play()
        rows += one.certify(made, workshops[1:])
    with teller.step(f"Plan 2: {last.maker.place} with more builds; all three are certified"):
        again = {first.maker.example.letter: BUILDS, last.maker.example.letter: BUILDS}
        pair = (first, last)
        two = round_of(workshops=pair, builds=again, name="2", source=source)
        remade = two.play()
        rows += two.certify(remade, pair)
    plans = (made, remade)
    equal = all(evaluate(each.plan, each.dataset) == each.report.result for each in plans)
    return Qualified(rows=rows, plans=plans, digests_equal=equal)


def aim(workshops: Sequence[Workshop]) -> list[Workshop]:
    """Return the sites as they build from now on: like the parts that were compared, but one."""
    return [
        replace(workshop, aimed=dict(_later(workshop.maker.example.letter)))
        for workshop in workshops
    ]


def watch(scene: Scene, workshops: Sequence[Workshop], qualified: Qualified) -> Mapping[str, str]:
    """Look at what was logged since each certificate; suspend whom a chart shows drifting."""
    reasons: dict[str, str] = {}
    authority = scene.authority.home
    for workshop in workshops:
        site, letter = workshop.maker.site, workshop.maker.example.letter
        row = next(
            row
            for row in reversed(qualified.rows)
            if row.site == letter and row.verdict == Verdict.EQUIVALENT
        )
        plan = next(one.report.id for one in qualified.plans if to_hex(one.report.id) == row.plan)
        log = workshop.operator.party.home
        log.indexing.follow()
        authority.indexing.follow()
        later = log.watching.logged(plan, site)
        seen = authority.watching.watch(plan, site, later, drift)
        if set(seen.counts.values()) != {cast.UNITS_A_SITE}:
            message = f"Of {workshop.maker.place} other parts were watched: {seen.counts}."
            raise StageError(message)
        if seen.reason is not None:
            reasons[letter] = seen.reason
            service = authority.equivalence(ACCOUNT)
            service.suspend(plan, site, sha256(seen.reason.encode()))
    return reasons


def publish(scene: Scene, made: Reported) -> None:
    """Publish a plan, its result and all readings on both nodes, for everybody."""
    results, report = scene.authority.home.results, made.report
    for kind, key, body in results.documents(report.id, report.result, with_data=True):
        for node in scene.nodes:
            node.disclose(kind, key, body)


def write_reports(scene: Scene, qualified: Qualified) -> None:
    """Write what an auditor files of each plan, and publish it."""
    for number, one in enumerate(qualified.plans, start=1):
        made = scene.authority.home.reporting.report(one.report.id, evaluate)
        folder = scene.stage.folder / "equivalence" / f"plan-{number}"
        pictures = draw(made.plan, made.dataset, made.report.result, made.names)
        for name, body in pictures.items():
            write(folder / "pictures" / name, body)
        write(folder / "report.json", made.report.encode())
        write(folder / "report.html", html(made.report, pictures))
        publish(scene, one)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One plan from its registration to certificates.

    Args:
        workshops: The reference first.
        builds: How many builds each site makes, by its letter.
        name: What tells the values of this plan from others'.
        source: Where the data come from.
        max_gauge: The share of the study variation that gauges may make; None where the plan takes
            them as known.
    """

    scene: Scene
    recipe: RecipeId
    workshops: Sequence[Workshop]
    builds: Mapping[str, int]
    name: str
    source: Source
    max_gauge: str | None = None

    def play(self) -> Reported:
        """Register, let all join, commit and reveal; compute."""
        evaluator = self.scene.authority.home
        document = self._document()
        plan = self.scene.designer.home.equivalence(ACCOUNT).plan(
            document, sponsor=self.scene.designer.id
        )
        self._each(lambda workshop: self._join(plan, workshop))
        self.source.build(self.builds, self.name)
        self.source.tick()
        sealed = self._each(lambda workshop: self._commit(plan, document, workshop))
        self._each(lambda workshop: self._reveal(plan, workshop))
        evaluator.indexing.follow()
        evaluator.evaluation.receive(plan, document.encode())
        for workshop, body in zip(self.workshops, sealed, strict=True):
            evaluator.evaluation.unseal(body, plan, workshop.maker.site, key=SEALED)
        return evaluator.reporting.report(plan, evaluate)

    def certify(self, made: Reported, workshops: Sequence[Workshop]) -> Iterator[Qualification]:
        """Certify what the result says of sites, and yield it."""
        result = made.report.result
        numbers = {one.site: one.number for one in made.report.sites}
        service = self.scene.authority.home.equivalence(ACCOUNT)
        for workshop in workshops:
            site = workshop.maker.site
            verdict = _verdict(result, site)
            service.certify(made.report.id, site, Outcome.of(verdict), result.digest())
            yield Qualification(
                site=workshop.maker.example.letter,
                plan=to_hex(made.report.id),
                number=numbers[site],
                verdict=verdict.value,
                summary=_summary(result, site),
            )

    def _document(self) -> EquivalencePlan:
        home = self.scene.designer.home
        now = home.ledger.head(final=True).time
        first, *others = (to_hex(workshop.maker.site) for workshop in self.workshops)
        return EquivalencePlan(
            recipe=self.recipe,
            reference=first,
            sites=tuple(sorted(others)),
            characteristics=tuple(
                CharacteristicPlan(
                    path=path,
                    unit="mm",
                    margin=_MARGINS[path],
                    spread_margin="4",
                    lower=_LIMITS[path][0],
                    upper=_LIMITS[path][1],
                    min_cpk="1",
                    max_gauge=self.max_gauge,
                )
                for path in sorted(_MIDDLES)
            ),
            evaluator=to_hex(self.scene.authority.id),
            engine=engine_digest(),
            replicates=REPLICATES,
            commit_by=now + _HOUR,
            reveal_by=now + 2 * _HOUR,
            salt=Bytes32(home.entropy.token(32)),
            **self.source.asks(),
        )

    def _each(self, act: Callable[[Workshop], bytes]) -> list[bytes]:
        # All at once: each has his own account.
        with ThreadPoolExecutor() as pool:
            return list(pool.map(act, self.workshops))

    def _join(self, plan: EquivalencePlanId, workshop: Workshop) -> bytes:
        home = workshop.maker.party.home
        home.indexing.follow()
        with home.store.reading() as view:
            own = view.facts.get(SiteRecipeFact, workshop.site_recipe)
            known = view.facts.get(PlanFact, plan)
        if own is None or known is None:
            message = f"{workshop.maker.place} does not see plan and recipe on the chain."
            raise StageError(message)
        home.equivalence(SITE).join(plan, workshop.maker.site, own.recipe.model)
        return plan

    def _commit(
        self, plan: EquivalencePlanId, document: EquivalencePlan, workshop: Workshop
    ) -> bytes:
        recipient = self.scene.authority.home.keys.public_key(SEALED).value
        shown = self.source.data(plan, document, workshop.maker.example.letter)
        home = workshop.maker.party.home
        home.indexing.follow()
        # Its own home holds the data against the draw before it commits for ever.
        home.evaluation.receive(plan, document.encode())
        service = home.equivalence(SITE)
        return service.commit(plan, workshop.maker.site, shown, recipient=recipient).sealed

    def _reveal(self, plan: EquivalencePlanId, workshop: Workshop) -> bytes:
        home = workshop.maker.party.home
        home.indexing.follow()
        return home.equivalence(SITE).reveal(plan, workshop.maker.site)


def _verdict(result: EquivalenceResult, site: IdentityId) -> Verdict:
    return result.of_site(to_hex(site)) or Verdict.INVALID


def _summary(result: EquivalenceResult, site: IdentityId) -> str:
    own = [one for one in result.verdicts if to_hex(site) in one.sites]
    return next(one.summary for one in own if one.verdict is _verdict(result, site))


def _later(letter: str) -> Iterator[tuple[ClausePath, Sequence[float]]]:
    """Yield what comes out of a site's later builds; one site drifts from the fifth on."""
    source = random.Random(f"{_SEED}: later, {letter}")  # noqa: S311 - a simulation
    for path, middle in _MIDDLES.items():
        shift = _SHIFT if letter == DRIFTING and path == BORE else 0.0
        yield (
            path,
            [
                source.gauss(middle + (shift if number >= _DRIFTS_FROM else 0.0), _SPREAD)
                for number in range(cast.UNITS_A_SITE)
            ],
        )
