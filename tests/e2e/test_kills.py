"""Nodes and the chain's keeper killed and ended at work: real processes, real signals."""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import stages
from demo.actors import ACCOUNT
from demo.making import fresh_beacon
from demo.stage import Stage
from demo.workshop import Workshop
from guildmark.adapters.peers.client import NodeClient
from guildmark.domain.builds.dsse import envelope_digest
from guildmark.domain.chain.facts import LaneFact, RecordFact
from guildmark.domain.identifiers import Uint256, UnitNumber
from guildmark.domain.recipes.clauses import disclose_all
from guildmark.ports.peers import PeerUnavailableError
from guildmark.ports.store import DocumentKind
from guildmark.services.index.projection import known
from guildmark.services.recipes.disclosing import clauses_body
from stages import Played, until

pytestmark = [pytest.mark.e2e, pytest.mark.needs("anvil")]

NODE = "operator-1"
PARTS_A_KILL = 3
UNITS = 3_000
# Seconds between the sending of builds and the death of the node: while it examines them, stores
# them, closes a batch, sends it, waits for its block, settles it.
MOMENTS = (0.0, 0.05, 0.15, 0.4, 0.9)


@pytest.fixture(scope="module")
def played(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Played:
    return stages.played(pytestconfig, lambda: tmp_path_factory.mktemp("stage"))


@pytest.fixture(scope="module")
def workshop(played: Played) -> Workshop:
    """Return a site with units enough for every kill, under a license of their own."""
    designer, workshop = played.scene.designer.home, played.workshops[1]
    licenses = designer.licenses(ACCOUNT)
    terms = replace(played.package.terms, units=UNITS, nonce=Uint256(2))
    signed = licenses.sign(terms, licensor=ACCOUNT)
    granted = licenses.grant(signed)
    designer.indexing.follow()
    with designer.store.reading() as view:
        whole = known(view.facts, LaneFact, granted.lane)
    lane = licenses.split(whole, UNITS, log=workshop.operator.log, to=workshop.maker.site)
    external = replace(workshop.assignment.external, license=signed.id, lane=lane)
    body = clauses_body(disclose_all(played.package.members))
    block = designer.ledger.head(final=True).number
    until(lambda: stages.indexed(played.node) >= block)
    played.node.disclose(DocumentKind.TERMS, signed.id, body)
    return replace(
        workshop,
        lane=lane,
        first_unit=UnitNumber(1),
        assignment=replace(workshop.assignment, external=external),
    )


def kill(stage: Stage, name: str) -> None:
    """End a process and all that it started, without a word."""
    process = stage.processes[name]
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def patiently(node: NodeClient, envelopes: Sequence[bytes]) -> Sequence[dict[str, Any]]:
    """Send envelopes as a machine's agent does: again and again until there is an answer."""
    while True:
        try:
            return [dict(answer) for answer in node.submit(envelopes)]
        except PeerUnavailableError:
            time.sleep(0.1)


def builds(played: Played, workshop: Workshop, first: int) -> list[bytes]:
    beacon = fresh_beacon(played.scene)
    block = played.scene.designer.home.ledger.head(final=True).number
    until(lambda: stages.indexed(played.node) >= block)
    numbers = range(first, first + PARTS_A_KILL)
    return [workshop.build(number, beacon) for number in numbers]


def test_killed_node_loses_and_doubles_nothing(
    played: Played, workshop: Workshop, volume: Callable[[int, int, int], int]
) -> None:
    def die() -> None:
        kill(played.stage, NODE)
        stages.start(played.stage, NODE)

    send_through(played, workshop, die, rounds=volume(5, 25, 1_000))


def test_ended_node_loses_and_doubles_nothing(
    played: Played, workshop: Workshop, volume: Callable[[int, int, int], int]
) -> None:
    """Ended as an upgrade ends it, each time in other work, with 0 as its exit code."""

    def end() -> None:
        stages.restart(played.stage, NODE)

    send_through(played, workshop, end, rounds=volume(3, 15, 200))


def send_through(
    played: Played, workshop: Workshop, disturb: Callable[[], None], *, rounds: int
) -> None:
    """Send builds to a node that goes away at each moment of its work, and count them."""
    before, sent = drawn(played, workshop), list[bytes]()
    for number in range(rounds):
        envelopes = builds(played, workshop, 1 + before + number * PARTS_A_KILL)
        sent += envelopes
        with ThreadPoolExecutor() as pool:
            answers = pool.submit(patiently, played.node, envelopes)
            time.sleep(MOMENTS[number % len(MOMENTS)])
            disturb()
            assert {answer["reception"] for answer in answers.result()} <= {
                "accepted",
                "duplicate",
            }

    until(lambda: all(is_final(played.node, envelope) for envelope in sent))
    found = [played.node.build(envelope_digest(envelope)) for envelope in sent]
    # Each machine names the unit that it expects; in the order of acceptance it gets that one.
    units = [before + place for place in range(1, len(sent) + 1)]
    assert [build["unit"] for build in found] == units
    assert len({build["index"] for build in found}) == len(sent)
    assert drawn(played, workshop) == before + len(sent)


def is_final(node: NodeClient, envelope: bytes) -> bool:
    return bool(node.build(envelope_digest(envelope))["state"] == "final")


def drawn(played: Played, workshop: Workshop) -> int:
    """Return how many units the chain gave to a lane."""
    home = played.scene.designer.home
    home.indexing.follow()
    with home.store.reading() as view:
        records = view.facts.each(RecordFact, workshop.operator.log)
    grants: Counter[int] = Counter()
    for fact in records:
        for grant in fact.record.grants:
            grants[grant.lane] += 0 if grant.is_refused else grant.n
    return grants[workshop.lane]


def test_killed_keeper_shows_the_same_chain_again(played: Played, tmp_path: Path) -> None:
    ledger = played.scene.designer.home.ledger
    fresh_beacon(played.scene)
    head = ledger.head(final=True)

    kill(played.stage, "chain")
    played.stage.keeper(port=int(played.scene.casting.chain.url.rpartition(":")[2]))

    assert ledger.block(head.number) == head
    assert fresh_beacon(played.scene).time > head.time
