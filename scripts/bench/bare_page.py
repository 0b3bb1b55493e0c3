"""The limit of P4: a bare uvicorn that answers with one file: `bare_page.py PORT FILE`."""

import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import uvicorn

Send: TypeAlias = Callable[[Mapping[str, Any]], Awaitable[None]]


def make_app(body: bytes) -> Callable[[Mapping[str, Any], object, Send], Awaitable[None]]:
    """Return the app, without a framework."""
    headers = [(b"content-type", b"text/html"), (b"content-length", b"%d" % len(body))]

    async def app(_scope: Mapping[str, Any], _receive: object, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app


if __name__ == "__main__":
    page = make_app(Path(sys.argv[2]).read_bytes())
    uvicorn.run(page, host="127.0.0.1", port=int(sys.argv[1]), log_level="error", lifespan="off")
