"""When a draw is granted, as `LicenseRegistry.draw` decides it: room in the lane, time in force."""

from collections.abc import Sequence

from guildmark.domain.chain.facts import LaneFact, LicenseFact
from guildmark.domain.errors import NotCoveredError


class DrawRefusedError(NotCoveredError):
    """A draw that is granted nothing; a subclass says why."""

    code = "license.drawRefused"


class QuotaExceededError(DrawRefusedError):
    """The lane has fewer undrawn units than asked for."""

    code = "license.quotaExceeded"
    hint = "Ask the licensor for more units; this lane has no more."


class LicenseNotBegunError(DrawRefusedError):
    """The license begins later."""

    code = "license.notBegun"
    hint = "Log the build again once the license has begun."


class LicenseEndedError(DrawRefusedError):
    """The license's last time of logging has passed."""

    code = "license.ended"
    hint = "Ask the licensor for a new license."


class LicenseStoppedError(DrawRefusedError):
    """The license was stopped."""

    code = "license.stopped"
    hint = "Ask the licensor why it was stopped."


def check_draw(lane: LaneFact, licenses: Sequence[LicenseFact], *, n: int, time: int) -> None:
    """Refuse what the contract would refuse in a block of this time.

    Args:
        lane: The lane to draw from.
        licenses: The lane's license, then each license above it.
        n: How many units.
        time: The block's seconds.

    Raises:
        DrawRefusedError: The draw would be granted nothing; the class and code say why.
    """
    for granted in licenses:
        _check_time(granted, time)
    if n > lane.room:
        message = f"Lane {lane.number} has {max(lane.room, 0)} undrawn units, {n} are needed."
        raise QuotaExceededError(message, lane=lane.number, left=lane.room, asked=n)


def _check_time(granted: LicenseFact, time: int) -> None:
    terms, number = granted.terms, granted.number
    if time < terms.not_before:
        message = f"License {number} begins at {terms.not_before}, the block's time is {time}."
        raise LicenseNotBegunError(message, license=number)
    if terms.not_after and time >= terms.not_after:
        message = f"License {number} ended at {terms.not_after}, the block's time is {time}."
        raise LicenseEndedError(message, license=number)
    if granted.stop_at and time >= granted.stop_at:
        message = f"License {number} was stopped from {granted.stop_at} on."
        raise LicenseStoppedError(message, license=number)
