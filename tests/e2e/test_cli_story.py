"""The main job, told through commands alone: from a folder of files to a verified part."""

from pathlib import Path

import pytest

from e2e.story import (
    LEI,
    Stage,
    a_license,
    a_maker,
    an_operator,
    build,
    equip,
    hand_over,
    judge,
    names,
    settled,
    wait_until_ready,
)

pytestmark = [pytest.mark.e2e, pytest.mark.needs("anvil")]


def test_a_part_is_licensed_built_logged_and_verified_by_commands_alone(
    stage: Stage, tmp_path: Path
) -> None:
    operator, maker = an_operator(stage), a_maker(stage)
    licensed = a_license(stage, operator, maker, tmp_path)
    claims = names(operator, {maker.org: ("NAME", "Oficina"), licensed.owner: ("LEI", LEI)})

    with operator.actor.keeping("up", ready=operator.actor.home / "node.json") as endpoint:
        node = endpoint["url"]
        wait_until_ready(node)
        hand_over(licensed, maker, operator, node, tmp_path)
        site_recipe = equip(licensed, maker, node)
        for claim in claims:
            operator.actor.say("disclose", "claim", claim, "--node", node)
        operator.actor.say("log", "tick")
        first = build(maker, licensed, site_recipe, tmp_path / "1.json")
        second = build(maker, licensed, site_recipe, tmp_path / "2.json")

        submitted = maker.actor.try_to("build", "submit", first, second, "--node", node, "--json")
        built = settled(maker, first, node)
        part = f"{operator.log}.{built['index']}"
        bundle = tmp_path / "part.zip"
        verdict = judge(stage, operator, part, bundle, node)
        health = operator.actor.ask("doctor")["checks"]

    assert submitted.exit == 18
    assert [one["code"] for one in submitted.json["builds"]] == [None, "license.quotaExceeded"]
    assert (built["state"], built["unit"]) == ("final", 2)
    assert verdict["verdict"] == "verified"
    assert verdict["newest"]["block"] >= verdict["asOf"]["block"] > 0
    assert {check["state"] for check in health} == {"ok"}
    drawn = licensed.designer.ask("license", "show", licensed.license)
    assert (drawn["units"], drawn["drawn"]) == (2, 1)
    account = maker.actor.ask("keys", "show", "account")["account"]
    maker.actor.say("part", "materialise", bundle, "--to", account)
    assert maker.actor.ask("part", "show", part)["owner"] == account
