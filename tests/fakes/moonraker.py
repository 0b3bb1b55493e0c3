"""A double of Moonraker's history and files, as version 0.11 answers."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import httpx

GCODE = b"G28\nM104 S210\nG1 Z0.2\nG1 X10 E1 F1200\n"


def _data(data: bytes) -> Callable[[], httpx.Response]:
    return lambda: httpx.Response(200, stream=httpx.ByteStream(data))


SPOILINGS: Mapping[str, Callable[[], httpx.Response]] = MappingProxyType(
    {
        "half": _data(b'{"result": {"jobs": [{"job_id"'),
        "empty": _data(b'{"result": null}'),
        "texts": _data(b'{"result": {"jobs": ["none"]}}'),
        "unnumbered": _data(
            b'{"result": {"jobs": [{"job_id": "last", "start_time": 1.5, "status": "",'
            b' "filename": ""}]}}'
        ),
        "large": _data(bytes((8 << 20) + 1)),
        "elsewhere": lambda: httpx.Response(302, headers={"Location": "http://127.0.0.1:1/"}),
        "closed": lambda: httpx.Response(401),
        "broken": lambda: httpx.Response(503),
    }
)


@dataclass(slots=True)
class MoonrakerDouble:
    now: float = 1_800_000_000.0
    jobs: list[dict[str, Any]] = field(default_factory=list)
    answer: Callable[[], httpx.Response] | None = None
    asked: list[httpx.Request] = field(default_factory=list)
    files: set[str] = field(default_factory=lambda: {"parts/bracket.gcode"})
    is_away: bool = False

    def begin(self) -> None:
        number = 1 + max((int(job["job_id"], 16) for job in self.jobs), default=0)
        self.jobs.append(
            {
                "job_id": f"{number:06X}",
                "filename": "parts/bracket.gcode",
                "status": "in_progress",
                "start_time": self.now + 0.25,
                "end_time": None,
                "metadata": {"layer_height": 0.2},
            }
        )

    def end(self, status: str = "completed") -> None:
        self.jobs[-1] |= {"status": status, "end_time": self.now + 0.5}

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.is_away:
            message = "connection refused"
            raise httpx.ConnectError(message)
        if self.answer is not None:
            return self.answer()
        path = request.url.path
        if path == "/server/history/list":
            start, limit = int(request.url.params["start"]), int(request.url.params["limit"])
            rows = sorted(self.jobs, key=lambda job: -int(job["job_id"], 16))[start:][:limit]
            return self._say({"count": len(rows), "jobs": rows})
        if path == "/printer/objects/query":
            return self._say({"status": {"extruder": {"temperature": 209.5, "target": 210.0}}})
        if path.removeprefix("/server/files/gcodes/") in self.files:
            return _data(GCODE)()
        return httpx.Response(404)

    @staticmethod
    def _say(result: Any) -> httpx.Response:
        return _data(json.dumps({"result": result}).encode())()
