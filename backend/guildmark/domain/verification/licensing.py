"""Who signed for a part's unit, and when: whoever granted the root license, or extended it."""

from collections.abc import Iterator
from dataclasses import dataclass

from guildmark.domain.chain import storage
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.eip712 import licenses_domain
from guildmark.domain.chain.storage import ExtensionWord, GrantedWord, OriginWord
from guildmark.domain.identifiers import IdentityId, LicenseId
from guildmark.domain.verification.case import LICENSE_MISSING, Case, UndecidedError
from guildmark.domain.verification.evidence import LicenseDisclosure
from guildmark.domain.verification.report import Cause, State

EXTENSION_MISSING = Cause(
    code="verify.extensionMissing",
    state=State.UNKNOWN,
    meaning="The unit was added to its license later, and the bundle does not show by whom.",
)
EXTENSION_MISMATCH = Cause(
    code="verify.extensionMismatch",
    state=State.FAIL,
    meaning="The extension that is shown did not add this unit, or another owner signed it.",
)
LANES_MISSING = Cause(
    code="verify.lanesMissing",
    state=State.UNKNOWN,
    meaning="The bundle does not show all lanes that the unit came through, or their holders.",
)

_EXTENSION = "disclosed/extension.json"
_LANES = "disclosed/lanes.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """An act of a design's owner that gave units.

    Args:
        epoch: The epoch of the design whose owner signed.
        at: The block time at which it was recorded.
        act: What was done, as a sentence without its time.
    """

    epoch: int
    at: int
    act: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """A lane that the holder of another one cut off and gave on."""

    giver: IdentityId
    at: int
    act: str


def signed(case: Case) -> Signed | None:
    """Return by which act of the design's owner the unit exists, None where no root is shown.

    Raises:
        UndecidedError: It is not proven.
    """
    root = case.disclosed.root_license
    if root is None:
        return None
    unit = case.core.record.unit_at(case.core.position)
    if unit is not None and unit.unit > root.terms.units:
        return _added(case, root, unit.unit)
    number = storage.LICENSE_NUMBERS.at(license_id(case, root))
    granted = GrantedWord.decode(case.word(number))
    return Signed(epoch=root.terms.design_epoch, at=granted.at, act="The license was granted")


def given(case: Case) -> Iterator[Given]:
    """Yield how the unit came to its lane: the last gift first.

    Raises:
        UndecidedError: Not all of it is shown or proven.
    """
    grant = case.core.record.grant_at(case.core.position)
    if grant is None:
        return
    lane, above = grant.lane, iter(case.disclosed.lanes)
    while True:
        origin = OriginWord.decode(case.word(storage.ORIGINS.at(lane)))
        if origin.source == 0:
            return
        source = next(above, None)
        if source is None or source.number != origin.source:
            reason = f"Lane {origin.source}, from which lane {lane} was cut, is not shown."
            raise UndecidedError(LANES_MISSING.found(reason, _LANES))
        if storage.identity_of(case.word(storage.LANE_HOLDERS.at(source.number))) != source.holder:
            reason = f"Lane {source.number} is held by somebody else than is shown."
            raise UndecidedError(LANES_MISSING.found(reason, _LANES))
        act = f"Lane {lane} was cut from lane {source.number}"
        yield Given(giver=source.holder, at=origin.at, act=act)
        lane = source.number


def license_id(case: Case, shown: LicenseDisclosure) -> LicenseId:
    """Return the id that a shown license has on the pinned chain.

    Raises:
        UndecidedError: That chain has no license registry.
    """
    contract = case.pin.contracts.get(ContractName.LICENSES)
    if contract is None:
        reason = "The pinned chain has no license registry."
        raise UndecidedError(LICENSE_MISSING.found(reason, "chain/pin.json"))
    domain = licenses_domain(chain_id=case.pin.chain_id, contract=contract.address)
    return shown.terms.license_id(domain)


def _added(case: Case, root: LicenseDisclosure, unit: int) -> Signed:
    shown = case.disclosed.extension
    if shown is None:
        reason = f"Unit {unit} was added to license {root.number}; by whom is not shown."
        raise UndecidedError(EXTENSION_MISSING.found(reason, "disclosed"))
    word = ExtensionWord.decode(case.word(storage.EXTENSIONS.at(root.number, shown.first)))
    if not shown.first <= unit < word.end or shown.epoch != word.epoch:
        reason = f"The extension from unit {shown.first} on did not add unit {unit} so."
        raise UndecidedError(EXTENSION_MISMATCH.found(reason, _EXTENSION))
    return Signed(epoch=word.epoch, at=word.at, act="The unit was added to its license")
