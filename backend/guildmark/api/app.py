"""The application: routes, pages, problem documents, and headers that keep a page to itself."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Lifespan

from guildmark import __version__
from guildmark.api.pages import routes as pages
from guildmark.api.problems import PROBLEM_RESPONSES, answer_with_problems
from guildmark.api.routes import builds, chain, content, health, logs, parts, registries
from guildmark.api.serving import ServedNode

_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
)

_ROUTERS = (health, chain, builds, content, logs, parts, registries)

_Next = Callable[[Request], Awaitable[Response]]


def create_app(node: ServedNode, *, lifespan: Lifespan[Any] | None = None) -> FastAPI:
    """Return the application of a node.

    Args:
        node: The node's parts.
        lifespan: What runs beside the requests.
    """
    app = FastAPI(
        title="Guildmark",
        summary="The same part, made anywhere, proven equal.",
        version=__version__,
        responses=dict(PROBLEM_RESPONSES),
        # The usual documentation pages load scripts from other hosts.
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.node = node
    for module in _ROUTERS:
        app.include_router(module.router)
    app.include_router(pages.router, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=str(files("guildmark.api") / "static")))
    app.middleware("http")(_with_headers)
    answer_with_problems(app)
    return app


async def _with_headers(request: Request, answer: _Next) -> Response:
    request_id = secrets.token_hex(8)
    response = await answer(request)
    response.headers["X-Request-ID"] = request_id
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    return response
