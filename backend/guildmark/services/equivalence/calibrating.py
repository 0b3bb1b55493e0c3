"""Whether the instruments that measured drawn parts were calibrated when they did."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from guildmark.domain.chain.facts import AccreditationFact
from guildmark.domain.chain.storage import AccreditationWord, IntervalWord
from guildmark.domain.equivalence.plan import Calibration
from guildmark.domain.errors import NonconformingError
from guildmark.domain.identifiers import IdentityId, to_hex
from guildmark.domain.identity.accreditation import (
    Accreditation,
    Requirement,
    accredited_over,
)
from guildmark.domain.verification.evidence import AccreditationDisclosure
from guildmark.domain.verification.rights import Window
from guildmark.domain.verification.slots import instrument_id
from guildmark.ports.store import View
from guildmark.services.identity.accreditations import issuers_above, known_word

_ALWAYS = (IntervalWord(since=0, until=0),)
_NOT_GIVEN = AccreditationWord.decode(0)


class NotCalibratedError(NonconformingError):
    """An instrument was not calibrated as the plan asks while it measured a drawn part."""

    code = "equivalence.instrumentNotCalibrated"
    hint = (
        "Disclose the calibration and those above it to the home that runs `equivalence draw --out`"
        "; an instrument that had none needs one, and the site another plan."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """An instrument at work.

    Args:
        window: From the part's beacon to its record.
    """

    instrument: str
    window: Window


def calibrations(
    asked: Calibration, instruments: Iterable[str], view: View
) -> tuple[AccreditationDisclosure, ...]:
    """Return what this home can show of the calibration of instruments."""
    found = map(instrument_id, instruments)
    subjects = {one for one in found if one is not None}
    return issuers_above(subjects, [Requirement(standard=asked.standard)], view)


def check_calibrated(
    asked: Calibration,
    uses: Iterable[Use],
    shown: Sequence[AccreditationDisclosure],
    view: View,
) -> None:
    """Check that instruments were calibrated for a whole window each, by whom the plan accepts.

    It is judged by what stood on chain at the end of each window, so that a result never changes.

    Raises:
        NotCalibratedError: One was not.
    """

    def roots(issuer: IdentityId) -> Sequence[IntervalWord]:
        return _ALWAYS if to_hex(issuer) in asked.authorities else ()

    for use in uses:
        identity = instrument_id(use.instrument)
        answer = accredited_over(
            [] if identity is None else [identity],
            Requirement(standard=asked.standard),
            use.window,
            shown=[_known(one, use.window.end, view) for one in shown],
            roots=roots,
        )
        if not answer.is_held:
            message = f"The instrument {use.instrument} was not calibrated. {answer.reason}"
            raise NotCalibratedError(message, instrument=use.instrument)


def _known(shown: AccreditationDisclosure, at: int, view: View) -> Accreditation:
    """Return an accreditation as the chain held it at a time.

    Notices are left to the readers of a certificate: each has a list of his own.
    """
    fact = view.facts.get(AccreditationFact, shown.id())
    return Accreditation(
        issuer=shown.issuer,
        subject=shown.subject,
        scope=shown.scope,
        word=_NOT_GIVEN if fact is None or fact.recorded_at > at else known_word(fact),
    )
