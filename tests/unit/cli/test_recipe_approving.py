"""Approvals by command: a change overridden by two, a recipe approved, a forgery refused."""

import json
from pathlib import Path

import pytest

from fakes.world import DESIGNER, ISSUER, OPERATOR, RECIPE, World
from guildmark.adapters.home import TRUST_FILE
from guildmark.bootstrap import Home
from guildmark.domain import trust as trust_file
from guildmark.domain.identifiers import to_hex
from guildmark.domain.identity.accreditation import ScopeDocument
from guildmark.domain.recipes.drafts import write_draft
from guildmark.domain.trust import Listed, Trust
from unit.cli.speaking import Speak, Spoken

STANDARD = "ISO 9001"


@pytest.fixture
def accredited(world: World, home: Home) -> None:
    """Accredit the operator, and let the home list who did it."""
    scope = ScopeDocument(standard=STANDARD)
    world.tools.accreditations(ISSUER).give(world.issuer, world.operator, scope)
    world.tools.indexing(world.log).follow()
    listed = (Listed(id=world.issuer),)
    trust = Trust(version=1, chain=world.tools.chain.pin(), issuers=listed)
    (home.settings.home / TRUST_FILE).write_bytes(trust_file.serialise(trust))


@pytest.fixture
def better(tmp_path: Path) -> Path:
    """Return a recipe that the rules would have qualified again."""
    path = tmp_path / "better.json"
    path.write_text(write_draft("Better", RECIPE.clauses[1:]))
    return path


def overridden(speak: Speak, world: World, better: Path, out: Path) -> Spoken:
    return speak(
        *("recipe", "override", better, "--design", to_hex(world.revision.design)),
        *("--supersedes", to_hex(world.recipe.id()), "--change", "minor"),
        *("--reason", "the polymer is named by its lot", "--out", out),
        *("--as", DESIGNER, "--json"),
    )


def agreed(speak: Speak, world: World, file: Path, out: Path, key: str = OPERATOR) -> Spoken:
    return speak(
        *("recipe", "approve-override", file, "--org", to_hex(world.operator)),
        *("--standard", STANDARD, "--reason", "report 7", "--out", out, "--as", key, "--json"),
    )


@pytest.mark.usefixtures("accredited")
def test_two_signatures_publish_what_the_rules_refuse(
    speak: Speak, world: World, better: Path, tmp_path: Path
) -> None:
    one, two = tmp_path / "one.json", tmp_path / "two.json"

    made = overridden(speak, world, better, one)
    alone = speak("recipe", "publish-override", one, "--as", DESIGNER, "--json")
    signed = agreed(speak, world, one, two)
    said = speak("recipe", "publish-override", two, "--as", DESIGNER, "--json")
    listed = speak("recipe", "approvals", said.json["id"], "--json").json

    assert (made.json["stated"], made.json["ruled"]) == ("minor", "requalify")
    assert (alone.json["code"], alone.exit) == ("recipe.overrideUnsigned", 16)
    assert (signed.json["signatures"], said.exit) == (2, 0)
    assert [one["counts"] for one in listed["approvals"]] == [True, True]
    assert listed["override"] == {
        "stated": "minor",
        "ruled": "requalify",
        "allowed": True,
        "why": None,
    }
    assert speak("recipe", "show", said.json["id"], "--json").json["change"] == "minor"


@pytest.mark.usefixtures("accredited")
def test_a_forged_second_signature_is_refused(
    speak: Speak, world: World, better: Path, tmp_path: Path
) -> None:
    one = tmp_path / "one.json"
    overridden(speak, world, better, one)

    forged = agreed(speak, world, one, tmp_path / "two.json", key=DESIGNER)

    assert forged.json["code"] == "recipe.approvalRefused"
    assert not (tmp_path / "two.json").exists()


@pytest.mark.usefixtures("accredited")
def test_a_published_recipe_is_approved_and_others_keep_it(
    speak: Speak, world: World, tmp_path: Path
) -> None:
    recipe, file = to_hex(world.recipe.id()), tmp_path / "approval.json"

    made = speak(
        *("recipe", "approve", recipe, "--org", to_hex(world.operator), "--standard", STANDARD),
        *("--reason", "report 7", "--out", file, "--as", OPERATOR, "--json"),
    )
    again = speak("recipe", "approvals", recipe, "--add", file, "--json").json
    changed = json.loads(file.read_bytes())
    changed["approval"]["reason"] = "report 8"
    file.write_text(json.dumps(changed))
    forged = speak("recipe", "approvals", recipe, "--add", file, "--json")

    assert made.json["by"] == to_hex(world.operator)
    ((row),) = again["approvals"]
    assert (row["by"], row["standard"], row["reason"], row["counts"]) == (
        *("O", STANDARD, "report 7"),
        True,
    )
    assert again["override"] is None
    assert forged.json["code"] == "recipe.approvalRefused"
