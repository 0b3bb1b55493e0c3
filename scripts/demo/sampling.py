"""Parts that are built to compare sites: licensed, logged, and drawn by a later block.

Their values are simulated; that they are logged before anybody knows which of them count is not.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from decimal import Decimal
from statistics import NormalDist
from time import monotonic, sleep
from typing import Any

from demo import cast
from demo.actors import ACCOUNT, MACHINE
from demo.design import cut_lanes, sign_terms
from demo.making import await_part, disclose, fresh_beacon, send
from demo.scene import Scene
from demo.stage import StageError
from demo.workshop import Workshop, first_unit
from guildmark.domain.builds.predicate import Beacon, Measurement
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.equivalence.blinded import SiteData
from guildmark.domain.equivalence.dataset import GaugeStudy, Trial
from guildmark.domain.equivalence.plan import Calibration, EquivalencePlan
from guildmark.domain.identifiers import EquivalencePlanId, UnitNumber, to_hex
from guildmark.domain.log.record import Record
from guildmark.domain.recipes.clause import ClausePath
from guildmark.domain.recipes.clauses import disclose_all
from guildmark.ports.store import DocumentKind
from guildmark.services.builds.builds import Finished
from guildmark.services.equivalence.sampling import SampleTooEarlyError
from guildmark.services.recipes.disclosing import clauses_body
from guildmark.services.release.packages import Package

LOGGED, DRAWN = 30, 26
"""How many parts each site logs for a plan, and how many of these are drawn and measured."""
MAX_PASSED = "0.1"

_ROUNDS = 2
_COUNTERS = 1000
_SEED = 5
_WITHIN = 0.2
_STUDIED, _TRIALS, _APPRAISERS = 10, 3, ("one", "two", "three")
_OF_GAUGE = 0.1
"""The standard deviation of the gauge, as a share of that of the builds."""
_PATIENCE = 30.0
_PAUSE = 0.3


@dataclass(slots=True, kw_only=True)
class Logged:
    """Data of parts that are logged and drawn.

    Args:
        workshops: Each site on its lane for such parts, by its letter.
        middles: What is measured of them, with the value that is aimed at.
        spread: The standard deviation of builds.
        made: How many parts each site has built so far.
    """

    scene: Scene
    workshops: Mapping[str, Workshop]
    middles: Mapping[ClausePath, float]
    spread: float
    made: dict[str, int] = field(default_factory=dict)

    def asks(self) -> Mapping[str, Any]:
        """Return what a plan says of its samples."""
        authority = to_hex(self.scene.authority.id)
        return {
            "units": DRAWN,
            "drawn_from": LOGGED,
            "max_passed": MAX_PASSED,
            "calibration": Calibration(standard=cast.CALIBRATION, authorities=(authority,)),
        }

    def build(self, builds: Mapping[str, int], name: str) -> None:
        """Let sites build what is drawn from, and wait until it is on record.

        Args:
            builds: How many builds each site makes of its parts, by its letter.
            name: What tells the values of one plan from another's.
        """
        beacon = fresh_beacon(self.scene)
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda one: self._built(one, builds[one], name, beacon), builds))

    def data(self, plan: EquivalencePlanId, document: EquivalencePlan, letter: str) -> SiteData:
        """Return the drawn parts' data of a site, as the home of its log collects them."""
        workshop = self.workshops[letter]
        home = workshop.operator.party.home
        home.indexing.follow()
        home.evaluation.receive(plan, document.encode())
        deadline = monotonic() + _PATIENCE
        while True:
            home.indexing.follow()
            try:
                found = home.sampling.collect(plan, workshop.maker.site)
                return replace(found, studies=tuple(self._studies(letter)))
            except SampleTooEarlyError as early:
                if monotonic() > deadline:
                    message = f"Nothing was drawn of {workshop.maker.place}: {early.message}"
                    raise StageError(message) from early
            sleep(_PAUSE)

    def tick(self) -> None:
        """Write two records of different times, the second of which draws."""
        for _ in range(2):
            sleep(1.1)
            self.scene.operators[0].party.home.logs(ACCOUNT).tick()

    def _built(self, letter: str, builds: int, name: str, beacon: Record) -> None:
        workshop, before = self.workshops[letter], self.made.get(letter, 0)
        node = self.scene.node_of(workshop.operator)
        levels = dict(self._levels(letter, builds, name))
        envelopes = [
            self._signed(workshop, before + part + 1, part * builds // LOGGED, levels, beacon)
            for part in range(LOGGED)
        ]
        self.made[letter] = before + LOGGED
        send(node, envelopes)
        for envelope in envelopes:
            await_part(node, envelope, workshop)

    def _studies(self, letter: str) -> Iterator[GaugeStudy]:
        """Yield how well the site's gauge measures: each appraiser each part, several times."""
        source = random.Random(f"{_SEED}: gauge, {letter}")  # noqa: S311 - a simulation
        instrument = to_hex(self.workshops[letter].maker.instrument)
        for path, middle in self.middles.items():
            aimed = NormalDist(middle, self.spread)
            parts = [aimed.inv_cdf((at + 0.5) / _STUDIED) for at in range(_STUDIED)]
            trials = tuple(
                Trial(
                    part=f"study part {number}",
                    appraiser=appraiser,
                    value=Decimal(f"{source.gauss(part, self.spread * _OF_GAUGE):.5f}"),
                )
                for number, part in enumerate(parts, start=1)
                for appraiser in _APPRAISERS
                for _ in range(_TRIALS)
            )
            yield GaugeStudy(instrument=instrument, characteristic=path, trials=trials)

    def _levels(
        self, letter: str, builds: int, name: str
    ) -> Iterator[tuple[ClausePath, Sequence[float]]]:
        """Yield the levels of builds: normal scores in random order, the same in every run."""
        source = random.Random(f"{_SEED}: plan {name}, {letter}")  # noqa: S311 - a simulation
        for path, middle in self.middles.items():
            aimed = NormalDist(middle, self.spread)
            scores = [aimed.inv_cdf((at + 0.5) / builds) for at in range(builds)]
            source.shuffle(scores)
            yield path, scores

    def _signed(
        self,
        workshop: Workshop,
        number: int,
        build: int,
        levels: Mapping[ClausePath, Sequence[float]],
        beacon: Record,
    ) -> bytes:
        maker = workshop.maker
        now, label = maker.machine_home.clock.now(), workshop.label(number)
        source = random.Random(f"{_SEED}: {maker.example.letter} {number}")  # noqa: S311 - simulated
        taken = {
            path: f"{source.gauss(level[build], self.spread * _WITHIN):.4f}"
            for path, level in levels.items()
        }
        finished = Finished(
            label=label,
            counter=_COUNTERS + number,
            beacon=Beacon(log=beacon.log, seq=beacon.seq, record_digest=beacon.digest()),
            # Parts of one build began together; simulated builds follow each other by seconds.
            started_on=min(beacon.time, now) - LOGGED + build,
            finished_on=now,
            measurements=tuple(
                _measured(one, taken.get(one.characteristic), label)
                for one in workshop.measured(number)
            ),
            simulated=True,
        )
        external = replace(
            workshop.assignment.external, unit=UnitNumber(workshop.first_unit + number - 1)
        )
        builds = maker.machine_home.builds
        stated = builds.state(replace(workshop.assignment, external=external), finished)
        return builds.attest(stated, key=MACHINE)


def license_samples(
    scene: Scene, package: Package, workshops: Sequence[Workshop], **measured: Any
) -> Logged:
    """License parts that are built to compare sites, a lane a site; return what makes them.

    Args:
        scene: Who is there.
        package: The license of the parts that are sold, whose design and recipe these have, too.
        workshops: The sites.
        measured: What is simulated of the parts.
    """
    designer, licensing = scene.designer, scene.designer.home.packages
    units = LOGGED * _ROUNDS
    terms = replace(package.terms, units=units * len(workshops), nonce=type(package.terms.nonce)(2))
    lane = sign_terms(designer, terms)
    lanes = cut_lanes(designer, lane, scene.sites, units=units)
    license_id = licensing.license_id(replace(package, terms=terms))
    shown = clauses_body(disclose_all(package.members))
    found: dict[str, Workshop] = {}
    for workshop, own in zip(workshops, lanes, strict=True):
        external = replace(workshop.assignment.external, license=license_id, lane=own)
        found[workshop.maker.example.letter] = replace(
            workshop,
            lane=own,
            first_unit=first_unit(workshop.maker, own),
            assignment=replace(workshop.assignment, external=external),
        )
    for node in scene.nodes:
        disclose(node, DocumentKind.TERMS, license_id, shown)
        for kind, key, body in scene.calibrations:
            disclose(node, kind, key, body)
    return Logged(scene=scene, workshops=found, **measured)


def _measured(one: Measurement, value: str | None, label: str) -> Measurement:
    if value is None:
        return one
    raw = sha256(f"{label} {one.characteristic} {value}".encode())
    return replace(one, value=value, raw_data=raw)
