"""The demo as its user runs it: ended, killed, run again; no process is left that nobody ends."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo import left
from environments import ROOT
from stages import until

pytestmark = [pytest.mark.e2e, pytest.mark.needs("anvil")]

FIRST_STEP = "A local chain runs"
LAST_NODE = "Two nodes of two operators run"


class Demo:
    """A demo that plays in a folder of its own."""

    def __init__(self, folder: Path, name: str = "first") -> None:
        self.folder = folder
        self.said = folder.with_name(f"{name}.txt")
        with self.said.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, ROOT / "scripts" / "demo", folder],
                env={**os.environ, "KEEP": "1"},
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def wait_for(self, step: str) -> None:
        until(lambda: step in self.said.read_text() or self.process.poll() is not None)
        assert self.process.poll() is None, self.said.read_text()

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "demo"
    yield place
    left.end_left(place)


def running(folder: Path) -> list[int]:
    """Return the processes whose command names the folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().split(b"\0")
        except OSError:
            continue
        if any(word.startswith(f"{folder}/homes/".encode()) for word in words):
            found.append(int(entry.parent.name))
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ended_demo_leaves_no_process_and_no_report(folder: Path, number: signal.Signals) -> None:
    demo = Demo(folder)
    demo.wait_for(FIRST_STEP)
    before = running(folder)

    code = demo.end(number)

    assert code == 130
    assert before
    assert running(folder) == []
    assert "Traceback" not in demo.said.read_text()
    assert demo.said.read_text().endswith("The demo was ended: nothing of it runs any more.\n"), (
        demo.said.read_text()
    )
    assert not (folder / "report.json").exists()
    assert not (folder / "pids.json").exists()


def test_demo_ends_what_a_killed_one_left(folder: Path) -> None:
    killed = Demo(folder)
    killed.wait_for(LAST_NODE)
    killed.end(signal.SIGKILL)
    orphans = running(folder)

    demo = Demo(folder, "second")
    demo.wait_for(FIRST_STEP)
    still_there = set(running(folder)) & set(orphans)
    said = demo.said.read_text()
    demo.end(signal.SIGINT)

    assert len(orphans) == 4
    assert still_there == set()
    first = "Ended what an earlier demo left running: chain, operator-1, operator-2.\n"
    assert said.startswith(first)
    assert running(folder) == []


def test_two_demos_do_not_play_in_one_folder(folder: Path) -> None:
    demo = Demo(folder)
    demo.wait_for(FIRST_STEP)
    before = running(folder)

    other = Demo(folder, "second")
    code = other.process.wait(60)

    assert code == 1
    assert other.said.read_text() == (
        f"The demo stopped: Another demo plays in {folder}. "
        f"Wait for it, or end it: kill {demo.process.pid}\n"
    )
    assert set(before) <= set(running(folder))
    demo.end(signal.SIGINT)


@pytest.fixture
def bystander() -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True
    )
    yield process
    process.kill()
    process.wait()


def test_number_that_another_process_has_by_now_is_left_alone(
    tmp_path: Path, bystander: "subprocess.Popen[bytes]"
) -> None:
    left.note(tmp_path, {"chain": bystander.pid})
    document = json.loads((tmp_path / "pids.json").read_bytes())
    document["chain"]["process"] = "1" + document["chain"]["process"]
    (tmp_path / "pids.json").write_text(json.dumps(document))

    assert left.end_left(tmp_path) == []
    assert bystander.poll() is None


def test_noted_process_is_ended(tmp_path: Path, bystander: "subprocess.Popen[bytes]") -> None:
    left.note(tmp_path, {"chain": bystander.pid})

    assert left.end_left(tmp_path) == ["chain"]
    assert bystander.wait(5) == -signal.SIGTERM
    assert left.end_left(tmp_path) == []


@pytest.mark.parametrize("content", ["", "[]", "{", '{"chain": 1}', '{"chain": {"pid": "x"}}'])
def test_damaged_note_names_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / "pids.json").write_text(content)

    assert left.end_left(tmp_path) == []
