"""The door measures as the recipe's quality plan asks, and nothing else gets into the log."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from fakes import world as small
from fakes.inspectors import make_inspector
from fakes.world import ISSUER, OPERATOR, World, clause, make_world
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Index
from guildmark.domain.identity.accreditation import ScopeDocument
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.recipes.clause import Clause, ClauseClass
from guildmark.domain.recipes.clauses import disclose
from guildmark.domain.recipes.recipe import RecipeDocument
from guildmark.ports.store import DocumentKind
from guildmark.services.builds.builds import Finished
from guildmark.services.recipes.disclosing import clauses_body

CORE = ClauseClass.CORE
Asking = Callable[..., "Measuring"]


@dataclass(frozen=True, kw_only=True)
class Measuring(World):
    """A world whose parts are measured in some way."""

    said: dict[str, Any] = field(default_factory=dict)
    unit: int | None = None
    is_measured: bool = True

    def finished(self, number: int) -> Finished:
        done = super().finished(number)
        (bore,) = done.measurements
        taken = (replace(bore, **self.said),) if self.is_measured else ()
        return replace(done, measurements=taken)

    def envelope(self, number: int = 1) -> bytes:
        stated = self.statement(number)
        external = replace(stated.external, unit=self.unit)  # type: ignore[arg-type]  # a bare int
        return self.sign(replace(stated, external=external))

    def answers(self, number: int = 1) -> str:
        (answer,) = self.tools.ingest(self.log).receive([self.envelope(number)])
        return "accepted" if answer.error is None else answer.error.code

    def but(self, **said: Any) -> "Measuring":
        return replace(self, said=said)


@pytest.fixture
def asking(monkeypatch: pytest.MonkeyPatch) -> Asking:
    """Return what makes a world with further clauses in its recipe."""

    def make(*asked: Clause, shows: bool = True) -> Measuring:
        leaves = sorted((*small.RECIPE.clauses, *asked), key=lambda leaf: leaf.path)
        monkeypatch.setattr(small, "RECIPE", RecipeDocument(name="Bracket", clauses=tuple(leaves)))
        world = make_world()
        if shows:
            world.disclose()
        members = {name: getattr(world, name) for name in World.__dataclass_fields__}
        return Measuring(**members)

    return make


def rule(said: str) -> Clause:
    return clause("/qa/decision_rule", CORE, value=said)


def test_a_value_in_the_guard_band_is_refused_and_one_at_its_end_taken(asking: Asking) -> None:
    world = asking(rule("guard band U"))
    stated = {"uncertainty": "0.05", "coverage_factor": "2"}

    assert world.answers() == "recipe.conformityUnproven"
    assert world.but(value="22.3501", **stated).answers() == "recipe.conformityUnproven"
    assert world.but(value="22.4501", **stated).answers() == "recipe.toleranceExceeded"
    assert world.but(value="22.35", **stated).answers() == "accepted"


def test_a_recipe_with_a_rule_that_nobody_knows_takes_nothing(asking: Asking) -> None:
    assert asking(rule("as you like")).answers() == "recipe.qualityPlanUnread"


def test_a_recipe_that_may_hide_its_rule_takes_nothing(asking: Asking) -> None:
    hidden = rule("guard band U")
    around = (
        clause("/qa/accreditations", CORE, value="none"),
        clause("/qa/countersignatures", CORE, value="none"),
    )
    world = asking(hidden, *around, shows=False)
    paths = [leaf.path for leaf in small.RECIPE.clauses if leaf.path != hidden.path]
    world.disclose(DocumentKind.TERMS, DocumentKind.SITE_RECIPE)
    body = clauses_body(disclose(small.RECIPE.clauses, paths))
    world.tools.disclosing.receive(DocumentKind.RECIPE, world.recipe.id(), body)

    assert world.answers() == "recipe.qualityPlanUnread"


def test_a_measurement_without_raw_data_is_refused_where_the_recipe_asks(asking: Asking) -> None:
    world = asking(clause("/qa/raw_data", CORE, value="required"))

    assert world.answers() == "recipe.rawDataMissing"
    assert world.but(raw_data=sha256(b"scan")).answers() == "accepted"


def test_only_parts_of_the_sample_must_be_measured(asking: Asking) -> None:
    first = replace(asking(clause("/qa/sample_every", CORE, value="5", unit="1")), unit=1)

    assert replace(first, is_measured=False).answers() == "recipe.measurementMissing"
    assert first.answers() == "accepted"
    assert replace(first, is_measured=False, unit=2).answers(2) == "accepted"


def calibrate(world: World, *, until: int = 0, by: str = ISSUER) -> None:
    """Let a laboratory calibrate the instrument, and the issuer accredit the laboratory."""
    laboratory = world.tools.identities(OPERATOR).register(IdentityKind.ORGANIZATION, {"name": "L"})
    world.tools.accreditations(by).give(
        world.issuer, laboratory, ScopeDocument(standard="ISO/IEC 17025", delegations=1)
    )
    scope = ScopeDocument(standard="ISO/IEC 17025", certificate="K-7")
    world.tools.accreditations(OPERATOR).give(laboratory, world.instrument, scope, until=until)


def beaconed(world: Measuring) -> Measuring:
    beacon = world.tools.logs(OPERATOR).tick()
    world.tools.indexing(world.log).follow()
    return replace(world, beacon=beacon)


@pytest.fixture
def calibrating(asking: Asking) -> Measuring:
    return asking(clause("/qa/calibration", CORE, value="ISO/IEC 17025"))


def test_an_instrument_without_a_calibration_is_refused(calibrating: Measuring) -> None:
    assert calibrating.answers() == "measurement.instrumentUncalibrated"


def test_a_calibrated_instrument_is_taken_and_its_certificates_are_shown(
    calibrating: Measuring,
) -> None:
    calibrate(calibrating)
    world = beaconed(calibrating)

    assert world.answers() == "accepted"

    line = world.tools.line(world.log)
    line.step()
    line.step()
    shown = world.tools.exporter.gather(world.log, Index(0)).disclosed.accreditations
    assert {one.subject for one in shown} >= {world.instrument}
    assert {one.issuer for one in shown} >= {world.issuer}


def test_a_calibration_younger_than_the_beacon_is_not_enough(calibrating: Measuring) -> None:
    calibrate(calibrating)
    calibrating.tools.indexing(calibrating.log).follow()

    assert calibrating.answers() == "measurement.instrumentUncalibrated"


def test_a_calibration_that_ended_is_not_enough(calibrating: Measuring) -> None:
    calibrate(calibrating, until=calibrating.tools.chain.now + 40)
    first = beaconed(calibrating)
    while first.tools.chain.now < first.beacon.time + 60:
        first.tools.logs(OPERATOR).tick()
    first.tools.indexing(first.log).follow()

    assert first.answers() == "measurement.instrumentUncalibrated"


def test_raw_data_of_another_part_is_refused_with_both_places(asking: Asking) -> None:
    world = asking().but(raw_data=sha256(b"scan"))
    first, second = world.envelope(), world.envelope(2)

    taken, refused = world.tools.ingest(world.log).receive([first, second])

    assert taken.error is None
    assert refused.error is not None
    assert refused.error.code == "measurement.rawDataReused"
    places = [refused.error.detail[name] for name in ("first", "second")]
    assert f"{world.lane}-00001 of " in str(places[0])
    assert f"{world.lane}-00002 of " in str(places[1])
    assert world.answers(2) == "measurement.rawDataReused"
    assert world.but(raw_data=sha256(b"another scan")).answers(2) == "accepted"


def test_raw_data_of_several_values_of_a_part_is_one_file(asking: Asking) -> None:
    depth = clause("/tolerance/depth", CORE, minimum="1", maximum="2", unit="mm")
    world = asking(depth)
    stated = world.statement()
    (bore,) = stated.measurements
    other = replace(bore, characteristic=depth.path, value="1.5", raw_data=sha256(b"scan"))
    both = (replace(bore, raw_data=sha256(b"scan")), other)

    (answer,) = world.tools.ingest(world.log).receive(
        [world.sign(replace(stated, measurements=both))]
    )

    assert answer.error is None


def test_a_refused_part_keeps_no_raw_data(asking: Asking) -> None:
    world = asking()
    wrong = replace(world.but(value="30", raw_data=sha256(b"scan")))

    assert wrong.answers() == "recipe.toleranceExceeded"
    assert world.but(raw_data=sha256(b"scan")).answers(2) == "accepted"


def test_an_inspector_measures_with_files_of_its_own(asking: Asking) -> None:
    world = asking().but(raw_data=sha256(b"scan"))
    assert world.answers() == "accepted"
    line = world.tools.line(world.log)
    line.step()
    line.step()
    inspector = make_inspector(world)
    (bore,) = world.statement().measurements

    (copied,) = inspector.send(inspector.sign(replace(inspector.found(), measurements=(bore,))))
    own = replace(bore, raw_data=sha256(b"own scan"))
    (taken,) = inspector.send(inspector.sign(replace(inspector.found(), measurements=(own,))))
    (again,) = inspector.send(inspector.sign(replace(inspector.found(), measurements=(own,))))

    assert copied.error is not None
    assert copied.error.code == "measurement.rawDataReused"
    assert (taken.error, again.error) == (None, None)
