"""The published schema takes what the reader takes."""

import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guildmark.domain.encoding.strictjson import JsonObject
from guildmark.domain.errors import MalformedError
from guildmark.domain.recipes.clause import (
    ClauseClass,
    ClauseType,
    Criticality,
    MalformedClauseError,
)
from guildmark.domain.recipes.clauses import MalformedClauseTreeError
from guildmark.domain.recipes.drafts import read_either, write_draft
from guildmark.domain.recipes.recipe import DOCUMENT_TYPE, RecipeDocument
from guildmark.domain.recipes.schema import recipe_schema
from guildmark.domain.recipes.templates import TEMPLATES, template

DRAFT = jsonschema_rs.Draft202012Validator(dict(recipe_schema(salted=False)))
SALTED = jsonschema_rs.Draft202012Validator(dict(recipe_schema(salted=True)))
BEYOND = ("not in order", "above the greatest", "form NFC")
"""What only the reader can refuse."""


def names(kind: Any) -> list[str]:
    return [one.name.lower() for one in kind] + ["other"]


NUMBERS = st.sampled_from(["1", "0.20", "-5", "20", "1e3", "-0", "-0.0", "01", "", "12345"])
TEXTS = st.sampled_from(["a", "PA12", "", "e\u0301", "x" * 4096, "x" * 4097])
CLAUSES = st.fixed_dictionaries(
    {
        "path": st.sampled_from(
            [
                "/process/a",
                "/qa/b/c",
                "/process",
                "/other/a",
                "/qa/é",
                "/qa/a/",
                "/qa/a\n",
                "/qa//a",
            ]
        ),
        "class": st.sampled_from(names(ClauseClass)),
        "type": st.sampled_from(names(ClauseType)),
        "criticality": st.sampled_from(names(Criticality)),
    },
    optional={
        "value": NUMBERS | TEXTS | st.just(5),
        "min": NUMBERS,
        "max": NUMBERS,
        "unit": st.sampled_from(["mm", "[in_i]", "inch", ""]),
        "salt": st.just("0x" + "00" * 32),
    },
)


def is_taken(data: bytes) -> bool | None:
    """Return whether the reader takes a document, None where it refuses what no schema can."""
    try:
        read_either(data)
    except (MalformedClauseError, MalformedClauseTreeError) as error:
        return None if any(reason in error.message for reason in BEYOND) else False
    except MalformedError as error:
        return None if any(reason in error.message for reason in BEYOND) else False
    return True


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(CLAUSES)
def test_reader_and_schema_take_the_same_drafts(clause: dict[str, Any]) -> None:
    document = {"name": "n", "clauses": [clause]}

    taken = is_taken(json.dumps(document).encode())

    if "salt" not in clause:
        assert taken in {None, DRAFT.is_valid(document)}
    else:
        assert not DRAFT.is_valid(document)


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(CLAUSES)
def test_reader_and_schema_take_the_same_documents(clause: dict[str, Any]) -> None:
    document = {"type": DOCUMENT_TYPE, "name": "n", "clauses": [clause]}

    assert is_taken(json.dumps(document).encode()) in {None, SALTED.is_valid(document)}


@pytest.mark.parametrize(
    "change",
    [{"name": 5}, {"clauses": []}, {"clauses": "x"}, {"more": 1}, {"name": "n" * 4097}],
)
def test_both_refuse_other_members(change: dict[str, Any]) -> None:
    title, clauses = template("fdm")
    document = {**json.loads(write_draft(title, clauses)), **change}

    assert not DRAFT.is_valid(document)
    with pytest.raises(MalformedError):
        read_either(json.dumps(document).encode())


@pytest.mark.parametrize("name", TEMPLATES)
def test_templates_follow_the_schema(name: str) -> None:
    title, clauses = template(name)
    whole = RecipeDocument(name=title, clauses=tuple(clauses))

    assert DRAFT.is_valid(json.loads(write_draft(title, clauses)))
    assert SALTED.is_valid(json.loads(whole.encode()))
    assert read_either(whole.encode()) == whole
    assert read_either(write_draft(title, clauses).encode()) == whole


def test_rules_of_change_are_part_of_the_schema() -> None:
    schema: JsonObject = recipe_schema(salted=True)

    assert {"when": "added", "change": "requalify"} in schema["changeRules"]  # type: ignore[operator]
    jsonschema_rs.meta.validate(dict(schema))
