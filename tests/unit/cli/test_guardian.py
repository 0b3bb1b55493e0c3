"""Guardians: named, shown, asked, and what they do."""

import pytest

from fakes.world import ISSUER, MAKER, SITE, World
from guildmark.domain.chain.facts import GuardiansFact, IdentityFact
from guildmark.domain.identifiers import ZERO_ADDRESS, to_hex
from guildmark.services.index.projection import known
from unit.cli.speaking import Speak

pytestmark = pytest.mark.usefixtures("home")

DAY = 86_400


def accounts(world: World, *names: str) -> list[str]:
    return [to_hex(world.tools.account(name).address) for name in names]


def test_an_identity_without_guardians_has_none(speak: Speak, world: World) -> None:
    shown = speak("guardian", "show", to_hex(world.maker), "--json").json

    assert shown == {
        "id": to_hex(world.maker),
        "standing": None,
        "waiting": None,
        "candidate": None,
        "readyAt": 0,
    }


def test_guardians_are_named_in_any_order_and_shown(speak: Speak, world: World) -> None:
    named = sorted(accounts(world, SITE, ISSUER), reverse=True)
    bounds = ("--threshold", "2", "--days", "3")

    said = speak("guardian", "set", to_hex(world.maker), *named, *bounds, "--as", MAKER, "--json")

    assert (said.json["guardians"], said.json["days"]) == (named, 3)
    standing = speak("guardian", "show", to_hex(world.maker), "--json").json["standing"]
    assert standing["guardians"] == sorted(named)
    assert (standing["threshold"], standing["delay"]) == (2, 3 * DAY)


def test_later_guardians_wait_until_they_are_applied(speak: Speak, world: World) -> None:
    maker, (first, second) = to_hex(world.maker), accounts(world, SITE, ISSUER)
    bounds = ("--threshold", "1", "--days", "1", "--as", MAKER)
    speak("guardian", "set", maker, first, *bounds)
    speak("guardian", "set", maker, second, *bounds)

    before = speak("guardian", "show", maker, "--json").json
    said = speak("guardian", "apply", maker, "--as", MAKER, "--json").json
    after = speak("guardian", "show", maker, "--json").json

    assert (before["standing"]["guardians"], before["waiting"]["guardians"]) == ([first], [second])
    assert said["state"] == "applied"
    assert (after["standing"]["guardians"], after["waiting"]) == ([second], None)


def test_guardians_that_were_removed_stand_no_more(speak: Speak, world: World) -> None:
    maker = to_hex(world.maker)
    speak("guardian", "set", maker, "--as", MAKER)

    assert speak("guardian", "show", maker, "--json").json["standing"] is None


def test_a_recovery_is_supported_and_taken_over(speak: Speak, world: World) -> None:
    maker, (candidate,) = to_hex(world.maker), accounts(world, ISSUER)

    speak("guardian", "support", maker, candidate, "--as", SITE)
    shown = speak("guardian", "show", maker, "--json").json
    assert (shown["candidate"], shown["readyAt"] > 0) == (candidate, True)
    said = speak("guardian", "accept", maker, "--as", ISSUER, "--json").json

    assert said["state"] == "recovered"
    assert speak("guardian", "show", maker, "--json").json["candidate"] is None
    with world.tools.store.reading() as view:
        assert to_hex(known(view.facts, IdentityFact, world.maker).controller) == candidate


def test_only_the_candidate_takes_over(speak: Speak, world: World) -> None:
    maker, (candidate,) = to_hex(world.maker), accounts(world, ISSUER)
    speak("guardian", "support", maker, candidate, "--as", SITE)

    spoken = speak("guardian", "accept", maker, "--as", SITE, "--json")

    assert spoken.json["code"] == "caller.notAllowed"


def test_a_recovery_is_cancelled_or_loses_its_support(speak: Speak, world: World) -> None:
    maker, (candidate,) = to_hex(world.maker), accounts(world, ISSUER)

    speak("guardian", "support", maker, candidate, "--as", SITE)
    assert speak("guardian", "cancel", maker, "--as", MAKER, "--json").json["state"] == "cancelled"
    assert speak("guardian", "show", maker, "--json").json["candidate"] is None

    speak("guardian", "support", maker, candidate, "--as", SITE)
    said = speak("guardian", "support", maker, "--as", SITE, "--json").json
    assert said["candidate"] == to_hex(ZERO_ADDRESS)
    assert speak("guardian", "show", maker, "--json").json["candidate"] is None


def test_a_set_of_guardians_has_a_number(speak: Speak, world: World) -> None:
    speak("guardian", "set", to_hex(world.maker), "--as", MAKER)
    world.tools.indexing().follow()

    with world.tools.store.reading() as view:
        (found,) = view.facts.each(GuardiansFact)
    assert found.key == (world.maker, 1)


@pytest.mark.parametrize(("threshold", "helps"), [(1, True), (2, False)])
def test_who_names_no_more_guardians_than_the_threshold_is_warned(
    threshold: int, helps: bool, speak: Speak, world: World
) -> None:
    named = accounts(world, SITE, ISSUER)
    bounds = ("--threshold", threshold, "--days", "3", "--as", MAKER)

    said = speak("guardian", "set", to_hex(world.maker), *named, *bounds, "--json")

    assert said.json["helpAgainstTheft"] is helps
    assert ("a stolen one cannot" in said.err) is not helps


def test_who_names_no_guardian_is_not_warned(speak: Speak, world: World) -> None:
    assert speak("guardian", "set", to_hex(world.maker), "--as", MAKER).err == ""
