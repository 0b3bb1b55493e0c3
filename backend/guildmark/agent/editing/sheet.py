"""A recipe as a form holds it: a row a clause, whatever was typed, and what is wrong where.

A file that a form could not give back as it was is refused: nothing is lost unseen.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.strictjson import JsonObject, JsonValue, parse_object
from guildmark.domain.errors import GuildmarkError, UsageError
from guildmark.domain.recipes.clause import MalformedClauseError, parse_path
from guildmark.domain.recipes.drafts import read_either
from guildmark.domain.recipes.linting import Advice, lint_clauses, lint_members, unreadable
from guildmark.domain.recipes.recipe import DOCUMENT_LIMITS, GROUPS, RecipeDocument

ROWS_MAX = 1000
"""More clauses than this are for files: a page of them would help nobody."""

FIELDS = ("group", "name", "class", "type", "criticality", "value", "min", "max", "unit")

_SAID = ("name", "value", "min", "max", "unit")
_MEMBERS = ("class", "type", "criticality", "value", "min", "max", "unit")
_NEW = {"class": "core", "type": "quantity", "criticality": "major"}
_FIELD = re.compile(rf"({'|'.join(FIELDS)})-([0-9]{{1,5}})", re.ASCII)
_NAME_HINT = "letters, digits, - and _, for example layer_height; / before a further level"


class FormUnfitError(UsageError):
    """A form could not give a recipe's file back as it was."""

    code = "recipe.formUnfit"
    hint = "Mend the file with a text editor; `guildmark recipe lint` says where."


@dataclass(frozen=True, slots=True)
class Row:
    """One clause as it was typed, field by field; what is missing is empty."""

    texts: Mapping[str, str]

    def __getitem__(self, field: str) -> str:
        """Return what a field holds."""
        return self.texts.get(field, "")

    @property
    def path(self) -> str:
        """Return the clause's path; a name without group is a path already, or none."""
        return f"/{self['group']}/{self['name']}" if self["group"] else self["name"]

    @property
    def is_blank(self) -> bool:
        """Return whether nothing was typed yet."""
        return not any(self[name].strip() for name in _SAID)

    def members(self) -> JsonObject:
        """Return the clause as a draft shows it."""
        said = {name: self[name] for name in _MEMBERS if self[name]}
        return {"path": self.path, **said}


NEW_ROW = Row(_NEW)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A recipe's name and rows, in the order in which they are shown."""

    name: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is wrong or unwise, and in which field.

    Args:
        row: The row's number from 0, none where it is about the whole recipe.
        field: The field, none where it is about more than one.
        advice: Why, and what to write.
    """

    row: int | None
    field: str | None
    advice: Advice


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What was found in a sheet.

    Args:
        findings: In the order of the rows.
        document: The recipe, none where anything refuses it.
    """

    findings: tuple[Finding, ...]
    document: RecipeDocument | None


def read_sheet(data: bytes) -> Sheet:
    """Return the sheet of a draft, even of a refused one, or of a document.

    Raises:
        JsonError: The bytes are outside the input profile.
        FormUnfitError: A form could not show it, or not give it back as it was.
    """
    members = parse_object(data, DOCUMENT_LIMITS)
    name, clauses = members.get("name", ""), members.get("clauses")
    is_known = set(members) <= {"type", "name", "clauses"} and isinstance(name, str)
    if not is_known or isinstance(clauses, str) or not isinstance(clauses, Sequence):
        message = "A form shows a recipe's name and its list of clauses, nothing else."
        raise FormUnfitError(message)
    if len(clauses) > ROWS_MAX:
        message = f"A form shows at most {ROWS_MAX} clauses; here are {len(clauses)}."
        raise FormUnfitError(message, clauses=len(clauses))
    rows = [_row(clause, number) for number, clause in enumerate(clauses)]
    return Sheet(name=str(name), rows=tuple(sorted(rows, key=lambda row: row.path)))


def typed_sheet(form: Mapping[str, str]) -> Sheet | None:
    """Return what came back from a form, None where it holds more rows than any form shows."""
    rows: dict[int, dict[str, str]] = {}
    for key, text in form.items():
        if match := _FIELD.fullmatch(key):
            rows.setdefault(int(match[2]), {})[match[1]] = text
    if len(rows) > ROWS_MAX:
        return None
    ordered = (Row(_cleaned(row)) for _, row in sorted(rows.items()))
    return Sheet(name=_clean(form.get("recipe", "")).strip(), rows=tuple(ordered))


def judge(sheet: Sheet) -> Judged:
    """Return what is wrong and what is unwise; rows in which nothing was typed do not count."""
    rows = {number: row for number, row in enumerate(sheet.rows) if not row.is_blank}
    found = [*_of_name(sheet.name), *_of_rows(rows)]
    if any(one.advice.blocks for one in found):
        return Judged(findings=tuple(found), document=None)
    try:
        document = _document(sheet.name, [row.members() for row in rows.values()])
    except GuildmarkError as error:
        whole = Finding(row=None, field=None, advice=unreadable(error))
        return Judged(findings=(whole,), document=None)
    numbers = {row.path: number for number, row in rows.items()}
    unwise = (
        Finding(row=numbers[one.path or ""], field=one.member, advice=one)
        for one in lint_clauses(document.clauses)
    )
    ordered = sorted(unwise, key=lambda one: one.row or 0)
    return Judged(findings=tuple(ordered), document=document)


def _row(clause: JsonValue, number: int) -> Row:
    known = {"path", "salt", *_MEMBERS}
    texts: dict[str, str] = {}
    for name, text in clause.items() if isinstance(clause, Mapping) else [("", None)]:
        if name not in known or not isinstance(text, str) or text != _cleaned_as(name, text):
            message = f"A form cannot give the member {name[:40]!r} of clause {number} back."
            raise FormUnfitError(message, clause=number, member=name[:40])
        texts[name] = text
    if texts.get("type") != "text" and "\n" in texts.get("value", ""):
        message = f"The value of clause {number} has more than one line, and is no text."
        raise FormUnfitError(message, clause=number, member="value")
    path = texts.pop("path", "")
    head, _, rest = path[1:].partition("/")
    is_grouped = path.startswith("/") and head in GROUPS and rest != ""
    group, name = (head, rest) if is_grouped else ("", path)
    return Row({**texts, "group": group, "name": name})


def _cleaned_as(member: str, text: str) -> str | None:
    """Return what a form would give back of a text, None where a form cannot tell it from none."""
    cleaned = _cleaned({"type": "text", member: text})[member]
    return cleaned or None


def _cleaned(row: Mapping[str, str]) -> Mapping[str, str]:
    """Return a row's texts as they count: one line each but for values of texts."""
    is_text = row.get("type") == "text"
    return {
        field: _clean(text) if field == "value" and is_text else _clean(text).strip()
        for field, text in row.items()
    }


def _clean(text: str) -> str:
    """Return a text with a form's line ends as files have them, and without unseen characters."""
    lines = text.replace("\r\n", "\n")
    seen = "".join(one for one in lines if one == "\n" or unicodedata.category(one) != "Cc")
    return unicodedata.normalize("NFC", seen)


def _of_name(name: str) -> Iterator[Finding]:
    if not name:
        reason = "The recipe has no name."
        instead = "what people call it"
        yield Finding(row=None, field="recipe", advice=_refusal("form.name", None, reason, instead))


def _of_rows(rows: Mapping[int, Row]) -> Iterator[Finding]:
    times = Counter(row.path for row in rows.values())
    for number, row in rows.items():
        for one in _of_row(row, is_twice=times[row.path] > 1):
            field = one.member
            if field == "path":
                field = "group" if one.rule == "lint.group" else "name"
            yield Finding(row=number, field=field, advice=one)


def _of_row(row: Row, *, is_twice: bool) -> Iterator[Advice]:
    found = list(lint_members([row.members()]))
    if is_twice:
        reason = "Another clause has this path, too."
        instead = "another name, or remove one of them"
        found.append(_refusal("lint.order", row.path, reason, instead, member="path"))
    yield from found
    if not any(one.blocks for one in found):
        yield from _unreadable(row)


def _unreadable(row: Row) -> Iterator[Advice]:
    try:
        parse_path(row.path)
    except MalformedClauseError as error:
        advice = replace(unreadable(error), path=row.path, instead=_NAME_HINT)
        yield replace(advice, member="path")
        return
    try:
        _document("-", [row.members()])
    except GuildmarkError as error:
        member = str(error.detail.get("member", "")).rpartition(".")[2]
        field = member if member in _MEMBERS else None
        yield replace(unreadable(error), path=row.path, member=field)


def _document(name: str, clauses: Sequence[JsonObject]) -> RecipeDocument:
    ordered = sorted(clauses, key=lambda clause: str(clause["path"]))
    return read_either(canonical({"name": name, "clauses": ordered}))


def _refusal(
    rule: str, path: str | None, reason: str, instead: str, *, member: str | None = None
) -> Advice:
    return Advice(rule=rule, path=path, reason=reason, instead=instead, blocks=True, member=member)
