"""Cases for values that open one by one: checks (7) and (8) of statements that commit to them."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from fakes import simulator as sim
from fakes.cases.draft import Draft, breaks, other
from fakes.cases.equivalent import SILENT, certified
from guildmark.domain.builds.delivery import OpenedValues
from guildmark.domain.builds.predicate import Setting
from guildmark.domain.builds.values import (
    MeasurementsDisclosure,
    OpenedMeasurement,
    OpenedSetting,
    SettingsDisclosure,
)
from guildmark.domain.identifiers import Bytes32, Digest
from guildmark.domain.recipes.clause import ClausePath
from guildmark.domain.verification.evidence import Evidence

ALL = ("/process", "/tolerance")
INFILL, HEIGHT = "/process/infill", "/process/layer_height"
BORE = "/tolerance/bore"

Settings: TypeAlias = Callable[[SettingsDisclosure], SettingsDisclosure]
Measurements: TypeAlias = Callable[[MeasurementsDisclosure], MeasurementsDisclosure]


def salted(draft: Draft, *shown: str) -> None:
    """Let the statement commit to its values; all of them are shown where none is named."""
    draft.simulator.shown = shown or ALL


def settings(draft: Draft, change: Settings) -> None:
    """Let the bundle show other settings than the machine committed to."""

    def tamper(evidence: Evidence) -> Evidence:
        shown = evidence.disclosed.settings
        assert shown is not None
        return replace(evidence, disclosed=replace(evidence.disclosed, settings=change(shown)))

    salted(draft)
    draft.tampers.append(tamper)


def measurements(draft: Draft, change: Measurements) -> None:
    """Let the bundle show other values than the machine committed to."""

    def tamper(evidence: Evidence) -> Evidence:
        shown = evidence.disclosed.measurements
        assert shown is not None
        return replace(evidence, disclosed=replace(evidence.disclosed, measurements=change(shown)))

    salted(draft)
    draft.tampers.append(tamper)


def first_setting(shown: SettingsDisclosure, one: OpenedSetting) -> SettingsDisclosure:
    return replace(shown, opened=(one, *shown.opened[1:]))


def first_measurement(
    shown: MeasurementsDisclosure, one: OpenedMeasurement
) -> MeasurementsDisclosure:
    return replace(shown, opened=(one, *shown.opened[1:]))


def with_leaf(leaves: tuple[Digest, ...], at: int) -> tuple[Digest, ...]:
    return (*leaves[:at], other("leaf"), *leaves[at + 1 :])


@breaks(7, "settingClosed", 23)
def setting_that_is_not_shown(draft: Draft) -> None:
    salted(draft, HEIGHT, "/tolerance")


@breaks(7, "settingClosed", 23)
def no_setting_is_shown(draft: Draft) -> None:
    salted(draft)
    draft.simulator.disclosed["settings"] = None


@breaks(7, "settingClosed", 23)
def setting_that_is_not_shown_and_no_certificate(draft: Draft) -> None:
    salted(draft, HEIGHT, "/tolerance")
    certified(draft, SILENT)


@breaks(7, "settingOutside", 15)
def shown_setting_outside_beside_a_closed_one(draft: Draft) -> None:
    draft.simulator.statement["settings"] = (
        Setting(path=ClausePath(INFILL), value="40", unit="%"),
        Setting(path=ClausePath(HEIGHT), value="0.31", unit="mm"),
    )
    salted(draft, HEIGHT, "/tolerance")


@breaks(7, "settingMissing", 15)
def salted_settings_without_one(draft: Draft) -> None:
    infill = Setting(path=ClausePath(INFILL), value="40", unit="%")
    draft.simulator.statement["settings"] = (infill,)
    salted(draft)


@breaks(7, "settingsNotRecorded", 10)
def salted_statement_without_settings(draft: Draft) -> None:
    draft.simulator.statement["settings"] = ()
    salted(draft)


@breaks(7, "valuesInvalid", 15)
def setting_of_another_value(draft: Draft) -> None:
    def change(shown: SettingsDisclosure) -> SettingsDisclosure:
        one = shown.opened[0]
        return first_setting(shown, replace(one, value=replace(one.value, value="41")))

    settings(draft, change)


@breaks(7, "valuesInvalid", 15)
def setting_of_another_path(draft: Draft) -> None:
    def change(shown: SettingsDisclosure) -> SettingsDisclosure:
        one = shown.opened[0]
        named = replace(one.value, path=ClausePath("/process/infilled"))
        return first_setting(shown, replace(one, value=named))

    settings(draft, change)


@breaks(7, "valuesInvalid", 15)
def setting_under_another_salt(draft: Draft) -> None:
    def change(shown: SettingsDisclosure) -> SettingsDisclosure:
        return first_setting(shown, replace(shown.opened[0], salt=Bytes32(other("salt"))))

    settings(draft, change)


@breaks(7, "valuesInvalid", 15)
def setting_at_another_leaf(draft: Draft) -> None:
    def change(shown: SettingsDisclosure) -> SettingsDisclosure:
        return replace(shown, opened=(replace(shown.opened[0], leaf=1),))

    settings(draft, change)


@breaks(7, "valuesInvalid", 15)
def setting_behind_the_last_leaf(draft: Draft) -> None:
    def change(shown: SettingsDisclosure) -> SettingsDisclosure:
        return replace(shown, opened=(replace(shown.opened[0], leaf=2),))

    settings(draft, change)


@breaks(7, "valuesInvalid", 15)
def settings_beside_another_leaf(draft: Draft) -> None:
    def change(shown: SettingsDisclosure) -> SettingsDisclosure:
        return replace(shown, leaves=with_leaf(shown.leaves, 1), opened=shown.opened[:1])

    settings(draft, change)


@breaks(7, "valuesInvalid", 15)
def settings_of_another_part(draft: Draft) -> None:
    def change(shown: SettingsDisclosure) -> SettingsDisclosure:
        salts = iter([other("first"), other("second")])
        sealed = SettingsDisclosure.seal(
            [one.value for one in shown.opened], lambda: Bytes32(next(salts))
        )
        assert sealed is not None
        return sealed

    settings(draft, change)


@breaks(7, "valuesInvalid", 15)
def settings_shown_beside_settings_in_clear(draft: Draft) -> None:
    values = OpenedValues(
        settings=SettingsDisclosure.seal(
            draft.simulator.make_statement().settings, lambda: sim.salt("a setting")
        )
    )
    draft.simulator.disclosed["settings"] = values.settings


@breaks(7, "valuesInvalid", 15)
def settings_out_of_order(draft: Draft) -> None:
    salted(draft)
    draft.simulator.is_disordered = True


@breaks(8, "measurementClosed", 23)
def measurement_that_is_not_shown(draft: Draft) -> None:
    salted(draft, "/process", "/tolerance/height")


@breaks(8, "measurementClosed", 23)
def no_measurement_is_shown(draft: Draft) -> None:
    salted(draft)
    draft.simulator.disclosed["measurements"] = None


@breaks(8, "toleranceExceeded", 15)
def shown_value_outside_beside_a_closed_one(draft: Draft) -> None:
    draft.simulator.statement["measurements"] = (
        sim.measured("bore", "10.06"),
        sim.measured("height", "20.0"),
    )
    salted(draft, "/process", BORE)


@breaks(8, "measurementMissing", 10)
def salted_tolerance_without_a_measurement(draft: Draft) -> None:
    draft.simulator.statement["measurements"] = (sim.measured("bore", "10.00"),)
    salted(draft)


@breaks(8, "valuesInvalid", 15)
def measurement_of_another_value(draft: Draft) -> None:
    def change(shown: MeasurementsDisclosure) -> MeasurementsDisclosure:
        one = shown.opened[0]
        return first_measurement(shown, replace(one, value=replace(one.value, value="10.02")))

    measurements(draft, change)


@breaks(8, "valuesInvalid", 15)
def measurement_of_another_instrument(draft: Draft) -> None:
    def change(shown: MeasurementsDisclosure) -> MeasurementsDisclosure:
        one = shown.opened[0]
        return first_measurement(
            shown, replace(one, value=replace(one.value, instrument="a calliper"))
        )

    measurements(draft, change)


@breaks(8, "valuesInvalid", 15)
def measurement_under_another_salt(draft: Draft) -> None:
    def change(shown: MeasurementsDisclosure) -> MeasurementsDisclosure:
        return first_measurement(shown, replace(shown.opened[0], salt=Bytes32(other("salt"))))

    measurements(draft, change)


@breaks(8, "valuesInvalid", 15)
def measurement_at_another_leaf(draft: Draft) -> None:
    def change(shown: MeasurementsDisclosure) -> MeasurementsDisclosure:
        return replace(shown, opened=(replace(shown.opened[0], leaf=1),))

    measurements(draft, change)


@breaks(8, "valuesInvalid", 15)
def measurements_of_another_part(draft: Draft) -> None:
    def change(shown: MeasurementsDisclosure) -> MeasurementsDisclosure:
        salts = iter([other("first"), other("second")])
        sealed = MeasurementsDisclosure.seal(
            [one.value for one in shown.opened], lambda: Bytes32(next(salts))
        )
        assert sealed is not None
        return sealed

    measurements(draft, change)


@breaks(8, "valuesInvalid", 15)
def measurements_shown_beside_measurements_in_clear(draft: Draft) -> None:
    draft.simulator.disclosed["measurements"] = MeasurementsDisclosure.seal(
        draft.simulator.make_statement().measurements, lambda: sim.salt("a measurement")
    )
