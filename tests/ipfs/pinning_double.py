"""A pinning service in memory, strict on what its API's specification asks of clients."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ipfs.loopback import Answer, Request

DELEGATE = "/ip4/127.0.0.1/tcp/4001/p2p/12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5"
STATES = {"queued", "pinning", "pinned", "failed"}
_FILTERS = {"cid", "name", "match", "status", "before", "after", "limit", "meta"}


@dataclass
class PinningDouble:
    """One account, and how the service lies."""

    token: str = "an-account's-token"
    requests: dict[str, dict[str, Any]] = field(default_factory=dict)
    state: str = "queued"
    lie: Callable[[Answer], Answer] = lambda answer: answer
    url: str = ""

    def answer(self, request: Request) -> Answer:
        return self.lie(self._answer(request))

    def _answer(self, request: Request) -> Answer:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return _error(401, "UNAUTHORIZED", "the token is not known")
        if request.path == "/pins":
            return self._list(request) if request.method == "GET" else self._add(request)
        name = request.path.removeprefix("/pins/")
        if name not in self.requests:
            return _error(404, "NOT_FOUND", "no such request")
        if request.method == "DELETE":
            del self.requests[name]
            return 202, {}, b""
        return _json(200, self.requests[name])

    def _list(self, request: Request) -> Answer:
        assert set(request.query) <= _FILTERS
        assert 1 <= int(request.query.get("limit", "10")) <= 1000
        states = set(request.query.get("status", "pinned").split(","))
        assert states <= STATES
        cids = set(request.query["cid"].split(",")) if "cid" in request.query else None
        found = [
            each
            for each in reversed(self.requests.values())
            if each["status"] in states and (cids is None or each["pin"]["cid"] in cids)
        ]
        limit = int(request.query.get("limit", "10"))
        return _json(200, {"count": len(found), "results": found[:limit]})

    def _add(self, request: Request) -> Answer:
        assert request.method == "POST"
        assert request.headers["Content-Type"] == "application/json"
        pin = json.loads(request.body)
        assert set(pin) <= {"cid", "name", "origins", "meta"}
        if "cid" not in pin:
            return _error(400, "BAD_REQUEST", "a pin has a cid")
        name = (
            f"request/{len(self.requests)}" if self.state == "failed" else str(len(self.requests))
        )
        self.requests[name] = {
            "requestid": name,
            "status": self.state,
            "created": "2026-01-01T00:00:00.000Z",
            "pin": pin,
            "delegates": [DELEGATE],
        }
        return _json(202, self.requests[name])


def _json(status: int, value: object) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps(value).encode()


def _error(status: int, reason: str, details: str) -> Answer:
    return _json(status, {"error": {"reason": reason, "details": details}})
