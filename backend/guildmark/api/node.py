"""A node from its home: what the server process calls to get its application."""

import contextlib
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from guildmark.adapters.home import default_home
from guildmark.adapters.keys.devices import pin_file
from guildmark.adapters.keys.keystore import password_from
from guildmark.api.app import create_app
from guildmark.api.challenging import Challenger
from guildmark.api.logs import log_as_json
from guildmark.api.rounds import Rounds
from guildmark.api.running import Runner, warned_of_end
from guildmark.api.serving import ServedNode
from guildmark.api.tickets import Tickets
from guildmark.api.watching import Watcher
from guildmark.bootstrap import Node, open_home, open_node
from guildmark.domain.errors import GuildmarkError
from guildmark.ports.store import StoreUnavailableError
from guildmark.services.evidence.judging import Judging
from guildmark.services.labels.claiming import Claiming, Pace
from guildmark.services.labels.scanning import Scanning
from guildmark.settings import load, with_environment

_DRAIN_SECONDS = 0.5
_MIRROR_SECONDS = 5.0
_WATCH_SECONDS = 5.0
_TELL_SECONDS = 5.0
_PRUNE_SECONDS = 3600.0
_SCAN_SECONDS = 5.0


def from_environment() -> FastAPI:
    """Return the application of the home that the environment names.

    Raises:
        GuildmarkError: Settings, keys, database or chain cannot be used.
    """
    log_as_json()
    settings = with_environment(load(default_home(os.environ)), os.environ)
    password, pin = password_from(settings.keys, os.environ), pin_file(os.environ)
    home = open_home(settings, password=password, pin=pin)
    return application(open_node(home))


def application(node: Node) -> FastAPI:
    """Return the application of a node; its line runs while it serves."""
    runner = Runner(
        line=node.line,
        pause=node.settings.batch_seconds,
        on_failure=lambda error: _end(app, error),
    )

    challenger = Challenger(keeping=node.home.keeping)
    watcher = Watcher(
        alarms=node.alarms,
        mirroring=node.mirroring.round,
        cosigning=node.cosigning.round,
        replay=lambda: next(node.checking.differences(), None),
    )
    home = node.home
    scanning = Scanning(
        store=home.scans, clock=home.clock, entropy=home.entropy, days=node.settings.scan_days
    )
    beside = (
        Rounds(
            name="content stores",
            work=challenger.round,
            pause=node.home.settings.stores.challenge_hours * 3600,
        ),
        Rounds(
            name="witnesses",
            work=watcher.cosign,
            pause=node.settings.batch_seconds,
            is_wanted=bool(node.cosigning.witnesses),
        ),
        Rounds(
            name="mirrors",
            work=watcher.mirror,
            pause=_MIRROR_SECONDS,
            is_wanted=bool(node.mirroring.mirrored),
        ),
        Rounds(
            name="replay",
            work=watcher.compare,
            pause=node.settings.replay_hours * 3600,
            is_wanted=bool(node.settings.replay_hours),
            begins_late=True,
        ),
        Rounds(name="recalls", work=node.telling.look, pause=_TELL_SECONDS),
        Rounds(name="letters", work=node.delivering.round, pause=_TELL_SECONDS),
        Rounds(name="old letters", work=node.delivering.prune, pause=_PRUNE_SECONDS),
        Rounds(name="alarms", work=watcher.look, pause=_WATCH_SECONDS),
        Rounds(name="scans", work=scanning.write, pause=_SCAN_SECONDS, begins_late=True),
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        runner.start()
        for rounds in beside:
            rounds.start()
        try:
            with warned_of_end(runner.announce_end, pause=_DRAIN_SECONDS):
                yield
        finally:
            await run_in_threadpool(runner.stop)
            for rounds in beside:
                await run_in_threadpool(rounds.stop)
            with contextlib.suppress(StoreUnavailableError):
                await run_in_threadpool(scanning.write)

    app = create_app(_served(node, runner, challenger, watcher, scanning), lifespan=lifespan)
    app.state.failure = None
    return app


def _end(app: FastAPI, error: GuildmarkError) -> None:
    """End the server in order; who started it finds the reason in the application."""
    app.state.failure = error
    os.kill(os.getpid(), signal.SIGTERM)


def _served(
    node: Node, runner: Runner, challenger: Challenger, watcher: Watcher, scanning: Scanning
) -> ServedNode:
    home, host = node.home, urlsplit(node.settings.public_url).netloc
    dids = home.dids(host)
    return ServedNode(
        settings=node.settings,
        store=home.store,
        requests=home.requests,
        ledger=home.ledger,
        content=home.content,
        uploads=home.uploads,
        ingest=node.ingest,
        releasing=node.releasing,
        receipts=home.receipts,
        reconciling=home.reconciling,
        tickets=Tickets(clock=home.clock),
        disclosing=home.disclosing,
        approving=home.approving,
        naming=home.naming,
        bundles=node.bundles,
        publishing=node.publishing,
        results=home.results,
        judging=Judging(
            ledger=home.ledger,
            clock=home.clock,
            trust=dids.trust,
            host=host,
        ),
        dids=dids,
        inviting=node.inviting,
        scanning=scanning,
        claiming=Claiming(
            claims=home.claims,
            publishing=node.publishing,
            clock=home.clock,
            entropy=home.entropy,
            pace=Pace(home.clock),
        ),
        gateway=home.gateway,
        stopping=runner.is_ending,
        challenged=lambda: challenger.latest,
        watched=lambda: watcher.latest,
    )
