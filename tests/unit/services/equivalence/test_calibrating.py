"""Instruments of drawn parts are calibrated by whom the plan accepts, when they measure."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import pytest

from fakes.samples import DRAWN_FROM, Shop, make_shop
from fakes.world import ISSUER, OPERATOR, World, make_world
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.fields import MemberInvalidError
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.encoding.strictjson import parse_object
from guildmark.domain.equivalence.blinded import DATA_LIMITS, SiteData
from guildmark.domain.equivalence.plan import Calibration
from guildmark.domain.identifiers import AccreditationId, IdentityId, to_hex
from guildmark.domain.identity.accreditation import ScopeDocument
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.verification.evidence import ACCREDITATIONS_MAX, AccreditationDisclosure
from guildmark.domain.verification.rights import Window
from guildmark.services.equivalence.calibrating import (
    NotCalibratedError,
    Use,
    check_calibrated,
)

STANDARD = "ISO/IEC 17025"
SCOPE = ScopeDocument(standard=STANDARD, certificate="K-7")

Calibrate: TypeAlias = Callable[..., AccreditationId]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr("fakes.world.UNITS", DRAWN_FROM)
    made = make_world()
    made.disclose()
    return made


@pytest.fixture
def calibrate(world: World) -> Calibrate:
    """Return what lets a laboratory, accredited by the issuer, calibrate the instrument."""
    tools = world.tools
    laboratory = tools.identities(OPERATOR).register(IdentityKind.ORGANIZATION, {"name": "L"})
    above = ScopeDocument(standard=STANDARD, delegations=1)
    tools.accreditations(ISSUER).give(world.issuer, laboratory, above)

    def give(*, until: int = 0) -> AccreditationId:
        service = tools.accreditations(OPERATOR)
        given = service.give(laboratory, world.instrument, SCOPE, until=until)
        tools.indexing(world.log).follow()
        return given

    return give


def built(world: World, authority: IdentityId | None = None) -> Shop:
    """Return a shop whose parts are logged and drawn, under a plan that asks for calibration."""
    named = to_hex(authority or world.issuer)
    shop = make_shop(world, calibration=Calibration(standard=STANDARD, authorities=(named,)))
    shop.log(*(shop.state(number) for number in range(1, DRAWN_FROM + 1)))
    shop.tick(2)
    return shop


def test_calibrated_instruments_count_and_their_certificates_come_along(
    world: World, calibrate: Calibrate
) -> None:
    calibrate()
    shop = built(world)

    data = shop.collected()

    own, above = data.calibrations
    assert (own.subject, above.issuer) == (world.instrument, world.issuer)
    shop.commit(data)
    assert to_hex(shop.site) not in shop.judged(data).failed


def test_an_instrument_without_a_calibration_makes_data_invalid(world: World) -> None:
    shop = built(world)

    said = shop.refusal(shop.collected())

    assert said == (
        f"The instrument {to_hex(world.instrument)} was not calibrated. No accreditation for"
        f" {STANDARD} is shown."
    )


def test_a_calibration_that_the_data_do_not_show_does_not_count(
    world: World, calibrate: Calibrate
) -> None:
    calibrate()
    shop = built(world)
    data = shop.collected()

    assert "is shown." in shop.refusal(replace(data, calibrations=data.calibrations[1:]))


def test_only_authorities_of_the_plan_count(world: World, calibrate: Calibrate) -> None:
    calibrate()
    shop = built(world, world.maker)

    assert "rests on" in shop.refusal(shop.collected())


def test_a_calibration_after_the_reading_is_none(world: World, calibrate: Calibrate) -> None:
    shop = built(world)
    calibrate()

    assert shop.refusal(shop.collected()).endswith("is not on chain.")


def test_a_calibration_that_ended_before_is_told(world: World, calibrate: Calibrate) -> None:
    end = world.tools.chain.now + 30
    calibrate(until=end)
    while world.tools.chain.now <= end:
        world.tools.logs(OPERATOR).tick()
    shop = built(world)

    assert f"ended at {end}." in shop.refusal(shop.collected())


def test_what_is_revoked_later_changes_no_result(world: World, calibrate: Calibrate) -> None:
    given = calibrate()
    shop = built(world)
    data = shop.collected()
    world.tools.accreditations(OPERATOR).revoke(given)
    world.tools.indexing(world.log).follow()

    assert to_hex(shop.site) not in shop.judged(data).failed


def test_an_instrument_that_is_no_identity_is_not_calibrated(world: World) -> None:
    asked = Calibration(standard=STANDARD, authorities=(to_hex(world.issuer),))
    use = Use(instrument="gauge", window=Window(begin=1, end=2))

    with world.tools.store.reading() as view, pytest.raises(NotCalibratedError, match="gauge"):
        check_calibrated(asked, [use], (), view)


def test_calibrations_come_back_from_their_document(world: World, calibrate: Calibrate) -> None:
    calibrate()
    shop = built(world)
    data = shop.collected()
    body = shop.data(data).encode()
    bare = replace(data, calibrations=())

    assert SiteData.parse(_shown(body)).calibrations == data.calibrations
    assert shop.data(bare).root() != shop.data(data).root()


@pytest.mark.parametrize("count", [ACCREDITATIONS_MAX, ACCREDITATIONS_MAX + 1])
def test_a_site_shows_so_many_calibrations_and_no_more(count: int) -> None:
    one = AccreditationDisclosure(
        issuer=IdentityId(sha256(b"issuer")), subject=IdentityId(sha256(b"subject")), scope=SCOPE
    )
    body = canonical(SiteData(readings=(), calibrations=(one,) * count).to_json())

    if count > ACCREDITATIONS_MAX:
        with pytest.raises(MemberInvalidError):
            SiteData.parse(body)
    else:
        assert len(SiteData.parse(body).calibrations) == count


def _shown(body: bytes) -> bytes:
    members = dict(parse_object(body, DATA_LIMITS))
    for name in ("type", "plan", "site", "secret", "salt"):
        del members[name]
    return canonical(members)
