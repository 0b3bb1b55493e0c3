"""The agent's page: what stands, and what people add before a job is signed.

It changes nothing for forms that it did not hand out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.parser import BytesParser
from email.policy import HTTP
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from guildmark.agent.local import Door, html, read_body, refused, style
from guildmark.domain.builds.predicate import Measurement
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.recipes.clause import ClausePath
from guildmark.domain.shopfloor.fieldwork import Job, JobState, SignedState
from guildmark.outfit import Agent
from guildmark.services.shopfloor.fieldreport import overview
from guildmark.services.shopfloor.watching import Addition, JobUnknownError

BODY_MAX = 20 << 20
_MEASURED = ("path", "value", "unit", "instrument")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """The pages over one agent.

    Args:
        agent: The agent.
        door: Who is let in.
    """

    agent: Agent
    door: Door

    def application(self) -> Starlette:
        """Return what a server runs."""
        guarded = self.door.guarded
        return Starlette(
            routes=[
                Route("/", guarded(self._overview)),
                Route("/load", guarded(self._load), methods=["POST"]),
                Route("/job", guarded(self._job)),
                Route("/job/add", guarded(self._add), methods=["POST"]),
                Route("/job/sign", guarded(self._sign), methods=["POST"]),
                Route("/job/scrap", guarded(self._scrap), methods=["POST"]),
                Route("/static/{name}", guarded(style)),
            ]
        )

    async def _overview(self, _: Request) -> Response:
        return html("overview.html", await run_in_threadpool(self._stand))

    async def _load(self, request: Request) -> Response:
        form = await self._own_form(request)
        if isinstance(form, Response):
            return form
        try:
            await run_in_threadpool(self._loaded, request.query_params.get("machine", ""), form)
        except GuildmarkError as error:
            page = {**await run_in_threadpool(self._stand), "problem": _told(error)}
            return html("overview.html", page, HTTPStatus.UNPROCESSABLE_ENTITY)
        return RedirectResponse("/", HTTPStatus.SEE_OTHER)

    def _loaded(self, machine: str, form: Mapping[str, bytes]) -> None:
        post = self.agent.settings.watch(machine).post
        self.agent.watching.load(post.name, _lots(form) or ())

    def _stand(self) -> Mapping[str, object]:
        agent = self.agent
        aside = {one.post.name: agent.refused_reports(one) for one in agent.settings.watches}
        posts = [one.post for one in agent.settings.watches]
        with agent.store.reading() as view:
            held = view.jobs(JobState.HELD)
        return {
            "token": self.door.token,
            "problem": None,
            "machines": [
                {
                    "standing": one,
                    "load": f"/load?{urlencode({'machine': one.name})}",
                    "aside": [_told(reports.error()) for reports in aside[one.name]],
                }
                for one in overview(agent.store, posts, now=agent.clock.now())
            ],
            "held": [
                {
                    "job": job.job,
                    "machine": job.machine,
                    "pieces": len(job.pieces),
                    "href": _address("/job", job.machine, job.job),
                }
                for job in held
            ],
        }

    async def _job(self, request: Request) -> Response:
        return await self._shown(request, None)

    async def _shown(self, request: Request, problem: GuildmarkError | None) -> Response:
        machine, job = _named(request)
        found = await run_in_threadpool(self._find, machine, job)
        if found is None:
            error = JobUnknownError(f"{machine} has no job {job[:80]!r}.")
            return PlainTextResponse(error.message, HTTPStatus.NOT_FOUND)
        status = HTTPStatus.OK if problem is None else HTTPStatus.UNPROCESSABLE_ENTITY
        return html("job.html", self._page(found, problem), status)

    def _find(self, machine: str, job: str) -> Job | None:
        with self.agent.store.reading() as view:
            return view.job(machine, job)

    def _page(self, job: Job, problem: GuildmarkError | None) -> Mapping[str, object]:
        return {
            "job": job.job,
            "machine": job.machine,
            "state": job.state.value,
            "is_held": job.state is JobState.HELD,
            "may_be_scrap": self._may_be_scrap(job),
            "is_scrap": job.scrap is not None,
            "ended": _time(job.finished_at),
            "file": job.file_name or "-",
            "files": len(job.files),
            "technician": job.technician or "",
            "note": job.note or "",
            "lots": "\n".join(job.lots),
            "pieces": [
                {"number": n, "conforming": one.conforming, "measurements": one.measurements}
                for n, one in enumerate(job.pieces, start=1)
            ],
            "token": self.door.token,
            "add": _address("/job/add", job.machine, job.job),
            "sign": _address("/job/sign", job.machine, job.job),
            "scrap": _address("/job/scrap", job.machine, job.job),
            "problem": None if problem is None else _told(problem),
        }

    def _may_be_scrap(self, job: Job) -> bool:
        with self.agent.store.reading() as view:
            rows = view.signed_of(job.machine, job.job)
        is_refused = any(row.state is SignedState.REFUSED and not row.is_scrap for row in rows)
        return is_refused or job.state in {JobState.HELD, JobState.STOPPED}

    async def _add(self, request: Request) -> Response:
        return await self._changed(request, self._take)

    async def _sign(self, request: Request) -> Response:
        def release(machine: str, job: str, _: Mapping[str, bytes]) -> None:
            self.agent.watching.release(machine, job)

        return await self._changed(request, release)

    async def _scrap(self, request: Request) -> Response:
        def scrap(machine: str, job: str, form: Mapping[str, bytes]) -> None:
            post = self.agent.settings.watch(machine).post
            self.agent.attesting.scrap(post, job, _text(form, "reason") or "")

        return await self._changed(request, scrap)

    async def _changed(
        self, request: Request, change: Callable[[str, str, Mapping[str, bytes]], None]
    ) -> Response:
        form = await self._own_form(request)
        if isinstance(form, Response):
            return form
        machine, job = _named(request)
        try:
            await run_in_threadpool(change, machine, job, form)
        except GuildmarkError as error:
            return await self._shown(request, error)
        return RedirectResponse(_address("/job", machine, job), HTTPStatus.SEE_OTHER)

    async def _own_form(self, request: Request) -> Mapping[str, bytes] | Response:
        """Return a form that these pages handed out, or the answer to another one."""
        body = await read_body(request, BODY_MAX)
        if body is None:
            return PlainTextResponse("That is too much.", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        form = _form(request.headers.get("content-type", ""), body)
        if not self.door.handed_out(form.get("token", b"")):
            return refused("This form is old: load the page again.")
        return form

    def _take(self, machine: str, job: str, form: Mapping[str, bytes]) -> None:
        watching = self.agent.watching
        own = Addition(
            technician=_text(form, "technician"), note=_text(form, "note"), lots=_lots(form)
        )
        found = watching.add(machine, job, own)
        for number in range(1, len(found.pieces) + 1):
            watching.add(machine, job, _of_piece(form, number))
        if form.get("file"):
            title = f"photo/{len(found.files) + 1}"
            watching.attach(machine, job, *self.agent.storing.encrypted(title, form["file"]))


def _form(media_type: str, body: bytes) -> Mapping[str, bytes]:
    """Return a form's values by name; a file is its bytes."""
    if not media_type.startswith("multipart/form-data"):
        pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)
        return {name: value.encode() for name, value in pairs}
    head = f"Content-Type: {media_type}\r\n\r\n".encode("latin-1", "replace")
    found: dict[str, bytes] = {}
    for part in BytesParser(policy=HTTP).parsebytes(head + body).walk():
        name: Any = part.get_param("name", header="content-disposition")
        value: Any = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(value, bytes):
            found[name] = value
    return found


def _of_piece(form: Mapping[str, bytes], number: int) -> Addition:
    judged = {"pass": True, "fail": False}.get(_text(form, f"judged-{number}") or "")
    values = [_text(form, f"{name}-{number}") for name in _MEASURED]
    path, value, unit, instrument = (text or "" for text in values)
    measured = (
        (
            Measurement(
                characteristic=ClausePath(path), value=value, unit=unit, instrument=instrument
            ),
        )
        if value
        else ()
    )
    return Addition(piece=number - 1, conforming=judged, measurements=measured)


def _lots(form: Mapping[str, bytes]) -> tuple[str, ...] | None:
    """Return the lots of a form, one a line; None where it does not ask for any."""
    if "lots" not in form:
        return None
    lines = (line.strip() for line in (_text(form, "lots") or "").splitlines())
    return tuple(line for line in lines if line)


def _text(form: Mapping[str, bytes], name: str) -> str | None:
    return form.get(name, b"").decode("utf-8", "replace").strip() or None


def _told(problem: GuildmarkError) -> str:
    return f"{problem.message} {problem.next_step}"


def _named(request: Request) -> tuple[str, str]:
    query = request.query_params
    return query.get("machine", ""), query.get("job", "")


def _address(path: str, machine: str, job: str) -> str:
    return f"{path}?{urlencode({'machine': machine, 'job': job})}"


def _time(seconds: int | None) -> str:
    if not seconds:
        return "-"
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
