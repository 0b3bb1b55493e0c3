"""Recipes by form: what is typed stays, what is wrong stands at its field."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from asgi import Client
from guildmark.agent.editing import serving
from guildmark.agent.editing.pages import BODY_MAX, Pages
from guildmark.agent.editing.sheet import (
    FIELDS,
    ROWS_MAX,
    FormUnfitError,
    Sheet,
    judge,
    read_sheet,
    typed_sheet,
)
from guildmark.agent.local import Door
from guildmark.domain.recipes.clause import Clause
from guildmark.domain.recipes.drafts import lint, read_either, write_draft
from guildmark.domain.recipes.recipe import DOCUMENT_TYPE
from guildmark.domain.recipes.templates import TEMPLATES, template
from unit.cli.speaking import Speak

HOST = "127.0.0.1:8021"
LAYER = {
    "path": "/process/layer_height",
    "class": "window",
    "type": "quantity",
    "criticality": "major",
    "min": "0.15",
    "max": "0.25",
    "unit": "mm",
}
COLOUR = {
    "path": "/material/colour",
    "class": "custom",
    "type": "text",
    "criticality": "minor",
    "value": "red\n blue ",
}


def draft(*clauses: Mapping[str, str], name: str = "Mine") -> bytes:
    return json.dumps({"name": name, "clauses": list(clauses)}).encode()


def sheet(*clauses: Mapping[str, str], name: str = "Mine") -> Sheet:
    return read_sheet(draft(*clauses, name=name))


def form_of(shown: Sheet) -> dict[str, str]:
    """Return what a browser sends of a form that nobody touched: line ends are its own."""
    rows = {
        f"{name}-{number}": row[name].replace("\n", "\r\n")
        for number, row in enumerate(shown.rows)
        for name in FIELDS
    }
    return {"recipe": shown.name, **rows}


@dataclass
class Designer:
    """What a designer's browser does with the form."""

    pages: Pages
    known: dict[str, str] = field(default_factory=dict)

    def get(self, url: str, **headers: str) -> httpx.Response:
        head = {"Host": HOST, **self.known, **headers}
        return Client(self.pages.application()).get(url, headers=head)

    def post(self, form: Mapping[str, str], **headers: str) -> httpx.Response:
        head = {"Host": HOST, "Origin": f"http://{HOST}", **self.known, **headers}
        return Client(self.pages.application()).post("/edit", data=form, headers=head)

    def enter(self) -> httpx.Response:
        answer = self.get(f"/enter?ticket={self.pages.ticket}")
        self.known = {"Cookie": answer.headers["set-cookie"].partition(";")[0]}
        return answer

    def form(self, do: str, shown: Sheet, **changes: str) -> dict[str, str]:
        """Return what a form of these rows sends, as the page that is open now has it."""
        (seen,) = re.findall(r'name="seen" value="([0-9a-f]*)"', self.get("/").text)
        hidden = {"token": self.pages.door.token, "seen": seen, "do": do}
        return {**form_of(shown), **hidden, **changes}


Begin = Callable[..., Designer]


@pytest.fixture
def begin(tmp_path: Path) -> Begin:
    def made(start: Sheet, before: tuple[Clause, ...] | None = None) -> Designer:
        door = Door(hosts=frozenset({HOST}))
        file = tmp_path / "recipe.json"
        designer = Designer(Pages(file=file, start=start, before=before, door=door))
        designer.enter()
        return designer

    return made


def findings(shown: Sheet) -> list[tuple[int | None, str | None, str, bool]]:
    return [
        (one.row, one.field, one.advice.rule, one.advice.blocks) for one in judge(shown).findings
    ]


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_form_that_nobody_touched_gives_the_file_back(name: str) -> None:
    written = write_draft(*template(name))

    shown = typed_sheet(form_of(read_sheet(written.encode())))

    assert shown is not None
    document = judge(shown).document
    assert document is not None
    assert write_draft(document.name, document.clauses) == written
    assert {one[1:] for one in findings(shown)} <= {("value", "lint.unsaid", False)}


def test_lines_and_blanks_of_a_text_come_back_as_they_were() -> None:
    shown = typed_sheet(form_of(sheet(LAYER, COLOUR)))

    assert shown is not None
    assert [row.members() for row in shown.rows] == [COLOUR, LAYER]
    assert shown.rows[0]["value"] == "red\n blue "


def test_what_is_typed_counts_without_blanks_and_unseen_characters() -> None:
    typed = {"type-3": "quantity", "value-3": " 0.2\x00 ", "unit-3": "mm ", "name-3": "e\u0301"}

    shown = typed_sheet({"recipe": " Mine\t ", **typed, "value-x": "1", "other-3": "1"})

    assert shown is not None
    assert (shown.name, len(shown.rows)) == ("Mine", 1)
    assert dict(shown.rows[0].texts) == {
        "type": "quantity",
        "value": "0.2",
        "unit": "mm",
        "name": "\u00e9",
    }


@pytest.mark.parametrize(
    ("changes", "field_name", "rule"),
    [
        ({"unit": ""}, "unit", "lint.unitMissing"),
        ({"unit": "micron"}, "unit", "lint.unitUnknown"),
        ({"min": "0,15"}, "min", "lint.number"),
        ({"max": "1e3"}, "max", "lint.number"),
        ({"value": "x"}, "value", "lint.number"),
        ({"min": "0.3"}, "min", "lint.boundsReversed"),
        ({"max": ""}, "max", "lint.windowOpen"),
        ({"group": ""}, "group", "lint.group"),
        ({"name": "layer height"}, "name", "clause.malformed"),
        ({"name": ""}, "name", "clause.malformed"),
        ({"class": "windows"}, "class", "document.memberInvalid"),
        ({"class": ""}, "class", "document.memberMissing"),
        ({"type": "text"}, None, "clause.malformed"),
        ({"type": "text", "unit": "", "min": "", "max": "", "value": "x" * 5000}, "value", None),
    ],
)
def test_what_is_refused_is_told_at_its_field(
    changes: Mapping[str, str], field_name: str | None, rule: str | None
) -> None:
    typed = {f"{name}-0": text for name, text in changes.items()}
    shown = typed_sheet({**form_of(sheet(LAYER)), **typed})
    assert shown is not None

    judged = judge(shown)

    assert judged.document is None
    (only,) = judged.findings
    assert (only.row, only.field, only.advice.blocks) == (0, field_name, True)
    assert rule in {None, only.advice.rule}


def test_what_is_unwise_is_told_at_its_field_and_refuses_nothing() -> None:
    shut = {**LAYER, "max": "0.15"}
    critical = {**LAYER, "path": "/process/speed", "criticality": "critical"}
    free = {**critical, "class": "site", "min": "", "max": ""}
    free = {name: text for name, text in free.items() if text}

    shown = sheet(free, COLOUR, shut)
    open_text = sheet({name: COLOUR[name] for name in COLOUR if name != "value"})

    assert findings(shown) == [
        (1, "class", "lint.windowShut", False),
        (2, "class", "lint.criticalFree", False),
        (2, "criticality", "lint.criticalWithoutQa", False),
    ]
    assert findings(open_text) == [(0, "max", "lint.customUnbounded", False)]
    assert judge(shown).document is not None


def test_a_tolerance_finer_than_its_instrument_is_told_at_its_bounds() -> None:
    width = {**LAYER, "path": "/tolerance/width", "min": "9.99", "max": "10.01"}
    resolution = {**LAYER, "path": "/qa/resolution", "class": "core", "value": "0.01"}
    resolution = {name: text for name, text in resolution.items() if name not in {"min", "max"}}

    assert findings(sheet(width, resolution)) == [(1, "min", "lint.toleranceTooFine", False)]


def test_a_path_twice_is_told_at_both() -> None:
    assert findings(sheet(LAYER, LAYER)) == [
        (0, "name", "lint.order", True),
        (1, "name", "lint.order", True),
    ]


def test_the_whole_recipe_may_be_refused() -> None:
    assert findings(sheet(LAYER, name="")) == [(None, "recipe", "form.name", True)]
    assert findings(sheet()) == [(None, None, "clause.malformedTree", True)]
    (long,) = findings(sheet(LAYER, name="x" * 5000))
    assert (long[0], long[3]) == (None, True)


def test_a_path_in_no_known_group_is_shown_whole() -> None:
    (row,) = sheet({**LAYER, "path": "/other/x"}).rows
    (grouped,) = sheet({**LAYER, "path": "/qa/a/b"}).rows

    assert (row["group"], row["name"], row.path) == ("", "/other/x", "/other/x")
    assert (grouped["group"], grouped["name"], grouped.path) == ("qa", "a/b", "/qa/a/b")


@pytest.mark.parametrize(
    "data",
    [
        b'{"name": "n"}',
        b'{"name": "n", "clauses": "x"}',
        b'{"name": 1, "clauses": []}',
        b'{"name": "n", "clauses": [], "more": "1"}',
        b'{"name": "n", "clauses": [1]}',
        draft({**LAYER, "more": "1"}),
        draft({**LAYER, "value": ""}),
        draft({**COLOUR, "value": "a\rb"}),
        draft({**COLOUR, "value": "e\u0301"}),
        draft({**LAYER, "value": "1\n2"}),
        json.dumps({"name": "n", "clauses": [{**LAYER, "value": 1}]}).encode(),
        draft(*[LAYER] * (ROWS_MAX + 1)),
    ],
)
def test_a_file_that_a_form_could_not_give_back_is_refused(data: bytes) -> None:
    with pytest.raises(FormUnfitError):
        read_sheet(data)


def test_a_thousand_rows_are_shown_and_no_more(begin: Begin) -> None:
    most = sheet(*({**LAYER, "path": f"/process/p{number}"} for number in range(ROWS_MAX)))
    designer = begin(sheet(LAYER))
    over = {**form_of(most), f"name-{ROWS_MAX}": "x"}

    full = designer.post(designer.form("add", most))

    assert typed_sheet(form_of(most)) is not None
    assert typed_sheet(over) is None
    assert f'id="row-{ROWS_MAX - 1}"' in full.text
    assert f'id="row-{ROWS_MAX}"' not in full.text
    assert designer.post({**designer.form("check", most), **over}).status_code == 413


def test_the_address_works_once(begin: Begin) -> None:
    designer = begin(sheet(LAYER))
    stranger = Designer(designer.pages)
    again = stranger.get("/enter?ticket=")
    designer.pages.ticket = "a"

    assert again.status_code == 403
    assert stranger.get("/enter?ticket=b").status_code == 403
    assert stranger.get("/enter?ticket=%C3%A4").status_code == 403
    assert stranger.get("/").status_code == 403
    assert stranger.post(designer.form("save", sheet(LAYER))).status_code == 403
    assert not designer.pages.file.exists()
    entered = stranger.enter()
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    assert "HttpOnly" in entered.headers["set-cookie"]
    assert designer.get("/").status_code == stranger.get("/").status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "127.0.0.1:1"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
    ],
)
def test_other_sites_and_names_get_and_change_nothing(
    begin: Begin, headers: dict[str, str]
) -> None:
    designer = begin(sheet(LAYER))

    assert designer.get("/", **headers).status_code == 403
    assert designer.get("/enter?ticket=x", **headers).status_code == 403
    assert designer.post(designer.form("save", sheet(LAYER)), **headers).status_code == 403
    assert not designer.pages.file.exists()


@pytest.mark.parametrize("token", ["", "x", "ä"])
def test_a_form_that_was_not_handed_out_saves_nothing(begin: Begin, token: str) -> None:
    designer = begin(sheet(LAYER))

    answer = designer.post({**designer.form("save", sheet(LAYER)), "token": token})

    assert answer.status_code == 403
    assert not designer.pages.file.exists()


def test_too_much_is_refused(begin: Begin) -> None:
    designer = begin(sheet(LAYER))
    fields = {f"x{number}": "" for number in range(ROWS_MAX * len(FIELDS) + 17)}

    assert designer.post({"x": "x" * BODY_MAX}).status_code == 413
    assert designer.post(fields).status_code == 413


def test_what_is_saved_is_a_sound_draft_and_may_be_saved_again(begin: Begin) -> None:
    designer = begin(sheet(LAYER))
    new = {"group-1": "qa", "name-1": "inspection", "type-1": "text", "value-1": "each <part>"}

    first = designer.post(
        designer.form("save", sheet(LAYER), **new, **{"class-1": "core", "criticality-1": "major"})
    )
    file = designer.pages.file
    file.chmod(0o600)
    shown = designer.get("/?saved=1")
    second = designer.post(designer.form("save", read_sheet(file.read_bytes()), recipe="Ours"))

    assert (first.status_code, first.headers["location"]) == (303, "/?saved=1")
    assert "guildmark recipe publish" in shown.text
    assert "each &lt;part&gt;" in shown.text
    assert second.status_code == 303
    assert (read_either(file.read_bytes()).name, lint(file.read_bytes())) == ("Ours", ())
    assert file.stat().st_mode & 0o777 == 0o600


def test_bad_input_stays_as_typed_and_is_not_saved(begin: Begin) -> None:
    designer = begin(sheet(LAYER))
    typed = {"min-0": '0,15"><b>', "class-0": "windows", "recipe": "<Mine>"}

    answer = designer.post(designer.form("save", sheet(LAYER), **typed))

    assert answer.status_code == 422
    assert 'value="0,15&#34;&gt;&lt;b&gt;"' in answer.text
    assert '<option value="windows" selected>windows</option>' in answer.text
    assert 'aria-describedby="why-min-0" aria-invalid="true"' in answer.text
    assert "no decimal string" in unescape(answer.text)
    assert "<b>" not in answer.text
    assert not designer.pages.file.exists()


def test_rows_are_added_and_removed_and_blank_ones_do_not_count(begin: Begin) -> None:
    designer = begin(sheet(LAYER, COLOUR))

    longer = designer.post(designer.form("add", sheet(LAYER, COLOUR)))
    shorter = designer.post(designer.form("remove-0", sheet(LAYER, COLOUR)))
    blank = {"class-7": "core", "type-7": "quantity", "criticality-7": "major", "name-7": " "}
    saved = designer.post(designer.form("save", sheet(LAYER), **blank))

    assert 'name="name-2" value="" ' in longer.text
    assert longer.text.count(" autofocus") == 1
    assert "nothing found" in longer.text
    assert "/material/colour" not in shorter.text
    assert "/process/layer_height" in shorter.text
    assert saved.status_code == 303
    assert len(read_either(designer.pages.file.read_bytes()).clauses) == 1


def test_what_somebody_else_wrote_is_not_replaced_unseen(begin: Begin) -> None:
    designer = begin(sheet(LAYER))
    form, file = designer.form("save", sheet(LAYER)), designer.pages.file
    file.write_bytes(draft(COLOUR))

    clash = designer.post(form)

    assert clash.status_code == 409
    assert "was changed since this form was opened" in clash.text
    assert file.read_bytes() == draft(COLOUR)
    (seen,) = re.findall(r'name="seen" value="([0-9a-f]+)"', clash.text)
    assert designer.post({**form, "seen": seen}).status_code == 303
    file.write_bytes(b"{")
    assert designer.get("/").status_code == 422


def test_a_disk_that_refuses_keeps_what_was_typed(begin: Begin) -> None:
    designer = begin(sheet(LAYER))
    designer.pages.file = designer.pages.file.parent / "none" / "recipe.json"

    answer = designer.post(designer.form("save", sheet(LAYER), recipe="Kept"))

    assert answer.status_code == 422
    assert "cannot be written" in answer.text
    assert 'value="Kept"' in answer.text


def test_changes_are_told_by_clause_with_their_class(begin: Begin) -> None:
    designer = begin(sheet(LAYER), before=read_either(draft(COLOUR, LAYER)).clauses)

    narrower = designer.post(designer.form("check", sheet(LAYER, COLOUR), **{"min-1": "0.2"}))
    wider = designer.post(designer.form("check", sheet(LAYER, COLOUR), **{"max-1": "0.3"}))
    same = designer.post(designer.form("check", sheet(LAYER, COLOUR)))
    broken = designer.post(designer.form("check", sheet(LAYER, COLOUR), **{"max-1": "x"}))

    assert "Change: minor" in narrower.text
    assert "before: window from 0.15 to 0.25 in mm" in narrower.text
    assert "after: window from 0.2 to 0.25 in mm" in narrower.text
    assert "Change: requalify" in wider.text
    assert "Change: editorial" in same.text
    assert "No clause differs" in same.text
    assert "told once nothing is refused" in broken.text


def test_pages_run_no_script_and_load_their_own_styles_alone(begin: Begin) -> None:
    designer = begin(sheet(LAYER))
    page = designer.get("/")

    assert "default-src 'none'; style-src 'self'" in page.headers["content-security-policy"]
    # A browser names no origin to a form of a page that forbids every referrer.
    assert page.headers["referrer-policy"] == "same-origin"
    assert "<script" not in page.text
    assert designer.get("/static/agent.css").status_code == 200


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return the applications that would be served."""
    found: list[Any] = []

    class Server:
        def __init__(self, application: Any) -> None:
            self.application = application

        def run(self, sockets: list[Any]) -> None:
            assert len(sockets) == 1
            found.append(self.application)

    monkeypatch.setattr(serving, "server", Server)
    return found


@pytest.mark.enable_socket
def test_the_command_prints_an_address_that_works_once(
    speak: Speak, tmp_path: Path, served: list[Any]
) -> None:
    file, old = tmp_path / "recipe.json", tmp_path / "old.json"
    old.write_bytes(draft(COLOUR))

    said = speak(*("recipe", "edit", file, "--template", "cnc", "--against", old, "--json"))
    url = httpx.URL(said.json["url"])
    answer = Client(served[0]).get(url.raw_path.decode(), headers={"Host": url.netloc.decode()})

    assert (said.exit, said.json["file"]) == (0, str(file))
    assert url.host == "127.0.0.1"
    assert answer.status_code == 303
    assert not file.exists()


@pytest.mark.enable_socket
def test_the_command_begins_from_a_file_and_keeps_salts(
    speak: Speak, tmp_path: Path, served: list[Any]
) -> None:
    plain, salted, out = (tmp_path / f"{name}.json" for name in ("plain", "salted", "out"))
    plain.write_bytes(draft(LAYER))
    clauses = [{**LAYER, "salt": "0x" + "11" * 32}]
    document = {"type": DOCUMENT_TYPE, "name": "n", "clauses": clauses}
    salted.write_text(json.dumps(document))

    assert speak("recipe", "edit", plain).out.startswith("http://127.0.0.1:")
    assert speak("recipe", "edit", salted, "--json").json["code"] == "cli.saltsLost"
    assert speak("recipe", "edit", salted, "--out", out, "--json").json["file"] == str(out)
    assert len(served) == 2


def test_the_command_names_what_it_cannot_begin_with(speak: Speak, tmp_path: Path) -> None:
    file, missing = tmp_path / "recipe.json", tmp_path / "none.json"
    file.write_bytes(draft({**LAYER, "more": "1"}))

    def code(*words: object) -> str:
        return str(speak("recipe", "edit", *words, "--json").json["code"])

    assert code(missing) == "cli.formSource"
    assert code(file, "--template", "fdm") == "cli.outputExists"
    assert code(missing, "--template", "fdm", "--out", file) == "cli.outputExists"
    assert code(file) == "recipe.formUnfit"
