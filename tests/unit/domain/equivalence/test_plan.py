import json
from dataclasses import replace
from typing import Any

import pytest

import comparing
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.fields import MemberInvalidError, MemberUnknownError
from guildmark.domain.equivalence.plan import (
    CHARACTERISTICS_MAX,
    DRAWN_MAX,
    Calibration,
    Comparison,
    EquivalencePlan,
    FamilyRule,
    Kind,
    MalformedPlanError,
    Method,
    Monitoring,
    Replication,
    RunRule,
    Transformation,
    engine_digest,
)
from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import Bytes32, to_hex
from guildmark.domain.recipes.quantity import MalformedDecimalError, UnknownUnitError

PLAN = comparing.plan(
    characteristics=(
        comparing.characteristic(path=comparing.HEIGHT, kind=Kind.PROCESS, method=Method.RANKS),
        comparing.characteristic(
            margin="1.05", transformation=Transformation.LOG, lower="19", upper="21", min_cpk="1"
        ),
    ),
    replication=Replication.LOT,
    family=FamilyRule.HOLM,
    monitoring=Monitoring(weight="1"),
)


def test_a_plan_reads_what_it_wrote() -> None:
    assert EquivalencePlan.parse(PLAN.encode()) == PLAN


def test_a_plan_has_one_text() -> None:
    assert PLAN.encode() == canonical(json.loads(PLAN.encode()))


def test_what_a_plan_does_not_know_is_refused() -> None:
    document = {**json.loads(PLAN.encode()), "margin2": "1"}

    with pytest.raises(MemberUnknownError):
        EquivalencePlan.parse(canonical(document))


def test_a_contradiction_in_a_document_is_named() -> None:
    document = {**json.loads(PLAN.encode()), "alpha": "0.5"}

    with pytest.raises(MemberInvalidError, match="alpha is between 0 and"):
        EquivalencePlan.parse(canonical(document))


def test_each_change_of_a_plan_changes_its_digest() -> None:
    changed = [
        replace(PLAN, alpha="0.01"),
        replace(PLAN, salt=Bytes32(bytes(32))),
        replace(PLAN, characteristics=PLAN.characteristics[:1]),
        replace(PLAN, engine=engine_digest(1)),
        PLAN,
    ]

    assert len({one.digest() for one in changed}) == len(changed)


def test_a_characteristic_of_a_plan_can_be_shown_alone() -> None:
    opening = PLAN.leaves().open([0, 2])

    shown = opening.verify(PLAN.digest())

    assert json.loads(shown[2])["path"] == comparing.WIDTH
    assert to_hex(PLAN.salt) not in str(shown)
    assert comparing.HEIGHT not in str(shown)


def test_sites_are_compared_with_the_reference_or_each_with_each() -> None:
    sites = (comparing.SITE, comparing.OTHER)
    against = comparing.plan(sites=sites)
    each = replace(against, comparison=Comparison.PAIRS)

    assert against.pairs == tuple((comparing.REFERENCE, site) for site in sites)
    assert each.pairs == (*against.pairs, sites)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sites": ()}, "sites are 1"),
        ({"sites": (comparing.OTHER, comparing.SITE)}, "ascending"),
        ({"sites": (comparing.SITE, comparing.SITE)}, "each once"),
        ({"sites": (comparing.REFERENCE,)}, "not with itself"),
        ({"evaluator": ""}, "names of 1"),
        ({"evaluator": "e" * 257}, "names of 1"),
        ({"characteristics": ()}, "characteristics are 1"),
        ({"characteristics": (comparing.characteristic(),) * 2}, "each once"),
        ({"replicates": 2}, "replicates are at least 3"),
        ({"units": 11}, "at most one a unit"),
        ({"units": 2**40}, "at most one a unit"),
        ({"commit_by": 0}, "commit_by"),
        ({"commit_by": 2_000}, "comes before"),
        ({"reveal_by": 2**40}, "comes before"),
        ({"alpha": "0"}, "alpha is between"),
        ({"alpha": "0.5"}, "alpha is between"),
        ({"power": "0"}, "power is between"),
        ({"power": "1"}, "power is between"),
        ({"normality": "0"}, "normality is between"),
        ({"sigmas": "0"}, "sigmas is between"),
        ({"sigmas": "8"}, "sigmas is between"),
        ({"rules": ()}, "rules are"),
        ({"rules": (RunRule.BEYOND_LIMITS,) * 2}, "each once"),
    ],
)
def test_a_plan_that_contradicts_itself_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(MalformedPlanError, match=said):
        comparing.plan(**changes)


def test_bounds_of_sizes_admit_themselves() -> None:
    least = comparing.plan(units=3, replicates=3, commit_by=1, reveal_by=2)
    most = comparing.plan(units=2**40 - 1, reveal_by=2**40 - 1)
    paths = [f"/tolerance/n{number:03}" for number in range(CHARACTERISTICS_MAX)]
    full = tuple(comparing.characteristic(path=path) for path in paths)

    assert least.units == 3
    assert most.units == 2**40 - 1
    assert len(comparing.plan(characteristics=full).characteristics) == CHARACTERISTICS_MAX
    with pytest.raises(MalformedPlanError, match="1 to 256"):
        comparing.plan(characteristics=(*full, comparing.characteristic(path="/tolerance/x")))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"margin": "0"}, "margin of /tolerance/width must be above 0"),
        ({"margin": "1", "transformation": Transformation.LOG}, "must be above 1"),
        ({"spread_margin": "1"}, "spread_margin .* above 1"),
        ({"min_cpk": "0", "lower": "1"}, "min_cpk .* above 0"),
        ({"min_cpk": "1"}, "needs a lower or upper limit"),
        ({"min_cpk": "1", "lower": "1", "method": Method.RANKS}, "needs the parametric method"),
        ({"max_gauge": "0"}, "max_gauge .* above 0"),
        ({"least": "2", "most": "1"}, "least .* below most"),
        ({"lower": "2", "upper": "2"}, "lower .* below upper"),
        ({"margin": "1.1", "transformation": Transformation.LOG, "lower": "0"}, "lower .* above 0"),
        ({"margin": "1.1", "transformation": Transformation.LOG, "least": "-1"}, "least .* above"),
    ],
)
def test_a_characteristic_that_contradicts_itself_is_refused(
    changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(MalformedPlanError, match=said):
        comparing.characteristic(**changes)


def test_a_characteristic_has_a_unit_and_plain_decimals() -> None:
    with pytest.raises(UnknownUnitError):
        comparing.characteristic(unit="inch")
    with pytest.raises(MalformedDecimalError):
        comparing.characteristic(margin="1e-3")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"weight": "0"}, "weight"),
        ({"weight": "1.01"}, "weight"),
        ({"limit": "0"}, "limit"),
        ({"slack": "0"}, "slack"),
        ({"decision": "0"}, "decision"),
    ],
)
def test_monitoring_that_watches_nothing_is_refused(changes: dict[str, str], said: str) -> None:
    with pytest.raises(MalformedPlanError, match=said):
        Monitoring(**changes)


@pytest.mark.parametrize("count", [36, DRAWN_MAX])
def test_a_plan_says_from_how_many_units_it_draws(count: int) -> None:
    drawing = comparing.plan(drawn_from=count)

    assert EquivalencePlan.parse(drawing.encode()) == drawing
    assert json.loads(drawing.encode())["drawnFrom"] == count
    assert "drawnFrom" not in json.loads(comparing.plan().encode())


@pytest.mark.parametrize("count", [35, DRAWN_MAX + 1])
def test_a_plan_draws_what_it_measures_from_what_there_is(count: int) -> None:
    with pytest.raises(MalformedPlanError, match="drawn_from"):
        comparing.plan(drawn_from=count)


@pytest.mark.parametrize("share", ["0", "0.999"])
def test_a_plan_says_how_many_drawn_parts_may_be_passed_over(share: str) -> None:
    bounded = comparing.plan(drawn_from=36, max_passed=share)

    assert EquivalencePlan.parse(bounded.encode()) == bounded
    assert json.loads(bounded.encode())["maxPassed"] == share


@pytest.mark.parametrize(
    ("share", "count", "said"),
    [("-0.001", 36, "at least 0"), ("1", 36, "below 1"), ("0.2", None, "needs drawn_from")],
)
def test_a_bound_of_what_is_passed_over_that_bounds_nothing_is_refused(
    share: str, count: int | None, said: str
) -> None:
    with pytest.raises(MalformedPlanError, match=said):
        comparing.plan(drawn_from=count, max_passed=share)


FIRST, SECOND = f"0x{'1' * 64}", f"0x{'2' * 64}"


def test_a_plan_says_what_instruments_are_calibrated_for() -> None:
    asked = Calibration(standard="ISO/IEC 17025", authorities=(FIRST, SECOND))
    made = comparing.plan(drawn_from=36, calibration=asked)

    assert EquivalencePlan.parse(made.encode()) == made
    assert json.loads(made.encode())["calibration"]["authorities"] == [FIRST, SECOND]
    with pytest.raises(MalformedPlanError, match="needs drawn_from"):
        comparing.plan(calibration=asked)


@pytest.mark.parametrize(
    ("standard", "authorities", "said"),
    [
        ("ISO/IEC 17025", (), "1 to 64 authorities"),
        ("ISO/IEC 17025", (SECOND, FIRST), "ascending"),
        ("ISO/IEC 17025", (FIRST, FIRST), "each once"),
        ("ISO/IEC 17025", tuple(f"0x{one:064x}" for one in range(65)), "1 to 64"),
        ("ISO/IEC 17025", ("0x12",), "32 bytes"),
        ("", (FIRST,), "standard"),
    ],
)
def test_a_calibration_that_nobody_can_show_is_refused(
    standard: str, authorities: tuple[str, ...], said: str
) -> None:
    with pytest.raises(MalformedError, match=said):
        Calibration(standard=standard, authorities=authorities)


def test_most_authorities_are_taken() -> None:
    most = tuple(f"0x{one:064x}" for one in range(64))

    assert Calibration(standard="ISO/IEC 17025", authorities=most).authorities == most


def test_no_lot_is_drawn_since_logs_name_none() -> None:
    with pytest.raises(MalformedPlanError, match="logs name no lot"):
        comparing.plan(drawn_from=36, replication=Replication.LOT)
