"""What a statement records, as far as it says it itself or the bundle opens it."""

from collections.abc import Callable
from typing import TypeVar

from guildmark.domain.builds.delivery import recorded_measurements, recorded_settings
from guildmark.domain.builds.predicate import Measurement, Setting
from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.builds.values import Recorded, ValuesMismatchError
from guildmark.domain.verification.case import VALUES_INVALID, Case, UndecidedError
from guildmark.domain.verification.report import Cause, State

SHOWN_SETTINGS = "disclosed/settings.json"
SHOWN_MEASUREMENTS = "disclosed/measurements.json"
CERTIFICATE = 9
"""The check that stands for values which are not shown: a certificate of equivalence."""

SETTING_CLOSED = Cause(
    code="verify.settingClosed",
    state=State.WITHHELD,
    meaning="The statement commits to settings that are not shown. Where (9) is `ok`, its "
    "certificate stands for them.",
    covered_by=CERTIFICATE,
)
MEASUREMENT_CLOSED = Cause(
    code="verify.measurementClosed",
    state=State.WITHHELD,
    meaning="The statement commits to measured values that are not shown. Where (9) is `ok`, its "
    "certificate stands for them.",
    covered_by=CERTIFICATE,
)

ShownT = TypeVar("ShownT")
RecordedT = TypeVar("RecordedT", Setting, Measurement)


def settings_of(case: Case) -> Recorded[Setting]:
    """Return the settings that the statement records.

    Raises:
        UndecidedError: Other settings are shown than it commits to.
    """
    return _known(case.statement, case.disclosed.settings, recorded_settings, SHOWN_SETTINGS)


def measurements_of(case: Case) -> Recorded[Measurement]:
    """Return the measured values that the statement records.

    Raises:
        UndecidedError: Other values are shown than it commits to.
    """
    shown = case.disclosed.measurements
    return _known(case.statement, shown, recorded_measurements, SHOWN_MEASUREMENTS)


def closed_words(what: str, recorded: Recorded[RecordedT]) -> str:
    """Return the sentence that says how many values are not shown."""
    if recorded.count is None:
        return f"All {what} are kept by the maker, who does not show how many there are."
    hidden = recorded.count - len(recorded.values)
    return (
        f"{hidden} of {recorded.count} {what} {'is' if hidden == 1 else 'are'} kept by the maker."
    )


def _known(
    statement: BuildStatement,
    shown: ShownT | None,
    read: Callable[[BuildStatement, ShownT | None], Recorded[RecordedT]],
    evidence: str,
) -> Recorded[RecordedT]:
    try:
        return read(statement, shown)
    except ValuesMismatchError as error:
        raise UndecidedError(VALUES_INVALID.found(error.message, evidence)) from error
