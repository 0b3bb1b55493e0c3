"""The application: routes, pages, and the frame around them."""

from typing import Any
from urllib.parse import urlsplit

from fastapi import Depends, FastAPI
from starlette.types import Lifespan

from guildmark import __version__
from guildmark.api.answering import answer_errors
from guildmark.api.assets import Assets
from guildmark.api.description import Application, name_of
from guildmark.api.door import Door
from guildmark.api.frame import Frame
from guildmark.api.kept_pages import KeptPages
from guildmark.api.making_pages import MakingPages
from guildmark.api.pages import checking, resolver
from guildmark.api.pages import routes as pages
from guildmark.api.parameters import only_declared
from guildmark.api.routes import (
    accreditations,
    briefs,
    builds,
    chain,
    claims,
    content,
    disclosures,
    equivalence,
    health,
    invitations,
    logs,
    metrics,
    parts,
    recalls,
    recipes,
    reconciliations,
    registries,
    releases,
    reports,
    serials,
    stores,
    tiles,
    uploads,
)
from guildmark.api.serving import ServedNode
from guildmark.api.visiting import CountedScans, Visits
from guildmark.services.labels.scanning import Scanning

_ROUTERS = (
    *(health, metrics, stores, chain, builds, briefs, content, disclosures, logs, parts, claims),
    *(reports, registries, recipes, equivalence, accreditations, releases, reconciliations),
    *(recalls, uploads, tiles, invitations, serials),
)


def create_app(node: ServedNode, *, lifespan: Lifespan[Any] | None = None) -> FastAPI:
    """Return the application of a node.

    Args:
        node: The node's parts.
        lifespan: What runs beside the requests.
    """
    app = described(
        lifespan=lifespan,
        page_seconds=node.settings.page_seconds,
        scanning=node.scanning,
        country_header=node.settings.country_header,
    )
    app.state.node = node
    app.state.host = urlsplit(node.settings.public_url).netloc
    return app


def described(
    *,
    lifespan: Lifespan[Any] | None = None,
    page_seconds: int = 0,
    scanning: Scanning | None = None,
    country_header: str = "",
) -> FastAPI:
    """Return an application that can say what it would answer; it has no node to do so.

    Args:
        lifespan: What runs beside the requests.
        page_seconds: For how long a part's page is kept for who asks next.
        scanning: Counts who opens the page behind a label; None: nobody is counted.
        country_header: The header in which a proxy states a visitor's country.
    """
    app = Application(
        title="Guildmark",
        summary="The same part, made anywhere, proven equal.",
        version=__version__,
        generate_unique_id_function=name_of,
        # The usual documentation pages load scripts from other hosts; /docs is a page of ours.
        docs_url=None,
        redoc_url=None,
        # It would tell whoever the environment names of every request, with its path.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        lifespan=lifespan,
    )
    for module in _ROUTERS:
        app.include_router(module.router, dependencies=[Depends(only_declared)])
    for shown in (pages.router, checking.router, resolver.router):
        app.include_router(shown, include_in_schema=False)
    app.mount("/static", Assets())
    kept = KeptPages(seconds=page_seconds)
    visits = Visits(scanning=scanning, country_header=country_header)
    # What is added last stands outermost, but for the door.
    app.add_middleware(MakingPages, kept=kept)
    app.add_middleware(CountedScans, visits=visits)
    app.add_middleware(Frame, body_max=uploads.UPLOAD_MAX)
    app.door = Door(kept=kept, visits=visits)
    answer_errors(app)
    return app
