"""A double of PrusaLink's API, written from the description of PrusaLink Web 1.0.0-draft."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import httpx

KEY = "p" * 16
GCODE = b"G28\nM104 S210\nG1 Z0.2\nG1 X10 E1 F1200\n"


def _data(data: bytes) -> Callable[[], httpx.Response]:
    return lambda: httpx.Response(200, stream=httpx.ByteStream(data))


SPOILINGS: Mapping[str, Callable[[], httpx.Response]] = MappingProxyType(
    {
        "half": _data(b'{"printer": {"state"'),
        "list": _data(b"[]"),
        "texts": _data(b'{"job": "none", "printer": {}}'),
        "unnumbered": _data(b'{"job": {"id": 1}, "file": {"path": "/usb", "name": "x"}}'),
        "large": _data(bytes((8 << 20) + 1)),
        "elsewhere": lambda: httpx.Response(302, headers={"Location": "http://127.0.0.1:1/"}),
        "closed": lambda: httpx.Response(401),
        "nothing": lambda: httpx.Response(204),
        "broken": lambda: httpx.Response(503),
    }
)


@dataclass(slots=True)
class PrusaLinkDouble:
    """One printer; it shows its last job until its screen is cleared."""

    now: float = 1_800_000_000.0
    number: int = 0
    job: dict[str, Any] | None = None
    is_there: bool = True
    answer: Callable[[], httpx.Response] | None = None
    is_away: bool = False
    asked: list[httpx.Request] = field(default_factory=list)

    def begin(self) -> None:
        self.number += 1
        self.job = {
            "id": self.number,
            "state": "PRINTING",
            "time_printing": 0,
            "progress": 1.5,
            "file": {
                "name": "BRACKE~1.GCO",
                "display_name": "bracket.gcode",
                "path": "/usb",
                "m_timestamp": 1_700_000_000,
                "refs": {"download": "/usb/BRACKE~1.GCO", "icon": None},
            },
        }

    def end(self, state: str = "FINISHED") -> None:
        assert self.job is not None
        self.job["state"] = state

    def clear(self) -> None:
        self.job = None

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.is_away:
            message = "connection refused"
            raise httpx.ConnectError(message)
        if self.answer is not None:
            return self.answer()
        if request.headers.get("X-Api-Key") != KEY:
            return httpx.Response(401)
        match request.url.path:
            case "/api/v1/status":
                return _data(json.dumps(self._status()).encode())()
            case "/api/v1/job" if self.job is not None:
                return _data(json.dumps(self.job).encode())()
            case "/usb/BRACKE~1.GCO" if self.is_there:
                return _data(GCODE)()
        return httpx.Response(404)

    def _status(self) -> Any:
        printer = {"state": "IDLE", "temp_nozzle": 209.5, "target_nozzle": 210.0, "speed": 100}
        shown = {} if self.job is None else {"job": {"id": self.job["id"], "progress": 1.5}}
        return {"printer": printer, **shown}
