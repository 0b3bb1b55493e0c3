"""The families of faults: what each one breaks in a node's life, from one seed."""

import os
import random
import shutil
import sqlite3
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from types import MappingProxyType
from typing import Any

from faults import letters, processes
from faults.proxy import SEND, Fault
from faults.rig import (
    PACE,
    START,
    WRITER,
    Fuse,
    Node,
    Rig,
    TellingClock,
    Verdict,
    entries,
    in_child,
    judge,
    live,
    rest,
)
from faults.tracing import Moment, moments, traced
from guildmark.adapters.chain.rpc import Rpc
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.errors import GuildmarkError, NetworkError
from guildmark.domain.identifiers import Digest, to_hex
from guildmark.domain.log.queue import Queued
from guildmark.ports.chain import Call, CodeMismatchError, CodeMissingError
from guildmark.services.log.line import OTHER_CHAIN

STEPS = 12
# The named steps of a life of two entries; a fuse beyond its end never blows.
FUSE_MOST = 110

# Which of a life's system calls fails from case to case: all in turn, in no order.
STRIDES = (97, 101)


class Chance(random.Random):
    """The randomness of one case, and which one of its family it is."""

    number: int = 0


Case = Callable[[Rig, Chance], Verdict]


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A fault of the trust model, and how often it is tried.

    Args:
        kind: What dies or fails: a fork of the test, a process of its own, a system call.
        volumes: Cases in ``make test``, at VOLUME=ci, at VOLUME=long.
        depth: How deep a block is final.
        needs: A component without which it cannot be tried.
    """

    kind: str
    case: Case
    volumes: tuple[int, int, int]
    depth: int = 3
    needs: str | None = None


def _small(chance: Chance) -> list[Queued]:
    return entries(chance.randint(1, 3), chance)


def _killed(rig: Rig, chance: Chance, deaths: int) -> Verdict:
    """Let nodes die at named steps, one after another, and one live."""
    database, sent, said = rig.reset("killed"), _small(chance), set[Digest]()
    for _ in range(deaths):
        steps = chance.randint(1, FUSE_MOST)
        code, acknowledged = in_child(
            lambda acknowledge, steps=steps: _life(rig, database, sent, acknowledge, steps)  # type: ignore[misc]  # bound now
        )
        said |= acknowledged
        if code == 0:
            break
        _expect(code, 9)
    return judge(rig, database, said)


def _life(
    rig: Rig,
    database: Path,
    sent: Sequence[Queued],
    acknowledge: Callable[[Digest], None],
    steps: int = 0,
) -> None:
    rig.control = Rpc(url=rig.chain.url, timeout=30.0)
    clock = TellingClock(START + os.getpid() * 100)
    node = rig.node(database, on_step=Fuse(steps), url=rig.chain.url, clock=clock)
    live(rig, node, sent, acknowledge)


def _expect(found: int, wanted: int) -> None:
    if found != wanted:
        message = f"a node ended with {found} instead of {wanted}"
        raise AssertionError(message)


def killed(rig: Rig, chance: Chance) -> Verdict:
    return _killed(rig, chance, 1)


def killed_while_recovering(rig: Rig, chance: Chance) -> Verdict:
    return _killed(rig, chance, 3)


def call_failed(rig: Rig, chance: Chance) -> Verdict:
    """Kill a node at one of its system calls, or refuse the call: the how-many-eth the case is."""
    if not rig.calls:
        rig.calls = every_call(rig)
    stride = next(one for one in STRIDES if len(rig.calls) % one)
    moment = rig.calls[chance.number * stride % len(rig.calls)]
    code, verdict = traced_life(rig, moment)
    # A life may have a call less than the one before: a fault beyond its end befalls nobody.
    is_odd = "KILL" in moment.fault and code not in {0, -9}
    told = (f"{moment.option} ended it with {code}",) if is_odd or not verdict.is_clean else ()
    return replace(verdict, differences=verdict.differences + told)


def every_call(rig: Rig) -> Sequence[Moment]:
    """Return each fault of each system call of a life in which none happens."""
    code, verdict = traced_life(rig, None)
    _expect(code, 0)
    if not verdict.is_clean:
        raise AssertionError(str(verdict))
    return moments((rig.folder / "trace").read_text())


def traced_life(rig: Rig, moment: Moment | None) -> tuple[int, Verdict]:
    """Let a node take, anchor and settle one entry while a system call fails; then judge."""
    database, sent = rig.reset("calls"), entries(1, chance_of("F02", 1, 0))

    def work(acknowledge: Callable[[Digest], None]) -> None:
        # With connections of its own: an answer that it does not read is nobody else's.
        own = replace(rig)
        live(own, own.node(database), sent, acknowledge)

    code, said = traced(work, rig.folder / "trace", moment)
    return code, judge(rig, database, said)


def letters_told(rig: Rig, chance: Chance) -> Verdict:
    """Tell of recalls while blocks are undone and receivers lose letters."""
    return letters.play(rig, chance)[0]


def restored(rig: Rig, chance: Chance) -> Verdict:
    """Go on with an old copy of the database, after the newer one went on alone."""
    database = rig.reset("restored")
    node, said = rig.node(database), set[Digest]()
    for entry in _small(chance):
        said.add(node.accept(entry))
        _calm(rig, node, chance.randrange(4))
    node.close()
    old = database.with_name("old.db")
    _copy(database, old)
    newer = rig.node(database, clock=TellingClock(START + 1_000))
    rest(rig, newer)
    rig.mine(rig.depth)
    newer.step()
    newer.close()
    return judge(rig, old, said)


def _copy(source: Path, target: Path) -> None:
    with sqlite3.connect(source) as one, sqlite3.connect(target) as other:
        one.backup(other)
    one.close()
    other.close()


def _calm(rig: Rig, node: Node, steps: int) -> None:
    for _ in range(steps):
        # anvil forgets states of blocks that it went back over: asked again, as a node does.
        with suppress(NetworkError):
            node.step()
        rig.mine(1)


def _patiently(rig: Rig, node: Node, between: Callable[[], None], sent: Sequence[Queued]) -> None:
    """Live while things fail between and within the steps; network errors are tried again."""
    waiting = list(sent)
    for _ in range(STEPS):
        if waiting:
            node.accept(waiting.pop())
        between()
        try:
            node.step()
        except NetworkError:
            continue
    for entry in waiting:
        node.accept(entry)


def _through(
    rig: Rig, chance: Chance, between: Callable[[Rig, Node, Chance], None], name: str
) -> Verdict:
    database, sent = rig.reset(name), _small(chance)
    node = rig.node(database)
    try:
        _patiently(rig, node, lambda: between(rig, node, chance), sent)
    finally:
        node.close()
    return judge(rig, database, {entry.digest for entry in sent})


def unreachable(rig: Rig, chance: Chance) -> Verdict:
    faults = [fault for fault in Fault if fault is not Fault.SILENT]

    def decide(_methods: Sequence[str]) -> Fault | None:
        if chance.random() < 0.3:
            return chance.choice(faults)
        return Fault.SILENT if chance.random() < 0.02 else None

    def between(rig: Rig, _node: Node, chance: Chance) -> None:
        rig.proxy.decide, rig.proxy.patience = decide, 0.2
        rig.mine(chance.randrange(2))

    return _through(rig, chance, between, "unreachable")


def answer_lost(rig: Rig, chance: Chance) -> Verdict:
    def decide(methods: Sequence[str]) -> Fault | None:
        return Fault.LOST if SEND in methods and chance.random() < 0.7 else None

    def between(rig: Rig, _node: Node, chance: Chance) -> None:
        rig.proxy.decide = decide
        rig.mine(chance.randrange(2))

    return _through(rig, chance, between, "lost")


def other_chain(rig: Rig, chance: Chance) -> Verdict:
    """Put another chain behind the address under way; after one look nothing is signed."""
    database, sent = rig.reset("other"), _small(chance)
    node, wrong = rig.node(database), 0
    for entry in sent:
        node.accept(entry)
    try:
        _calm(rig, node, chance.randrange(4))
        rig.proxy.lies.update(chance.choice(_SWAPS)(rig))
        if "eth_getCode" in rig.proxy.lies:
            node.outbox.signing.doubt()
        wrong += _goes_on(node) if chance.random() < 0.5 else 0
        _try(node)
        before = _attempts(database)
        _try(node)
        _try(node)
        wrong += _attempts(database) - before
        rig.proxy.heal()
    finally:
        node.close()
    verdict = judge(rig, database, {entry.digest for entry in sent})
    told = (f"{wrong} transactions were signed for another chain",) if wrong else ()
    return replace(verdict, differences=verdict.differences + told)


def _chain_id(rig: Rig) -> Mapping[str, Callable[[Any], Any]]:
    return {"eth_chainId": lambda _id: hex(rig.pin.chain_id + 1)}


def _genesis(_rig: Rig) -> Mapping[str, Callable[[Any], Any]]:
    def changed(block: Any) -> Any:
        return {**block, "hash": "0x" + "77" * 32} if block else block

    return {"eth_getBlockByNumber": changed}


def _code(_rig: Rig) -> Mapping[str, Callable[[Any], Any]]:
    return {"eth_getCode": lambda code: code[:-2] + "00"}


def _no_code(_rig: Rig) -> Mapping[str, Callable[[Any], Any]]:
    return {"eth_getCode": lambda _code: "0x"}


_SWAPS = (_chain_id, _genesis, _code, _no_code)
_HALTS: tuple[type[GuildmarkError], ...] = (
    *OTHER_CHAIN,
    CodeMismatchError,
    CodeMissingError,
)


def _try(node: Node) -> None:
    with suppress(NetworkError, *_HALTS):
        node.step()


def _goes_on(node: Node) -> int:
    """Let something be submitted meanwhile, and return how many were signed for all that."""
    call = Call(contract=ContractName.LOG, function="tick", gas=120_000)
    # A look is good for some seconds: only this one shows the other chain.
    with suppress(*_HALTS):
        node.outbox.submit(call, key=WRITER, idempotency="look")
    before = len(node.outbox.table.open(node.outbox.chain.chain_id, 100))
    with suppress(*_HALTS):
        node.outbox.submit(call, key=WRITER, idempotency="meanwhile")
    opened = node.outbox.table.open(node.outbox.chain.chain_id, 100)[before:]
    return sum(bool(one.attempts) for one in opened)


def _attempts(database: Path) -> int:
    with sqlite3.connect(database) as connection:
        (count,) = connection.execute("SELECT count(*) FROM attempts").fetchone()
    connection.close()
    return int(count)


def stuck(rig: Rig, chance: Chance) -> Verdict:
    def between(rig: Rig, _node: Node, chance: Chance) -> None:
        what = chance.randrange(4)
        if what == 0:
            rig.control.call("anvil_dropAllTransactions")
        elif what == 1:
            fee = chance.choice((1, 10, 100)) * 10**9
            rig.control.call("anvil_setNextBlockBaseFeePerGas", hex(fee))
            rig.mine(1)
        elif what == 2:
            rig.mine(chance.randrange(1, 3))

    return _through(rig, chance, between, "stuck")


def nonces_burned(rig: Rig, chance: Chance) -> Verdict:
    """Use the key elsewhere, below and above, and let the counter drift."""
    database = rig.reset("burned")
    other = database.with_name("other.db")
    shutil.copyfile(rig.template, other)
    sent = _small(chance)
    node, rival = rig.node(database), rig.node(other, url=rig.chain.url)
    try:
        for number in range(chance.randint(1, 3)):
            _drift(rival, chance.randrange(3))
            _tick(rival, f"rival:{number}")
            rig.mine(chance.randrange(2))
        for entry in sent:
            node.accept(entry)
            _drift(node, chance.choice((-3, 0, 0, 3)))
            _calm(rig, node, 1 + chance.randrange(3))
            if chance.random() < 0.5:
                _tick(rival, f"later:{to_hex(entry.digest)}")
    finally:
        node.close()
        rival.close()
    return judge(rig, database, {entry.digest for entry in sent})


def _tick(node: Node, name: str) -> None:
    call = Call(contract=ContractName.LOG, function="tick", gas=120_000)
    node.clock.seconds += PACE
    node.outbox.submit(call, key=WRITER, idempotency=name)


def _drift(node: Node, by: int) -> None:
    path = str(node.outbox.table.engine.url.database)
    with sqlite3.connect(path) as connection:
        writer = node.outbox.keys.address(WRITER)
        drift = "UPDATE nonces SET next = max(0, next + ?) WHERE sender = ?"
        connection.execute(drift, (by, writer))
    connection.close()


def _reorganised(rig: Rig, node: Node, chance: Chance) -> None:
    """Undo blocks that are not final; what was in them comes back elsewhere, or does not."""
    for _ in range(chance.randrange(3)):
        rig.mark()
        rig.mine(chance.choice((1, 1, 2, 7, 20)))
    if chance.random() < 0.4:
        return
    opened = node.outbox.table.open(node.outbox.chain.chain_id, 100)
    undone = rig.undo(chance.randint(1, rig.depth - 2), chance.randbytes(20))
    again = [one.attempts[-1].raw for one in opened if one.attempts and chance.random() < 0.5]
    chance.shuffle(again)
    for raw in again if undone else ():
        rig.mine(chance.randrange(2))
        # One whose predecessor did not come back waits for it; one that is final is refused.
        rig.control.attempt([(SEND, [to_hex(raw)])])
    # The other chain may be shorter for a while.
    rig.mine(chance.randint(0, undone + 1))


def reorganised(rig: Rig, chance: Chance) -> Verdict:
    return _through(rig, chance, _reorganised, "reorganised")


def reorganised_while_down(rig: Rig, chance: Chance) -> Verdict:
    """Undo blocks, once or twice, while no node runs."""
    database, sent = rig.reset("down"), _small(chance)
    for entry in sent:
        node = rig.node(database)
        node.accept(entry)
        _calm(rig, node, chance.randrange(4))
        for _ in range(chance.randint(1, 2)):
            _reorganised(rig, node, chance)
        node.close()
    return judge(rig, database, {entry.digest for entry in sent})


def reorganised_too_deep(rig: Rig, chance: Chance) -> Verdict:
    """Undo final blocks: the node halts, says so, and writes nothing any more."""
    database, sent = rig.reset("deep"), _small(chance)
    node = rig.node(database)
    live(rig, node, sent, lambda _digest: None)
    rig.mark()
    rig.mine(rig.depth + chance.randint(1, 3))
    node.step()
    rig.undo(2 * rig.depth, chance.randbytes(20))
    # A chain that is shorter than before is as wrong as one that is longer.
    rig.mine(chance.randint(1, 3 * rig.depth))
    before, halts = _content(database), 0
    for _ in range(3):
        try:
            node.step()
        except OTHER_CHAIN:
            halts += 1
    node.close()
    silent = 3 - halts + (before != _content(database))
    told = (f"{silent} steps went on beyond a rewritten block",) if silent else ()
    return Verdict(lost=0, doubled=0, differences=told)


def _content(database: Path) -> list[str]:
    with sqlite3.connect(database) as connection:
        found = list(connection.iterdump())
    connection.close()
    return found


def logs_wrong(rig: Rig, chance: Chance) -> Verdict:
    """Let the node of the chain leave logs out, double, move and change them."""

    def between(rig: Rig, _node: Node, chance: Chance) -> None:
        rig.proxy.lies.clear()
        if chance.random() < 0.8:
            rig.proxy.lies.update(chance.choice(_LIES)(chance))
        rig.mine(chance.randrange(3))

    return _through(rig, chance, between, "logs")


Lies = Mapping[str, Callable[[Any], Any]]


def _listed(change: Callable[[list[Any]], list[Any]]) -> Lies:
    def change_one(receipts: Any) -> Any:
        for one in receipts or ():
            one["logs"] = change(one["logs"]) if one["logs"] else one["logs"]
        return receipts

    return {"eth_getBlockReceipts": change_one}


def _left_out(chance: Chance) -> Lies:
    def change(logs: list[Any]) -> list[Any]:
        del logs[chance.randrange(len(logs))]
        return logs

    return _listed(change)


def _cut_off(chance: Chance) -> Lies:
    return _listed(lambda logs: logs[: chance.randrange(len(logs))])


def _doubled(chance: Chance) -> Lies:
    return _listed(lambda logs: [*logs, chance.choice(logs)])


def _shuffled(chance: Chance) -> Lies:
    return _listed(lambda logs: chance.sample(logs, len(logs)))


def _moved(chance: Chance) -> Lies:
    step = chance.choice((-1, 1, 1_000))

    def change(logs: list[Any]) -> list[Any]:
        moved = hex(max(0, int(logs[0]["blockNumber"], 16) + step))
        return [{**logs[0], "blockNumber": moved}, *logs[1:]]

    return _listed(change)


def _changed(_chance: Chance) -> Lies:
    return _listed(lambda logs: [{**logs[0], "data": logs[0]["data"][:-2] + "77"}, *logs[1:]])


def _hidden_with_receipts(_chance: Chance) -> Lies:
    def bare(receipts: Any) -> Any:
        return [{**one, "logs": []} for one in receipts or ()]

    return {"eth_getBlockReceipts": bare}


def _hidden_with_filters(_chance: Chance) -> Lies:
    def blind(block: Any) -> Any:
        return {**block, "logsBloom": "0x" + "00" * 256} if block else block

    return {"eth_getBlockByNumber": blind, **_hidden_with_receipts(_chance)}


_LIES = (
    *(_left_out, _cut_off, _doubled, _shuffled, _moved, _changed),
    *(_hidden_with_receipts, _hidden_with_filters),
)


def clock_jumps(rig: Rig, chance: Chance) -> Verdict:
    hour, year = 3_600, 31_536_000

    def between(rig: Rig, node: Node, chance: Chance) -> None:
        node.clock.seconds += chance.choice((0, hour, -hour, year, -year))
        rig.mine(chance.randrange(2))

    return _through(rig, chance, between, "clock")


def two_processes(rig: Rig, chance: Chance) -> Verdict:
    """Let two processes run one home with one key at the same time."""
    database = rig.reset("two")
    parts = (_small(chance), _small(chance))
    context = get_context("fork")
    lives = [context.Process(target=_alone, args=(rig, database, sent)) for sent in parts]
    for one in lives:
        one.start()
    for one in lives:
        one.join(120)
        _expect(one.exitcode or 0, 0)
    return judge(rig, database, {entry.digest for sent in parts for entry in sent})


def _alone(rig: Rig, database: Path, sent: Sequence[Queued]) -> None:
    # Coverage and pytest of the parent must not end with this process.
    code = 1
    try:
        _life(rig, database, sent, lambda _digest: None)
        code = 0
    finally:
        sys.stdout.flush()
        os._exit(code)


def process_killed(rig: Rig, chance: Chance) -> Verdict:
    """Kill -9 processes of their own at named steps, then let one live."""
    database, sent, said = rig.reset("process"), _small(chance), set[Digest]()
    for _ in range(chance.randint(1, 2)):
        code, acknowledged = processes.run(rig, database, sent, chance.randint(1, FUSE_MOST))
        said |= acknowledged
        if code == 0:
            break
        _expect(code, -9)
    return judge(rig, database, said)


FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        "F01": Family(kind="fork", case=killed, volumes=(4, 100, 10_000)),
        "F01-process": Family(kind="process", case=process_killed, volumes=(1, 25, 1_000)),
        "F02": Family(kind="call", case=call_failed, volumes=(7, 25, 1_000), needs="strace"),
        "F03": Family(kind="fork", case=killed_while_recovering, volumes=(3, 50, 5_000)),
        "F04": Family(kind="fork", case=restored, volumes=(3, 30, 1_000)),
        "F05": Family(kind="fork", case=unreachable, volumes=(2, 30, 1_000)),
        "F06": Family(kind="fork", case=answer_lost, volumes=(2, 50, 1_000)),
        "F07": Family(kind="fork", case=other_chain, volumes=(3, 50, 500)),
        "F08": Family(kind="fork", case=stuck, volumes=(2, 50, 1_000)),
        "F09": Family(kind="fork", case=nonces_burned, volumes=(3, 50, 1_000)),
        "F10": Family(kind="fork", case=reorganised, volumes=(4, 50, 1_500), depth=66),
        "F11": Family(kind="fork", case=reorganised_while_down, volumes=(3, 50, 500), depth=66),
        "F12": Family(kind="fork", case=reorganised_too_deep, volumes=(2, 20, 100)),
        "F13": Family(kind="fork", case=logs_wrong, volumes=(4, 50, 1_000)),
        "F14": Family(kind="fork", case=letters_told, volumes=(2, 20, 200), depth=66),
        "F18": Family(kind="fork", case=clock_jumps, volumes=(2, 30, 500)),
        "F19": Family(kind="fork", case=two_processes, volumes=(2, 20, 1_000)),
    }
)


def chance_of(family: str, seed: int, case: int) -> Chance:
    """Return the randomness of one case: the same in every run, whatever ran before it."""
    chance = Chance(f"{family}:{seed}:{case}")
    chance.number = case
    return chance
