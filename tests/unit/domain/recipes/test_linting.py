"""What `recipe lint` says about drafts: code, path, reason, and what to write instead."""

import json
from typing import Any

import pytest

from guildmark.domain.recipes.drafts import lint, write_draft
from guildmark.domain.recipes.linting import Advice
from guildmark.domain.recipes.templates import TEMPLATES, UNSAID, template

LAYER: dict[str, Any] = {
    "path": "/process/layer_height",
    "class": "window",
    "type": "quantity",
    "criticality": "major",
    "min": "0.1",
    "max": "0.3",
    "unit": "mm",
}
BORE = {**LAYER, "path": "/tolerance/bore", "class": "core", "min": "9.95", "max": "10.05"}
STEP = {**LAYER, "path": "/qa/resolution", "class": "core", "value": "0.01"}
ENGRAVED = {
    "path": "/design/name",
    "class": "custom",
    "type": "text",
    "criticality": "minor",
}


def found(*clauses: object) -> list[Advice]:
    return list(lint(json.dumps({"name": "n", "clauses": clauses}).encode()))


def without(clause: dict[str, Any], *names: str, **others: object) -> dict[str, Any]:
    return {name: value for name, value in {**clause, **others}.items() if name not in names}


STEP = without(STEP, "min", "max")

FINDINGS: list[tuple[list[object], str, str | None, bool]] = [
    ([without(LAYER, "unit")], "lint.unitMissing", LAYER["path"], True),
    ([{**LAYER, "unit": "°C"}], "lint.unitUnknown", LAYER["path"], True),
    ([{**LAYER, "unit": "furlong"}], "lint.unitUnknown", LAYER["path"], True),
    ([{**LAYER, "min": "0,1"}], "lint.number", LAYER["path"], True),
    ([{**LAYER, "min": 1}], "lint.number", LAYER["path"], True),
    ([{**LAYER, "min": "thin"}], "lint.number", LAYER["path"], True),
    ([{**LAYER, "max": "0.09"}], "lint.boundsReversed", LAYER["path"], True),
    ([{**LAYER, "value": "0.31"}], "lint.boundsReversed", LAYER["path"], True),
    ([without(LAYER, "min")], "lint.windowOpen", LAYER["path"], True),
    ([without(LAYER, "min", "max")], "lint.windowOpen", LAYER["path"], True),
    ([{**LAYER, "path": "/machine/layer"}], "lint.group", "/machine/layer", True),
    ([without(LAYER, "path")], "lint.group", "clauses[0]", True),
    (["layer"], "lint.noClause", "clauses[0]", True),
    ([BORE, LAYER], "lint.order", LAYER["path"], True),
    ([LAYER, LAYER], "lint.order", LAYER["path"], True),
    ([{**LAYER, "min": "0.3"}], "lint.windowShut", LAYER["path"], False),
    (
        [{**ENGRAVED, "class": "core", "value": "say which face lies on the bed"}],
        "lint.unsaid",
        ENGRAVED["path"],
        False,
    ),
    ([ENGRAVED], "lint.customUnbounded", ENGRAVED["path"], False),
    (
        [without(LAYER, "min", "max", **{"class": "site", "criticality": "critical"}), STEP],
        "lint.criticalFree",
        LAYER["path"],
        False,
    ),
    ([{**BORE, "criticality": "critical"}], "lint.criticalWithoutQa", BORE["path"], False),
    ([STEP, {**BORE, "max": "10.04"}], "lint.toleranceTooFine", BORE["path"], False),
    ([], "clause.malformedTree", None, True),
    ([{**LAYER, "colour": "red"}], "document.memberUnknown", "clauses[0].colour", True),
    ([{**LAYER, "class": "wide"}], "document.memberInvalid", "clauses[0].class", True),
]


@pytest.mark.parametrize(("clauses", "code", "path", "blocks"), FINDINGS)
def test_each_finding_names_its_clause_and_what_to_write(
    clauses: list[object], code: str, path: str | None, blocks: bool
) -> None:
    (only,) = found(*clauses)

    assert (only.rule, only.path, only.blocks) == (code, path, blocks)
    assert only.reason.endswith(".")
    assert only.instead


def test_the_unit_that_was_meant_is_named() -> None:
    assert found({**LAYER, "unit": "inch"})[0].instead == '"unit": "[in_i]"'
    assert found({**LAYER, "unit": "µm"})[0].instead == '"unit": "um"'
    assert found({**LAYER, "min": "0,1"})[0].instead == '"min": "0.1"'


@pytest.mark.parametrize(
    "clauses",
    [
        [LAYER],
        [STEP, BORE],
        [STEP, {**BORE, "min": "9950", "max": "10050", "unit": "um"}],
        [STEP, {**BORE, "unit": "Cel"}],
        [STEP, without(BORE, "max")],
        [without(STEP, "value", min="0.01", max="0.02"), BORE],
        [{**STEP, "path": "/qa/resolution/other", "value": "9"}, BORE],
        [{**ENGRAVED, "max": "12"}],
        [{**ENGRAVED, "value": "EU\nUS"}],
        [{**ENGRAVED, "class": "core", "value": "x"}],
    ],
)
def test_what_is_well_has_no_finding(clauses: list[dict[str, Any]]) -> None:
    assert found(*clauses) == []


def test_the_resolution_of_one_characteristic_goes_before_the_common_one() -> None:
    own = {**STEP, "path": "/qa/resolution/bore", "value": "0.02"}

    (only,) = found(STEP, own, BORE)

    assert only.reason.startswith("The tolerance is finer than its instrument: 5 steps of 0.02 mm")
    assert "/qa/resolution/bore" in only.instead


def test_what_blocks_stands_first() -> None:
    codes = [one.rule for one in found(without(LAYER, "unit"), ENGRAVED)]

    assert codes == ["lint.unitMissing", "lint.order"]


def test_what_is_no_json_is_one_finding() -> None:
    (only,) = lint(b"{")

    assert (only.rule, only.blocks) == ("json.malformed", True)


def test_clauses_that_are_no_list_are_one_finding() -> None:
    assert [one.rule for one in lint(b'{"name": "n", "clauses": "x"}')] == [
        "document.memberInvalid"
    ]


@pytest.mark.parametrize("name", TEMPLATES)
def test_templates_can_be_published_as_they_are(name: str) -> None:
    title, clauses = template(name)

    said = lint(write_draft(title, clauses).encode())

    assert {(one.rule, one.blocks) for one in said} <= {("lint.unsaid", False)}
    assert {one.path for one in said} == {one.path for one in clauses if one.value in UNSAID}


def test_what_templates_leave_to_the_designer_stands_in_one_of_them() -> None:
    values = {one.value for name in TEMPLATES for one in template(name)[1]}

    assert values >= UNSAID
    assert not [one for one in values - UNSAID if one and one.startswith("say ")]
