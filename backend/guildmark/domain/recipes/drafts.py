"""Recipes as people write them: the published document without type and salts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.fields import Fields, read_object
from guildmark.domain.encoding.strictjson import JsonObject, JsonValue, parse_object
from guildmark.domain.errors import GuildmarkError, MalformedError
from guildmark.domain.identifiers import ZERO32, to_hex
from guildmark.domain.recipes.clause import Clause, NewSalt
from guildmark.domain.recipes.linting import Advice, lint_clauses, lint_members, unreadable
from guildmark.domain.recipes.recipe import DOCUMENT_LIMITS, DOCUMENT_TYPE, RecipeDocument


def read_draft(data: bytes, new_salt: NewSalt) -> RecipeDocument:
    """Return the recipe that people wrote without salts, with a new salt on each clause.

    Raises:
        JsonError: The bytes are outside the input profile.
        DocumentError: A member is missing, unknown or of another type.
        MalformedError: A clause is malformed, out of order, or in no known group.
    """

    def read(fields: Fields) -> RecipeDocument:
        name = fields.text("name")
        clauses = [_salted(clause, new_salt) for clause in fields.array("clauses")]
        written: JsonValue = {"type": DOCUMENT_TYPE, "name": name, "clauses": clauses}
        return RecipeDocument.parse(canonical(written))

    return read_object(parse_object(data, DOCUMENT_LIMITS), read)


def with_salts_of(document: RecipeDocument, before: RecipeDocument) -> RecipeDocument:
    """Return a new recipe whose unchanged clauses keep their salts, and so their leaves.

    So it can be shown that a clause did not change without showing the clause.
    """
    salts = {one.path: one.salt for one in before.clauses}
    old = frozenset(before.clauses)
    kept = (replace(one, salt=salts.get(one.path, one.salt)) for one in document.clauses)
    pairs = zip(kept, document.clauses, strict=True)
    return replace(document, clauses=tuple(same if same in old else one for same, one in pairs))


def read_either(data: bytes) -> RecipeDocument:
    """Return a recipe from a draft or a document; a draft's clauses get no salts of their own.

    Raises:
        MalformedError: It is neither.
    """
    if "type" in parse_object(data, DOCUMENT_LIMITS):
        return RecipeDocument.parse(data)
    return read_draft(data, lambda: ZERO32)


def write_draft(name: str, clauses: Sequence[Clause]) -> str:
    """Return a draft as people read it: a clause a line, in the order of the paths."""
    ordered = sorted(clauses, key=lambda clause: clause.path)
    lines = ",\n".join("    " + json.dumps(_unsalted(one), ensure_ascii=False) for one in ordered)
    return (
        f'{{\n  "name": {json.dumps(name, ensure_ascii=False)},\n  "clauses": [\n{lines}\n  ]\n}}\n'
    )


def lint(data: bytes) -> tuple[Advice, ...]:
    """Return what is wrong or unwise in a draft, what blocks it first."""
    try:
        members = parse_object(data, DOCUMENT_LIMITS).get("clauses")
    except MalformedError as error:
        return (unreadable(error),)
    written = members if isinstance(members, Sequence) and not isinstance(members, str) else ()
    found = list(lint_members(written))
    try:
        found += lint_clauses(read_either(data).clauses)
    except GuildmarkError as error:
        found += () if found else (unreadable(error),)
    return tuple(sorted(found, key=lambda one: not one.blocks))


def _salted(clause: JsonValue, new_salt: NewSalt) -> JsonValue:
    return {**clause, "salt": to_hex(new_salt())} if isinstance(clause, Mapping) else clause


def _unsalted(clause: Clause) -> JsonObject:
    return {name: value for name, value in clause.to_json().items() if name != "salt"}
