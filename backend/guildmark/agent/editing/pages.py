"""The form's page: what is typed stays until it is saved, and no key is ever used.

Whoever opens the address that was printed is known from then on by a cookie; the address works
once. The form itself is all that is kept between two requests.
"""

import hmac
import secrets
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from guildmark.adapters.files import create_durably, write_durably
from guildmark.agent.editing.sheet import (
    FIELDS,
    NEW_ROW,
    ROWS_MAX,
    Finding,
    Judged,
    Row,
    Sheet,
    judge,
    read_sheet,
    typed_sheet,
)
from guildmark.agent.local import Answer, Door, html, read_body, refused, style
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.errors import ConflictError, GuildmarkError, UsageError
from guildmark.domain.recipes.clause import Clause, ClauseClass, ClauseType, Criticality
from guildmark.domain.recipes.differing import change_of, differences, in_words
from guildmark.domain.recipes.drafts import write_draft
from guildmark.domain.recipes.quantity import UCUM_CODES
from guildmark.domain.recipes.recipe import GROUPS, RecipeDocument

BODY_MAX = 8 << 20
_FIELDS_MAX = ROWS_MAX * len(FIELDS) + 16
_SECRET_SIZE = 32
_CHOICES: Mapping[str, Sequence[str]] = {
    "group": GROUPS,
    "class": [one.name.lower() for one in ClauseClass],
    "type": [one.name.lower() for one in ClauseType],
    "criticality": [one.name.lower() for one in Criticality],
}
_TOO_MUCH = "That is too much."


class FileChangedError(ConflictError):
    """A recipe's file is not as it was when its form was opened."""

    code = "recipe.fileChanged"
    hint = "Save once more to replace it, or load the page again to begin from the file."


class FileUnwritableError(UsageError):
    """A recipe's file cannot be written."""

    code = "recipe.fileUnwritable"
    hint = "Make room, or end the form and name another file with --out."


def _secret() -> str:
    return secrets.token_hex(_SECRET_SIZE)


@dataclass(slots=True, kw_only=True)
class Pages:
    """The pages over one file.

    Args:
        file: Where the recipe is saved.
        start: What to begin with while there is no such file.
        before: The clauses of the version to compare with, none where none is named.
        door: Who is let in.
        ticket: What the printed address holds; used up by its first use.
    """

    file: Path
    start: Sheet
    before: Sequence[Clause] | None
    door: Door
    ticket: str | None = field(default_factory=_secret, repr=False)
    _session: str = field(init=False, default_factory=_secret, repr=False)

    def application(self) -> Starlette:
        """Return what a server runs."""
        guarded = self.door.guarded
        return Starlette(
            routes=[
                Route("/enter", guarded(self._enter)),
                Route("/", guarded(self._known(self._show))),
                Route("/edit", guarded(self._known(self._edit)), methods=["POST"]),
                Route("/static/{name}", guarded(style)),
            ]
        )

    def _known(self, answer: Answer) -> Answer:
        async def known(request: Request) -> Response:
            shown = request.cookies.get(self._cookie, "")
            if not hmac.compare_digest(shown.encode(), self._session.encode()):
                return refused("Open the address that was printed.")
            return await answer(request)

        return known

    @property
    def _cookie(self) -> str:
        # Cookies know no ports: forms that are open side by side have names of their own.
        return f"guildmark-form-{sha256(self._session.encode()).hex()[:16]}"

    async def _enter(self, request: Request) -> Response:
        shown = request.query_params.get("ticket", "").encode()
        if self.ticket is None or not hmac.compare_digest(shown, self.ticket.encode()):
            return refused("This address was used already: start the form anew.")
        self.ticket = None
        response = RedirectResponse("/", HTTPStatus.SEE_OTHER)
        response.set_cookie(self._cookie, self._session, httponly=True, samesite="lax")
        return response

    async def _show(self, request: Request) -> Response:
        return await run_in_threadpool(self._opened, is_saved="saved" in request.query_params)

    def _opened(self, *, is_saved: bool) -> Response:
        try:
            data = self._present()
            sheet = self.start if data is None else read_sheet(data)
        except GuildmarkError as error:
            text = f"{error.message} {error.next_step}"
            return PlainTextResponse(text, HTTPStatus.UNPROCESSABLE_ENTITY)
        return self._page(sheet, _seen(data), is_saved=is_saved)

    async def _edit(self, request: Request) -> Response:
        body = await read_body(request, BODY_MAX)
        form = None if body is None else _form(body)
        if form is None:
            return PlainTextResponse(_TOO_MUCH, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        if not self.door.handed_out(form.get("token", "").encode()):
            return refused("This form is old: load the page again.")
        return await run_in_threadpool(self._changed, form)

    def _changed(self, form: Mapping[str, str]) -> Response:
        sheet, wish = typed_sheet(form), form.get("do", "")
        if sheet is None:
            return PlainTextResponse(_TOO_MUCH, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        if wish == "save":
            return self._saved(sheet, form.get("seen", ""))
        if wish == "add" and len(sheet.rows) < ROWS_MAX:
            sheet = replace(sheet, rows=(*sheet.rows, NEW_ROW))
        rows = [row for number, row in enumerate(sheet.rows) if wish != f"remove-{number}"]
        sheet = replace(sheet, rows=tuple(rows))
        return self._page(sheet, form.get("seen", ""), is_longer=wish == "add")

    def _saved(self, sheet: Sheet, seen: str) -> Response:
        document = judge(sheet).document
        if document is None:
            return self._page(sheet, seen, status=HTTPStatus.UNPROCESSABLE_ENTITY)
        try:
            self._write(document, seen)
        except FileChangedError as error:
            now = _seen(self._present())
            return self._page(sheet, now, problem=error, status=HTTPStatus.CONFLICT)
        except FileUnwritableError as error:
            status = HTTPStatus.UNPROCESSABLE_ENTITY
            return self._page(sheet, seen, problem=error, status=status)
        return RedirectResponse("/?saved=1", HTTPStatus.SEE_OTHER)

    def _present(self) -> bytes | None:
        return self.file.read_bytes() if self.file.exists() else None

    def _write(self, document: RecipeDocument, seen: str) -> None:
        """Replace the file that the form was made from, and no other.

        Raises:
            FileChangedError: Somebody else wrote to it since.
            FileUnwritableError: The disk refuses.
        """
        data = write_draft(document.name, document.clauses).encode()
        try:
            self._replace(data, seen)
        except FileExistsError as exc:
            message = f"{self.file} was changed since this form was opened."
            raise FileChangedError(message, file=str(self.file)) from exc
        except OSError as exc:
            message = f"{self.file} cannot be written: {exc.strerror}."
            raise FileUnwritableError(message, file=str(self.file)) from exc

    def _replace(self, data: bytes, seen: str) -> None:
        if _seen(self._present()) != seen:
            raise FileExistsError
        if seen:
            write_durably(self.file, data, mode=stat.S_IMODE(self.file.stat().st_mode))
        else:
            create_durably(self.file, data)

    def _page(
        self,
        sheet: Sheet,
        seen: str,
        *,
        status: HTTPStatus = HTTPStatus.OK,
        problem: GuildmarkError | None = None,
        is_saved: bool = False,
        is_longer: bool = False,
    ) -> Response:
        judged = judge(sheet)
        page = {
            "recipe": sheet.name,
            "file": str(self.file),
            "token": self.door.token,
            "seen": seen,
            "is_saved": is_saved,
            "is_longer": is_longer,
            "is_full": len(sheet.rows) >= ROWS_MAX,
            "problem": None if problem is None else f"{problem.message} {problem.next_step}",
            "is_refused": judged.document is None,
            "whole": [one for one in judged.findings if one.row is None],
            "rows": [_row(number, row, judged) for number, row in enumerate(sheet.rows)],
            "count": len(judged.findings),
            "choices": _CHOICES,
            "units": sorted(UCUM_CODES),
            "difference": self._difference(judged.document),
        }
        return html("recipe.html", page, status)

    def _difference(self, document: RecipeDocument | None) -> Mapping[str, Any] | None:
        if self.before is None:
            return None
        if document is None:
            return {"change": None, "rows": []}
        found = tuple(differences(self.before, document.clauses))
        rows = [
            {
                "path": one.path,
                "what": one.kind.value,
                "change": one.change.name.lower(),
                "before": in_words(one.before),
                "after": in_words(one.after),
            }
            for one in found
        ]
        return {"change": change_of(found).name.lower(), "rows": rows}


def _row(number: int, row: Row, judged: Judged) -> Mapping[str, Any]:
    own = [one for one in judged.findings if one.row == number]

    def at(field: str | None) -> Sequence[Finding]:
        return [one for one in own if one.field == field]

    return {
        "number": number,
        "path": row.path,
        "is_text": row["type"] != "quantity",
        "texts": {name: row[name] for name in FIELDS},
        "findings": {name: at(name) for name in FIELDS},
        "whole": at(None),
        "count": len(own),
    }


def _seen(data: bytes | None) -> str:
    """Return what names a file's content, nothing where there is no file."""
    return "" if data is None else sha256(data).hex()


def _form(body: bytes) -> Mapping[str, str] | None:
    """Return a form's texts by name, None where it has more fields than any that was handed out."""
    text = body.decode("ascii", "replace")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_FIELDS_MAX)
    except ValueError:
        return None
    return dict(pairs)
