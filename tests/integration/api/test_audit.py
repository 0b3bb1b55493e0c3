"""The demo's license audited from chain and evidence: what is shown, and what is withheld."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from e2e.cli_actors import Actor
from guildmark.domain import bundle
from guildmark.domain.identifiers import to_hex
from stages import Played

pytestmark = [pytest.mark.chain, pytest.mark.needs("anvil")]


@pytest.fixture(scope="module")
def audited(played: Played, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Path]:
    """Return how the audit of the demo's license ended, and its folder."""
    out = tmp_path_factory.mktemp("audit") / "report"
    home = played.scene.operators[0].party.home.settings.home
    license_id = to_hex(played.workshops[0].assignment.external.license)
    words = ("audit", "--license", license_id, "--node", played.node.url, "--out", out, "--pdf")
    spoken = Actor(home).try_to(*words, "--trust", home / "trust.json", "--json")
    assert spoken.json["exit"] == spoken.exit, spoken.err
    return spoken.exit, out


def report(out: Path) -> Any:
    return json.loads((out / "report.json").read_bytes())


def units(out: Path) -> Mapping[str, Mapping[str, Any]]:
    return {f"{one['log']}.{one['index']}": one for one in report(out)["units"]}


def test_honest_parts_are_verified(audited: tuple[int, Path], played: Played) -> None:
    found = units(audited[1])

    assert {found[part.hint]["state"] for part in played.parts} == {"verified"}
    assert {found[part.hint]["label"] for part in played.parts} == {
        part.label for part in played.parts
    }


def test_what_the_node_does_not_show_is_withheld(audited: tuple[int, Path]) -> None:
    code, out = audited
    elsewhere = [one for one in report(out)["units"] if one["log"] == 2]

    assert {one["state"] for one in elsewhere} == {"withheld"}
    assert {one["label"] for one in elsewhere} == {""}
    found = [one for one in report(out)["findings"] if one["flaw"] == "withheld"]
    assert len(found) == len(elsewhere) > 0
    assert code == 23


def test_another_node_shows_it(played: Played) -> None:
    home = played.scene.operators[0].party.home.settings.home
    license_id = to_hex(played.workshops[-1].assignment.external.license)

    spoken = Actor(home).try_to(
        *("audit", "--license", license_id, "--trust", home / "trust.json", "--json"),
        *("--node", played.node.url, "--node", played.other.url),
    )

    assert "withheld" not in spoken.json["states"], spoken.err
    assert spoken.json["units"] == sum(spoken.json["states"].values())


def test_tables_bundles_and_paper_say_the_same(audited: tuple[int, Path], played: Played) -> None:
    _, out = audited

    with (out / "units.csv").open(newline="") as file:
        rows: Sequence[Mapping[str, str]] = list(csv.DictReader(file))
    assert [row["state"] for row in rows] == [one["state"] for one in report(out)["units"]]
    assert (out / "findings.csv").read_bytes().startswith(b"flaw,places,reason\r\n")
    assert (out / "report.pdf").read_bytes().startswith(b"%PDF-")
    part = played.parts[0]
    kept = bundle.read((out / "bundles" / f"{part.hint}.zip").read_bytes())
    assert (kept.core.record.log, kept.core.index) == (part.log, part.index)


def test_a_node_that_does_not_answer_is_a_finding(played: Played, tmp_path: Path) -> None:
    home = played.scene.operators[0].party.home.settings.home
    maker = to_hex(played.workshops[0].maker.party.id)

    spoken = Actor(home).try_to(
        *("audit", "--organization", maker, "--node", "http://127.0.0.1:9", "--json"),
        *("--trust", home / "trust.json"),
    )

    assert spoken.exit == 3, spoken.err
    assert set(spoken.json["states"]) == {"unreachable"}
