"""A chain's keeper killed at each step that reaches its disk: no block lost, no false alarm.

The folder is real, the steps are real system calls; a child dies before, in the middle of or after
each of them. Recovery is killed as well.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from guildmark.adapters.chain.genesis import load_or_draw
from guildmark.adapters.chain.head import HeadFile
from guildmark.adapters.chain.journal import Journal, JournalBlock, JournalLostError
from guildmark.adapters.clock import SystemClock, SystemEntropy
from guildmark.domain.identifiers import Digest

BLOCKS = 3
DIED = 7


class Dying:
    """System calls of which one is the last; a write that dies is torn first."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, last: int) -> None:
        self.steps = 0
        self._last = last
        for name in ("fsync", "fdatasync", "open"):
            monkeypatch.setattr(os, name, self._counted(getattr(os, name)))
        monkeypatch.setattr(os, "pwrite", self._torn(os.pwrite))
        for name in ("replace", "hardlink_to", "unlink"):
            monkeypatch.setattr(Path, name, self._counted(getattr(Path, name)))

    def _counted(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            self.step()
            found = call(*args, **kwargs)
            self.step()
            return found

        return counted

    def _torn(self, write: Callable[[int, bytes, int], int]) -> Callable[[int, bytes, int], int]:
        def torn(handle: int, content: bytes, place: int) -> int:
            self.step()
            for size in (1, 70, 150):
                write(handle, content[:size], place)
                self.step()
            written = write(handle, content, place)
            self.step()
            return written

        return torn

    def step(self) -> None:
        self.steps += 1
        if self.steps == self._last:
            os._exit(DIED)


def live(folder: Path, acknowledge: Callable[[int], object]) -> None:
    """Begin a chain or go on with it, as a keeper does, and acknowledge each block."""
    load_or_draw(folder, clock=SystemClock(), entropy=SystemEntropy())
    journal, head = Journal(path=folder / "journal.jsonl"), HeadFile(folder / "head.json")
    shown = head.read()
    journal.repair(least=shown.number)
    blocks = list(journal.blocks())
    assert len(blocks) - shown.number in {0, 1}
    if len(blocks) > shown.number:
        head.move(blocks[-1])
    for number in range(len(blocks) + 1, BLOCKS + 1):
        made = JournalBlock(
            number=number, time=number, transactions=(), hash=Digest(bytes([number]) * 32)
        )
        journal.append(made)
        head.move(made)
        acknowledge(number)


def spawn(folder: Path, last: int) -> tuple[bool, int, int]:
    """Let a child live until a step; return whether it died, its steps, what it acknowledged."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        with pytest.MonkeyPatch.context() as monkeypatch:
            dying = Dying(monkeypatch, last)
            try:
                live(folder, lambda number: os.write(writer, bytes([number])))
            except BaseException:  # noqa: BLE001 - a fork must never come back into the runner
                os._exit(1)
            os.write(writer, b"." * dying.steps)
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as file:  # noqa: PTH123 - a descriptor, which Path cannot open
        said = file.read()
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in {0, DIED}, "an alarm where nothing was lost"
    numbers = [number for number in said if number <= BLOCKS]
    return code == DIED, said.count(b"."), max(numbers, default=0)


def play(folder: Path, deaths: Sequence[int]) -> None:
    """Let keepers die one after the other, the last one live, and look at what is there."""
    folder.mkdir()
    acknowledged = 0
    for last in deaths:
        _, _, newest = spawn(folder, last)
        acknowledged = max(acknowledged, newest)
        if acknowledged:
            assert HeadFile(folder / "head.json").read().number >= acknowledged
            assert (folder / "journal.jsonl").read_bytes().count(b"\n") >= acknowledged
    died, _, _ = spawn(folder, 0)

    assert not died
    assert [block.number for block in Journal(path=folder / "journal.jsonl").blocks()] == [1, 2, 3]
    assert HeadFile(folder / "head.json").read().number == BLOCKS


def test_keeper_may_die_at_each_step(tmp_path: Path) -> None:
    (tmp_path / "whole").mkdir()
    _, steps, _ = spawn(tmp_path / "whole", 0)

    assert steps > 60
    for last in range(1, steps + 1):
        play(tmp_path / str(last), [last])


def test_keeper_may_die_while_it_recovers(
    tmp_path: Path, volume: Callable[[int, int, int], int]
) -> None:
    (tmp_path / "whole").mkdir()
    _, steps, _ = spawn(tmp_path / "whole", 0)
    stride = volume(11, 3, 1)

    for first in range(1, steps + 1, stride):
        for second in range(1, steps + 1, stride):
            play(tmp_path / f"{first}.{second}", [first, second])


@pytest.mark.parametrize("left", range(BLOCKS))
def test_loss_of_acknowledged_blocks_is_no_crash(tmp_path: Path, left: int) -> None:
    live(tmp_path, lambda _: None)
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:left]))

    with pytest.raises(JournalLostError):
        live(tmp_path, lambda _: None)
