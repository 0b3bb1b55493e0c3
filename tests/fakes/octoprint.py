"""A double of OctoPrint's REST API: the parts of it that are asked, as version 1.11 answers."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import httpx

KEY = "k" * 32
GCODE = b"G28\nM104 S210\nG1 Z0.2\nG1 X10 E1 F1200\n"


def _bomb(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, content=b"[" * 100_000)


SPOILINGS: Mapping[str, Callable[[httpx.Request], httpx.Response]] = MappingProxyType(
    {
        "half": lambda _: httpx.Response(200, content=b'{"files": [{"type": "machi'),
        "deep": _bomb,
        "list": lambda _: httpx.Response(200, content=b"[]"),
        "large": lambda _: httpx.Response(200, content=bytes((8 << 20) + 1)),
        "twice": lambda _: httpx.Response(200, content=b'{"files": [], "files": []}'),
        "elsewhere": lambda _: httpx.Response(302, headers={"Location": "http://127.0.0.1:1/"}),
        "packed": lambda _: httpx.Response(
            200, headers={"Content-Encoding": "x-pack"}, content=b""
        ),
        "closed": lambda _: httpx.Response(403),
        "absent": lambda _: httpx.Response(404),
        "broken": lambda _: httpx.Response(502),
        "texts": lambda _: httpx.Response(200, content=b'{"files": "none"}'),
    }
)


@dataclass(slots=True)
class OctoPrintDouble:
    """One printer with one file, and a clock of its own."""

    now: float = 1_800_000_000.0
    monotonic: float = 0.0
    spent: int | None = None
    state: str = "Operational"
    path: str = "parts/bracket.gcode"
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    content: bytes = GCODE
    answer: Callable[[httpx.Request], httpx.Response] | None = None
    asked: list[httpx.Request] = field(default_factory=list)
    is_away: bool = False

    def __post_init__(self) -> None:
        self.upload(self.path)

    def upload(self, path: str, content: str = "00ff") -> None:
        self.files[path] = {
            "type": "machinecode",
            "origin": "local",
            "path": path,
            "name": path,
            "hash": content,
            "date": int(self.now),
        }

    def begin(self) -> None:
        self.state, self.spent = "Printing", 0

    def end(self, *, is_good: bool = True) -> None:
        prints = self.files[self.path].setdefault("prints", {"success": 0, "failure": 0})
        prints["success" if is_good else "failure"] += 1
        prints["last"] = {"date": self.now + 0.25, "success": is_good}
        self.state, self.spent = "Operational", None

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.is_away:
            message = "connection refused"
            raise httpx.ConnectError(message)
        if self.answer is not None:
            return self.answer(request)
        if request.headers.get("X-Api-Key") != KEY:
            return httpx.Response(403)
        pages: Mapping[str, Callable[[], Any]] = {
            "/api/job": self._job,
            "/api/files": self._listing,
            "/api/printer": self._printer,
        }
        if request.url.path in pages:
            return httpx.Response(200, content=json.dumps(pages[request.url.path]()).encode())
        path = request.url.path.removeprefix("/downloads/files/local/")
        if path in self.files:
            return httpx.Response(200, content=self.content)
        return httpx.Response(404)

    def _job(self) -> Any:
        path = None if self.state == "Operational" else self.path
        return {
            "job": {"file": {"path": path, "origin": "local"}},
            "progress": {"printTime": self.spent, "completion": 1.3e-05},
            "state": self.state,
        }

    def _listing(self) -> Any:
        folder = {"type": "folder", "path": "parts", "children": list(self.files.values())}
        return {"files": [folder, {"type": "model"}], "free": 1}

    def _printer(self) -> Any:
        tool = {"actual": 209.87, "target": 210.0, "offset": 0}
        return {"temperature": {"tool0": tool, "bed": {"actual": None}, "history": []}}
