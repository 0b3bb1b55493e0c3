"""P4: the page behind a part's QR code, by many readers at once, against a bare uvicorn."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import httpx

from bench import bare_page
from bench.loading import Load, read
from bench.receiving import await_url, bind, read_beacon
from bench.rows import Better, Judged, Metric, Round, Row, Target
from demo.making import equip, license_design
from demo.scene import Scene, set_scene
from demo.stage import free_port, open_stage
from demo.telling import Teller
from environments import ROOT
from guildmark.adapters.evidence_http import Chain
from guildmark.adapters.peers.client import NodeClient
from guildmark.domain.builds.dsse import envelope_digest
from guildmark.domain.trust import Trust, parse
from guildmark.verify import verify_bundle

_FOLDER = ROOT / "build" / "bench" / "asking"
_READERS = (1, 32, 256)
_CROWD = 32
_SECONDS = 3.0
# 256 readers wait for 256 pages: a round takes half a minute and more.
_ROUNDS_MAX = 2
_PATIENCE, _PAUSE = 60.0, 0.1
_GOOD = b'<section class="card verdict good"'
_KEPT = "a verdict that is made anew every second"
_CHECKED = "its evidence gathered and verified anew for each"
_BARE = "a bare uvicorn that sends the same bytes, as many readers, the same core"
_RATE_MIN, _REVERIFY_MIN, _LATE_MAX = 0.5, 0.2, 1.5


class NotOnRecordError(Exception):
    """A part that did not come on record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Round:
    """What readers got, by how many there were, from the node and from the bare server.

    Args:
        anew: What a crowd got for whom every page was judged anew.
    """

    ours: Mapping[int, Load]
    bare: Mapping[int, Load]
    anew: Load


def measure(rounds: int) -> Sequence[Row]:
    """Let 1, 32 and 256 readers ask a node for the page of one part."""
    with open_stage(_FOLDER, keep=False) as stage:
        url, is_good = _page(set_scene(stage, Teller()))
        with _bare(httpx.get(url).content) as (bare, process):
            bind([*stage.processes.values(), process])
            found = [
                _Round(ours=_read(url), bare=_read(bare), anew=_read_anew(url))
                for _ in range(min(rounds, _ROUNDS_MAX))
            ]
    return [*_rate_rows(found, is_good=is_good), _late_row(found, is_good=is_good)]


def _read(url: str) -> Mapping[int, Load]:
    return {count: read(url, readers=count, seconds=_SECONDS, expected=_GOOD) for count in _READERS}


def _read_anew(url: str) -> Load:
    """Let a crowd ask in such a way that no two ask for the same page."""
    return read(f"{url}?n=", readers=_CROWD, seconds=_SECONDS, expected=_GOOD, is_numbered=True)


def _page(scene: Scene) -> tuple[str, bool]:
    """Put one part on record; return its page, and whether its bundle is good by itself."""
    package, lanes = license_design(scene, Teller(), units_a_site=1)
    workshop = equip(scene, package, lanes, Teller())[0]
    node = scene.node_of(workshop.operator)
    envelope = workshop.build(1, read_beacon(scene))
    node.submit([envelope])
    place = _place(node, envelope)
    trusted = parse(httpx.get(f"{node.url}/.well-known/guildmark-trust.json").content)
    bundle = httpx.get(f"{node.url}/v1/parts/{place}/bundle").content
    return f"{node.url}/parts/{place}", _is_good(bundle, trusted, scene)


def _is_good(bundle: bytes, trusted: Trust, scene: Scene) -> bool:
    """Return whether a bundle is good to who trusts as the node, and asks the chain itself."""
    look = Chain(url=scene.casting.chain.url).sighting
    return verify_bundle(bundle, trusted, look=look).exit == 0


def _place(node: NodeClient, envelope: bytes) -> str:
    deadline = time.monotonic() + _PATIENCE
    while (build := node.build(envelope_digest(envelope)))["state"] != "final":
        if time.monotonic() > deadline:
            message = f"The part is not on record after {_PATIENCE:g} s: {build}"
            raise NotOnRecordError(message)
        time.sleep(_PAUSE)
    return f"{build['log']}.{build['index']}"


@contextmanager
def _bare(body: bytes) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run a bare server of the page's bytes."""
    page = _FOLDER / "page.html"
    page.write_bytes(body)
    port = free_port()
    command = [sys.executable, bare_page.__file__, str(port), str(page)]
    with subprocess.Popen(command) as process:
        try:
            url = f"http://127.0.0.1:{port}/"
            await_url(url)
            yield url, process
        finally:
            process.terminate()


def _rate_rows(found: Sequence[_Round], *, is_good: bool) -> Sequence[Row]:
    kept = [
        _rate_row(
            f"P4.c{count}",
            f"{count} readers at once of the page behind a QR code: {_KEPT}",
            _RATE_MIN,
            [_round(one.ours[count], one.bare[count], _rate, is_good=is_good) for one in found],
        )
        for count in _READERS
    ]
    anew = _rate_row(
        "P4.reverify",
        f"{_CROWD} readers at once of such a page: {_CHECKED}",
        _REVERIFY_MIN,
        [_round(one.anew, one.bare[_CROWD], _rate, is_good=is_good) for one in found],
    )
    return [*kept, anew]


def _rate_row(name: str, text: str, bound: float, rounds: Sequence[Round]) -> Row:
    metric = Metric(
        id=name,
        text=text,
        unit="pages/s",
        against=_BARE,
        better=Better.HIGHER,
        target=Target(of=Judged.RATIO, bound=bound),
    )
    return Row(metric=metric, rounds=rounds)


def _late_row(found: Sequence[_Round], *, is_good: bool) -> Row:
    return Row(
        metric=Metric(
            id="P4.p99",
            text=f"{_CROWD} readers at once: the time within which 99 of 100 have the page",
            unit="ms",
            against=_BARE,
            target=Target(of=Judged.RATIO, bound=_LATE_MAX),
        ),
        rounds=[
            _round(one.ours[_CROWD], one.bare[_CROWD], _late, is_good=is_good) for one in found
        ],
    )


def _rate(load: Load) -> float:
    return load.rate


def _late(load: Load) -> float:
    return 1000 * load.p99


def _round(ours: Load, bare: Load, figure: Callable[[Load], float], *, is_good: bool) -> Round:
    """Return a round; every answer says that the part is good, as its bundle does by itself."""
    is_same = is_good and ours.same_answer and bare.same_answer
    return Round(ours=figure(ours), reference=figure(bare), same_answer=is_same)
