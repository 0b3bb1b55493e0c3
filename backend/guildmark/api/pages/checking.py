"""The page on which people check a part: a typed link or serial, a photo of its code, a scan."""

import io
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from threading import BoundedSemaphore
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from guildmark.adapters.labels import photos
from guildmark.api.bodies import whole
from guildmark.api.errors import MediaTypeError
from guildmark.api.frame import CHECKING_HEADERS
from guildmark.api.pages.finding import path_of_typed
from guildmark.api.pages.problem import ProblemPage, problem_page
from guildmark.api.pages.rendering import render
from guildmark.api.problems import HEADERS_OF_STATUS, status_of
from guildmark.api.serving import Node, ServedNode
from guildmark.domain.errors import GuildmarkError, MalformedError, UncheckableError, UsageError
from guildmark.domain.labels.typed import TYPED_MAX

router = APIRouter()

PICTURE_MAX = 16 << 20
# Beside the picture: boundaries, and what a browser says of the file.
_BODY_MAX = PICTURE_MAX + (4 << 10)
_PARTS_MAX = 4
_FORM = re.compile(r'multipart/form-data; *boundary=("?)([!#-~]{1,70}?)\1', re.IGNORECASE)
_PICTURE = re.compile(rb';\s*name="picture"', re.IGNORECASE)
_READERS = 2


class FormMalformedError(MalformedError):
    """A form's body that does not follow its framing."""

    code = "http.formMalformed"
    hint = "Send the form of the page /verify as a browser does."


class PictureMissingError(UsageError):
    """A form without a picture."""

    code = "picture.missing"
    hint = "Choose a photo of the code first."


class ReadersBusyError(UncheckableError):
    """The node reads pictures of others all the time."""

    code = "picture.readersBusy"
    hint = "Try again in a while, or type what stands below the code."


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPage:
    """Everything that the template shows.

    Args:
        typed: What was typed, to be corrected.
        problem: Why that led nowhere, None where nothing was asked yet.
        reads_pictures: Whether this node reads codes from photos.
    """

    typed: str = ""
    problem: ProblemPage | None = None
    reads_pictures: bool = field(default_factory=photos.is_installed)


@dataclass(slots=True)
class Readers:
    """Reads pictures for who asks, a few at a time.

    Args:
        patience: How many seconds somebody waits for his turn.
        count: How many pictures are read at the same time.
    """

    patience: float = 20.0
    count: int = _READERS
    _turns: BoundedSemaphore = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._turns = BoundedSemaphore(self.count)

    def code_in(self, picture: bytes) -> str:
        """Return the text of a picture's QR code.

        Raises:
            UsageError: The picture has none that can be read; see ``adapters.labels.refusals``.
            ReadersBusyError: Others' pictures are read all the time.
        """
        if not self._turns.acquire(timeout=self.patience):
            message = "This node reads the pictures of others."
            raise ReadersBusyError(message)
        try:
            return photos.code_in(io.BytesIO(picture))
        finally:
            self._turns.release()


_READING = Readers()

_Typed = Annotated[str | None, Query(max_length=4 * TYPED_MAX)]


@router.get("/verify")
def check(node: Node, request: Request, q: _Typed = None) -> Response:
    """Return the page on which a part is named, or go to the page of what was typed."""
    return _shown(node) if q is None else _led(node, q, request)


@router.post("/verify")
async def check_picture(node: Node, request: Request) -> Response:
    """Go to the page of the part whose code is in a picture; the picture is not kept."""
    try:
        declared = request.headers.get("content-type", "")
        boundary = _boundary(declared)
        body = await whole(request, _BODY_MAX)
        return await to_thread.run_sync(_read, node, body, boundary, request)
    except GuildmarkError as error:
        return _refused(node, error)


def _read(node: ServedNode, body: bytes, boundary: bytes, request: Request) -> Response:
    return _led(node, _READING.code_in(picture_in(body, boundary)), request)


def _led(node: ServedNode, text: str, request: Request) -> Response:
    try:
        return RedirectResponse(path_of_typed(node, text, request), HTTPStatus.SEE_OTHER)
    except GuildmarkError as error:
        return _refused(node, error, typed=text)


def _boundary(declared: str) -> bytes:
    found = _FORM.fullmatch(declared.strip())
    if found is None:
        message = f"The body is {declared[:80]!a}, expected multipart/form-data with a boundary."
        raise MediaTypeError(message, expected="multipart/form-data")
    return found[2].encode("ascii")


def picture_in(body: bytes, boundary: bytes) -> bytes:
    """Return the file in a form's field ``picture`` (RFC 7578).

    Raises:
        FormMalformedError: The body does not follow its framing.
        PictureMissingError: There is no such file, or an empty one.
    """
    _, *parts = (b"\r\n" + body).split(b"\r\n--" + boundary, _PARTS_MAX)
    if not parts or not parts[-1].startswith(b"--"):
        message = "The form's body does not end with its boundary."
        raise FormMalformedError(message)
    for part in parts[:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        if _PICTURE.search(head) and content:
            return content
    message = "The form has no picture."
    raise PictureMissingError(message)


def _refused(node: ServedNode, error: GuildmarkError, *, typed: str = "") -> Response:
    status = status_of(error)
    page = CheckPage(typed=typed[:TYPED_MAX], problem=problem_page(error))
    answer = _shown(node, page, status=status)
    answer.headers.update(HEADERS_OF_STATUS.get(status, {}))
    return answer


def _shown(
    node: ServedNode, page: CheckPage | None = None, *, status: HTTPStatus = HTTPStatus.OK
) -> Response:
    html = render("verify.html", page or CheckPage(), host=node.judging.host)
    return HTMLResponse(html, status_code=status, headers=dict(CHECKING_HEADERS))
