"""Notices: given, backed, taken back, and shown with who gave them."""

from pathlib import Path

import pytest

from fakes.world import ISSUER, MAKER, SITE, World
from guildmark.domain.chain.facts import KeyFact
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import to_hex
from unit.cli.speaking import Speak

pytestmark = pytest.mark.usefixtures("home")

TIME = 1_700_000_001


def key_of(world: World) -> str:
    with world.tools.store.reading() as view:
        (key,) = view.facts.each(KeyFact)
    return to_hex(key.id)


def test_a_stolen_machine_key_is_doubted_with_evidence(
    speak: Speak, world: World, tmp_path: Path
) -> None:
    report = tmp_path / "report.txt"
    report.write_bytes(b"the key file was copied")
    machine, key = to_hex(world.machine), key_of(world)

    said = speak(
        *("notice", "give", machine, "--key", key, "--from", TIME, "--evidence", report),
        *("--as", SITE, "--json"),
    ).json

    assert said == {
        "id": machine,
        "key": key,
        "controller": None,
        "suspectedFrom": TIME,
        "state": "given",
    }
    (notice,) = speak("notice", "show", machine, "--json").json["notices"]
    assert (notice["about"], notice["by"], notice["suspectedFrom"]) == (key, "controller", TIME)
    assert notice["evidence"] == to_hex(sha256(b"the key file was copied"))


def test_a_controller_doubts_its_own_account(speak: Speak, world: World) -> None:
    maker = to_hex(world.maker)

    speak("notice", "give", maker, "--from", TIME, "--as", MAKER)

    shown = speak("notice", "show", maker, "--json").json
    assert [one["number"] for one in shown["controllers"]] == [1]
    assert shown["notices"][0]["about"] == "controller 1"
    assert shown["backed"] == []


def name_guardians(speak: Speak, world: World) -> int:
    accounts = [to_hex(world.tools.account(name).address) for name in (ISSUER, MAKER)]
    bounds = ("--threshold", "2", "--days", "1", "--as", SITE)
    speak("guardian", "set", to_hex(world.machine), *accounts, *bounds)
    return world.tools.chain.now


def test_guardians_doubt_a_key_together(speak: Speak, world: World) -> None:
    since, machine, key = name_guardians(speak, world), to_hex(world.machine), key_of(world)
    doubt = ("notice", "back", machine, "--key", key, "--from", since, "--json")

    said = speak(*doubt, "--as", ISSUER).json
    (backed,) = speak("notice", "show", machine, "--json").json["backed"]
    speak(*doubt, "--as", MAKER)

    assert (said["key"], said["state"]) == (key, "backed")
    assert (backed["about"], backed["needed"], len(backed["guardians"])) == (key, 2, 1)
    shown = speak("notice", "show", machine, "--json").json
    assert (shown["notices"][0]["by"], shown["backed"]) == ("guardians", [])


def test_guardians_doubt_the_present_controller_unless_they_name_another(
    speak: Speak, world: World
) -> None:
    since, machine = name_guardians(speak, world), to_hex(world.machine)

    present = speak("notice", "back", machine, "--from", since, "--as", ISSUER, "--json").json
    backed = speak("notice", "show", machine, "--json").json["backed"]
    named = speak("notice", "back", machine, "--controller", 1, "--as", ISSUER, "--json").json

    assert (present["controller"], named["controller"]) == (1, 1)
    assert backed[0]["about"] == "controller 1"
    assert (named["state"], named["suspectedFrom"]) == ("taken back", 0)
    assert speak("notice", "show", machine, "--json").json["backed"] == []


def test_an_authority_warns_of_a_key_and_of_a_controller(speak: Speak, world: World) -> None:
    machine, key, issuer = to_hex(world.machine), key_of(world), to_hex(world.issuer)
    by = ("--by", issuer, "--as", ISSUER, "--json")

    of_key = speak("notice", "warn", machine, "--key", key, "--from", TIME, *by).json
    of_controller = speak("notice", "warn", machine, "--from", 0, *by).json

    assert (of_key["key"], of_controller["controller"]) == (key, 1)
    notices = speak("notice", "show", machine, "--json").json["notices"]
    assert {one["by"] for one in notices} == {issuer}


def test_a_notice_is_about_one_thing(speak: Speak, world: World) -> None:
    both = ("--key", key_of(world), "--controller", 1)

    said = speak("notice", "back", to_hex(world.machine), *both, "--as", ISSUER, "--json")

    assert (said.exit, said.json["code"]) == (2, "notice.targetAmbiguous")


def test_an_unknown_identity_has_nothing_to_show(speak: Speak) -> None:
    said = speak("notice", "show", "0x" + "99" * 32, "--json")

    assert said.json["code"] == "identity.unknown"
