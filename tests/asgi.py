"""An application called in this process, without a socket."""

import asyncio
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.applications import Starlette


@dataclass(frozen=True, slots=True)
class Client:
    """Requests to one application."""

    app: Starlette

    def get(self, url: str, **options: Any) -> httpx.Response:
        """Return the answer to GET."""
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Any) -> httpx.Response:
        """Return the answer to POST."""
        return self.request("POST", url, **options)

    def put(self, url: str, **options: Any) -> httpx.Response:
        """Return the answer to PUT."""
        return self.request("PUT", url, **options)

    def request(self, method: str, url: str, **options: Any) -> httpx.Response:
        """Return the answer to one request; `raises=False` keeps what the server would log."""
        return asyncio.run(self._send(method, url, options))

    async def _send(self, method: str, url: str, options: dict[str, Any]) -> httpx.Response:
        raises = bool(options.pop("raises", True))
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=raises)
        async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
            return await client.request(method, url, **options)
