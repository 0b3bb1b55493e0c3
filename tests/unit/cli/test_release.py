"""Keys: deposited, kept, asked for, held back, and proven to have been released."""

import stat
from pathlib import Path

import pytest

from fakes.node import MemoryNode
from fakes.releases import DEPOSITED, Releases, make_releases
from fakes.world import DESIGNER, MACHINE, SITE, WRITER, World
from guildmark.bootstrap import Home
from guildmark.domain.identifiers import to_hex
from guildmark.ports.keys import KeyName
from guildmark.ports.store import DocumentKind
from guildmark.settings import NodeSettings, load, save, with_node
from unit.cli.speaking import Speak, Spoken

X25519 = "x25519:0x" + "11" * 32
NODE = "http://releases.example"
UNKNOWN = to_hex(bytes([7]) * 32)


@pytest.fixture
def releases(world: World, home: Home, node: MemoryNode) -> Releases:
    """Let every address lead to a node that keeps a deposit."""
    made = make_releases(world)
    node.releasing, node.receiptbook = made.node, made.receipts
    node.reconciling, node.operator = home.reconciling, world.operator
    own = NodeSettings(
        operator=world.operator, log=world.log, writer=KeyName(WRITER), public_url=NODE
    )
    save(with_node(load(home.settings.home), own))
    return made


def deposit(speak: Speak, world: World, out: Path, recipient: str = X25519) -> Spoken:
    return speak(
        *("release", "deposit", to_hex(world.license), "--recipe", to_hex(world.recipe.id())),
        *("--operator", to_hex(world.operator), "--recipient", recipient),
        *("--out", out, "--json"),
    )


def test_deposit_is_made_and_kept(
    releases: Releases, speak: Speak, world: World, tmp_path: Path
) -> None:
    file = tmp_path / "deposit.bin"
    world.tools.store.forget_documents(DocumentKind.DEPOSIT)

    made = deposit(speak, world, file)
    kept = speak("release", "keep", file, "--key", DEPOSITED, "--json").json

    assert made.json["operator"] == to_hex(world.operator)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (kept["license"], kept["design"]) == (
        to_hex(world.license),
        to_hex(world.revision.design),
    )
    assert releases.release(releases.site).receipt


def test_nothing_is_deposited_with_a_key_that_signs(
    releases: Releases, speak: Speak, world: World, tmp_path: Path
) -> None:
    spoken = deposit(speak, world, tmp_path / "deposit.bin", "p256:0x02")

    assert (spoken.exit, spoken.json["code"]) == (2, "key.wrongPurpose")


def opened(speak: Speak, world: World, folder: Path, *words: object) -> Spoken:
    file = folder / "package.bin"
    speak(
        *("package", "seal", to_hex(world.license), "--recipe", to_hex(world.recipe.id())),
        *("--site", to_hex(world.site), "--recipient", X25519, "--out", file),
        *("--release", f"{to_hex(world.operator)}@{NODE}"),
    )
    return speak(
        *("package", "open", file, "--site", to_hex(world.site), "--key", "site", "--lane"),
        *(world.lane, "--out", folder / "files", *words, "--json"),
    )


def test_machine_gets_the_files_and_later_the_proof(
    releases: Releases, speak: Speak, world: World, tmp_path: Path
) -> None:
    asked = opened(
        *(speak, world, tmp_path, "--machine", to_hex(world.machine), "--as", MACHINE)
    ).json
    early = speak("release", "proof", asked["request"], "--node", NODE, "--json")
    releases.anchor()

    shown = speak(
        *("release", "proof", asked["request"], "--node", NODE, "--json"),
        *("--out", tmp_path / "proof.json"),
    ).json

    assert (early.exit, early.json["code"]) == (17, "receipt.notFinal")
    assert (shown["machine"], shown["entry"]) == (to_hex(world.machine), f"{world.log}.0")
    assert (tmp_path / "proof.json").exists()


def test_site_is_shown_without_a_machine(
    releases: Releases, speak: Speak, world: World, tmp_path: Path
) -> None:
    asked = opened(speak, world, tmp_path, "--as", SITE).json
    releases.anchor()

    shown = speak("release", "proof", asked["request"], "--node", NODE, "--json").json

    assert shown["machine"] is None


def test_what_is_held_back_gets_no_files(
    releases: Releases, speak: Speak, world: World, tmp_path: Path
) -> None:
    recipe = to_hex(world.recipe.id())
    speak("release", "block", recipe, "--reason", "cracks at the bore")

    refused = opened(speak, world, tmp_path, "--as", SITE)
    ended = speak("release", "unblock", recipe, "--json").json

    assert (refused.exit, refused.json["code"]) == (20, "release.blocked")
    assert "cracks at the bore" in refused.out
    assert not (tmp_path / "files").exists()
    assert ended["since"] <= ended["until"]


def test_what_was_never_held_back_is_not_unblocked(releases: Releases, speak: Speak) -> None:
    spoken = speak("release", "unblock", UNKNOWN, "--json")

    assert (spoken.exit, spoken.json["code"]) == (4, "release.notBlocked")


@pytest.mark.parametrize("place", ["http://releases.example", "0x12@http://a", "@ftp://a", "a@b"])
def test_place_that_is_none_is_wrong_usage(speak: Speak, world: World, place: str) -> None:
    spoken = speak(
        *("package", "seal", to_hex(world.license), "--recipe", to_hex(world.recipe.id())),
        *("--site", to_hex(world.site), "--recipient", X25519, "--out", "x", "--release", place),
    )

    assert spoken.exit == 2


def test_license_is_reconciled_by_its_licensor(
    releases: Releases, speak: Speak, world: World, tmp_path: Path
) -> None:
    opened(speak, world, tmp_path, "--as", SITE)
    releases.anchor()

    spoken = speak(
        *("license", "reconcile", to_hex(world.license), "--as", DESIGNER, "--json"),
        *("--release", f"{to_hex(world.operator)}@{NODE}"),
    )

    (lane,) = spoken.json["lanes"]
    assert (spoken.exit, spoken.json["alerts"]) == (0, [])
    assert (lane["lane"], lane["released"], lane["drawn"]) == (world.lane, 1, 0)
    assert spoken.json["pages"] == [f"{NODE}/page"]


def test_reconciliation_that_alarms_ends_with_its_code(
    releases: Releases, speak: Speak, world: World
) -> None:
    world.tools.ingest(world.log).receive([world.envelope()])
    releases.anchor()

    spoken = speak("license", "reconcile", to_hex(world.license), "--json")

    assert (spoken.exit, spoken.json["alerts"]) == (18, ["drawnWithoutRelease"])


def test_stranger_is_shown_no_receipts(releases: Releases, speak: Speak, world: World) -> None:
    spoken = speak(
        *("license", "reconcile", to_hex(world.license), "--as", SITE, "--json"),
        *("--release", f"{to_hex(world.operator)}@{NODE}"),
    )

    assert (spoken.exit, spoken.json["code"]) == (5, "reconciliation.licensorOnly")
