"""Values by command: shown, opened one by one, granted, read, and what the home's policy says."""

from pathlib import Path

import pytest

from fakes.world import MAKER, Tools, World, make_world
from guildmark.bootstrap import Home
from guildmark.domain import bundle
from guildmark.domain.builds.delivery import RESULTS_ALONE, Delivery
from guildmark.domain.identifiers import Index, to_hex
from guildmark.ports.keys import KeyAlgorithm, KeyName
from unit.cli.speaking import Speak

NOZZLE = "/process/nozzle"
READER = KeyName("reader")


@pytest.fixture
def world() -> World:
    world = make_world(Tools(shown=RESULTS_ALONE))
    world.disclose()
    world.tools.keys.create(READER, KeyAlgorithm.X25519)
    return world


@pytest.fixture
def part(world: World, home: Home, tmp_path: Path) -> Path:
    """Return the file of a part that the log took in; its bundle stands beside it."""
    path = tmp_path / "part.dsse.json"
    path.write_bytes(world.envelope())
    world.tools.ingest(world.log).receive([path.read_bytes()])
    line = world.tools.line(world.log)
    line.step()
    line.step()
    evidence = world.tools.exporter.evidence(world.log, Index(0))
    path.with_name("part.zip").write_bytes(bundle.write(evidence))
    return path


def grant(speak: Speak, world: World, part: Path, until: str = "2200-01-01") -> Path:
    out = part.with_name("grant")
    key = "x25519:0x" + "01" * 32
    spoken = speak(
        *("value", "grant", part, "--role", "designer", "--to", to_hex(world.designer)),
        *("--recipient", key, "--until", until, "--as", MAKER, "--out", out, "--json"),
    )
    assert spoken.exit == 0, spoken.err
    assert spoken.json["role"] == "designer"
    return out


def test_values_are_shown_with_what_everybody_sees(speak: Speak, part: Path) -> None:
    rows = speak("value", "show", part, "--json").json["values"]

    assert [(row["path"], row["value"], row["open"]) for row in rows] == [
        ("/process/layer_height", "0.36", False),
        (NOZZLE, "0.8", False),
        ("/tolerance/bore", "22.20", True),
    ]


def test_one_value_is_opened_and_read_beside_the_bundle(speak: Speak, part: Path) -> None:
    file, whole = part.with_name("value.json"), part.with_name("whole.zip")
    opened = speak("value", "open", part, "--path", NOZZLE, "--out", file, "--json").json
    beside = part.with_name("part.zip")

    read = speak("value", "read", file, "--bundle", beside, "--out", whole, "--json").json

    assert opened["opened"] == [NOZZLE]
    assert [(row["path"], row["value"]) for row in read["values"]] == [(NOZZLE, "0.8")]
    assert (read["grantedBy"], read["until"]) == (None, None)
    settings = bundle.read(whole.read_bytes()).disclosed.settings
    assert settings is not None
    assert [one.path for one in settings.opened] == [NOZZLE]


def test_the_home_of_the_log_opens_by_digest(speak: Speak, part: Path) -> None:
    digest = to_hex(Delivery.parse(part.read_bytes()).digest)

    rows = speak("value", "show", digest, "--json").json["values"]

    assert len(rows) == 3


def test_what_names_no_part_is_refused(speak: Speak, home: Home, tmp_path: Path) -> None:
    spoken = speak("value", "show", tmp_path / "none.json", "--json")

    assert (spoken.exit, spoken.json["code"]) == (2, "cli.valueSource")


def test_a_grant_is_made_by_policy_and_read_by_its_reader(
    speak: Speak, world: World, part: Path
) -> None:
    policy = speak("build", "values", "--designer", "/process", "--json").json
    sealed = grant(speak, world, part)
    beside = part.with_name("part.zip")

    read = speak(
        *("value", "read", sealed, "--bundle", beside, "--key", READER),
        *("--to", to_hex(world.designer), "--json"),
    ).json

    assert (policy["designer"], policy["auditor"]) == (["/process"], [])
    assert [row["path"] for row in read["values"]] == ["/process/layer_height", NOZZLE]
    assert read["grantedBy"] == to_hex(world.maker)


def test_a_grant_is_not_read_without_its_reader(speak: Speak, world: World, part: Path) -> None:
    speak("build", "values", "--designer", "/process")
    sealed = grant(speak, world, part)

    spoken = speak(
        *("value", "read", sealed, "--bundle", part.with_name("part.zip"), "--key", READER),
        "--json",
    )

    assert (spoken.exit, spoken.json["code"]) == (2, "cli.valueReader")


def test_a_policy_is_kept_and_forgotten(speak: Speak, home: Home) -> None:
    speak("build", "values", "--salted", "--designer", "/process", "--auditor", "/process/nozzle")
    kept = speak("build", "values", "--json").json

    forgotten = speak("build", "values", "--grant-nothing", "--json").json
    both = speak("build", "values", "--grant-nothing", "--auditor", "/process", "--json")

    assert (kept["designer"], kept["auditor"]) == (["/process"], ["/process/nozzle"])
    assert (forgotten["salted"], forgotten["shown"]) == (True, ["/tolerance"])
    assert (forgotten["designer"], forgotten["auditor"]) == ([], [])
    assert (both.exit, both.json["code"]) == (2, "cli.valueOptions")
