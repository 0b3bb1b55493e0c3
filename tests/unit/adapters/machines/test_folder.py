"""Reports in a folder: whole or not read, told once, the wrong ones set aside by name."""

import json
import os
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from floor import MachineSuite, Watcher
from guildmark.adapters.machines.folder import REFUSED, TAKEN, Folder
from guildmark.adapters.machines.reports import SIZE_MAX
from guildmark.domain.shopfloor.jobs import MalformedReportError
from guildmark.ports.shopfloor import Machine, MachineUnavailableError


def report(job: str, **members: Any) -> bytes:
    return json.dumps(
        {"format": "guildmark/job/v1", "job": job, "at": 1_800_000_000, **members}
    ).encode()


class FolderStage:
    tells_beginnings = False
    spoilings: Sequence[str] = ("gone", "a file")

    def __init__(self, path: Path) -> None:
        self.path = path / "drop"
        self.path.mkdir()
        self.clock = 0.0
        self._job = 0

    def open(self) -> Machine:
        return Folder(path=self.path, monotonic=lambda: self.clock)

    def put(self, name: str, data: bytes) -> Path:
        draft = self.path / f".{name}"
        draft.write_bytes(data)
        return draft.rename(self.path / name)

    def begin(self) -> None:
        self._job += 1

    def end(self) -> None:
        # Machines that know no better write every report under one of two names.
        self.put(f"{self._job}.json", report(f"job {self._job}"))

    def wait(self) -> None:
        self.clock += 3

    def jump(self, seconds: int) -> None:
        for file in self.path.glob("*.json"):
            os.utime(file, (1_800_000_000 + seconds, 1_800_000_000 + seconds))

    def unplug(self) -> None:
        self.path.rename(self.path.with_name("away"))
        self.path.write_bytes(b"")

    def plug(self) -> None:
        away = self.path.with_name("away")
        if away.exists():
            self.path.unlink(missing_ok=True)
            away.rename(self.path)
        else:
            self.path.mkdir(exist_ok=True)

    def spoil(self, how: str) -> None:
        self.path.rename(self.path.with_name("away"))
        if how == "a file":
            self.path.write_bytes(b"")


@pytest.fixture
def stage(tmp_path: Path) -> FolderStage:
    return FolderStage(tmp_path)


@pytest.fixture
def watcher(stage: FolderStage) -> Watcher:
    return Watcher(stage)


class TestFoldersKeepThePort(MachineSuite):
    @pytest.fixture
    def stage(self, tmp_path: Path) -> FolderStage:
        return _Patient(tmp_path)

    @pytest.fixture
    def watcher(self, stage: FolderStage) -> Watcher:
        watcher = Watcher(stage)
        watcher.keep()
        return watcher


class _Patient(FolderStage):
    """Whoever writes a report while the folder is away writes it when it is back."""

    def end(self) -> None:
        away = self.path.with_name("away")
        if away.exists():
            self.plug()
        super().end()


def test_a_small_report_takes_little_memory(stage: FolderStage, watcher: Watcher) -> None:
    stage.put("a.json", report("a"))
    watcher.keep()
    stage.clock += 3

    tracemalloc.start()
    watcher.keep()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(watcher.events) == 1
    assert most < SIZE_MAX // 4


def test_a_file_is_read_once_it_stood_still(stage: FolderStage, watcher: Watcher) -> None:
    stage.put("a.json", report("a"))
    watcher.keep()
    stage.clock += 1.9
    watcher.keep()
    assert watcher.events == []

    stage.clock += 0.1
    watcher.keep()

    assert [event.job for event in watcher.events] == ["a"]


def test_a_file_that_grows_is_waited_for(stage: FolderStage, watcher: Watcher) -> None:
    whole = report("a", note="it takes its time")
    for end in range(1, len(whole), 20):
        (stage.path / "a.json").write_bytes(whole[:end])
        watcher.settle()
    assert watcher.events == []

    (stage.path / "a.json").write_bytes(whole)
    watcher.settle()

    assert [event.job for event in watcher.events] == ["a"]


def test_a_file_without_an_end_is_refused_after_an_hour(
    stage: FolderStage, watcher: Watcher
) -> None:
    stage.put("a.json", report("a")[:-1])
    watcher.keep()
    stage.clock += 3_599
    watcher.keep()
    stage.clock += 1

    with pytest.raises(MalformedReportError, match=r"'a\.json' was refused"):
        watcher.poll()

    kept = sorted(path.name.partition(".")[2] for path in (stage.path / REFUSED).iterdir())
    assert kept == ["a.json", "a.json.reason.txt"]


@pytest.mark.parametrize("name", [".a.json", "a.json.part", "a.json.tmp", "a.json~"])
def test_names_of_files_that_are_being_written_are_left_alone(
    stage: FolderStage, watcher: Watcher, name: str
) -> None:
    (stage.path / name).write_bytes(report("a"))
    watcher.settle()

    assert (watcher.events, (stage.path / name).exists()) == ([], True)


def test_the_same_bytes_again_are_the_same_report(stage: FolderStage, watcher: Watcher) -> None:
    stage.put("a.json", report("a"))
    watcher.settle()
    stage.put("a.json", report("a"))
    stage.put("b.json", report("a"))
    watcher.settle()

    assert [event.job for event in watcher.events] == ["a"]
    assert [path.name for path in stage.path.iterdir()] == [TAKEN]


def test_two_files_of_the_same_bytes_at_once_are_one_report(
    stage: FolderStage, watcher: Watcher
) -> None:
    stage.put("a.json", report("a"))
    stage.put("b.json", report("a"))
    watcher.settle()

    assert [event.job for event in watcher.events] == ["a"]


def test_a_name_with_new_content_is_a_new_report(stage: FolderStage, watcher: Watcher) -> None:
    stage.put("a.json", report("a"))
    watcher.keep()
    stage.wait()
    watcher.keep()
    stage.put("a.json", report("b"))
    watcher.settle()

    assert [event.job for event in watcher.events] == ["a", "b"]


def test_a_file_that_was_moved_away_before_it_was_stored_is_no_trouble(
    stage: FolderStage, watcher: Watcher
) -> None:
    file = stage.put("a.json", report("a"))
    watcher.keep()
    stage.wait()
    watcher.keep()
    file.unlink()
    watcher.settle()

    assert [event.job for event in watcher.events] == ["a"]


def test_a_wrong_file_holds_up_no_other(stage: FolderStage, watcher: Watcher) -> None:
    stage.put("a.json", b'{"format": "guildmark/job/v2"}')
    stage.put("b.json", report("b"))
    watcher.keep()
    stage.wait()
    with pytest.raises(MalformedReportError, match=r"'a\.json' was refused.*format"):
        watcher.poll()

    watcher.settle()

    assert [event.job for event in watcher.events] == ["b"]
    reason = next((stage.path / REFUSED).glob("*.a.json.reason.txt"))
    assert "format" in reason.read_text()


def refuse(stage: FolderStage, watcher: Watcher, *names: str) -> Folder:
    """Hand wrong files in, one after the other; return the folder."""
    for second, name in enumerate(names):
        os.utime(stage.put(name, b'{"format": "guildmark/job/v2"}'), (second, second))
        watcher.keep()
        stage.wait()
        with pytest.raises(MalformedReportError):
            watcher.poll()
    return Folder(path=stage.path)


def test_what_was_refused_is_told_until_it_is_taken_away(
    stage: FolderStage, watcher: Watcher
) -> None:
    folder = refuse(stage, watcher)
    before = folder.refused()
    refuse(stage, watcher, "b.json", "a.json", "x.reason.txt")
    three = folder.refused()
    next((stage.path / REFUSED).glob("*.x.reason.txt")).unlink()
    two = folder.refused()
    for name in ("a", "b"):
        next((stage.path / REFUSED).glob(f"*.{name}.json")).unlink()

    assert before is None
    assert three is not None
    assert (three.count, three.file) == (3, "'x.reason.txt'")
    assert three.reason == "It is no .json, .csv, .qif or .xml file."
    assert two is not None
    assert (two.count, two.file) == (2, "'a.json'")
    assert two.folder == str(stage.path / REFUSED)
    assert folder.refused() is None


def test_a_refused_file_without_a_reason_is_told_all_the_same(
    stage: FolderStage, watcher: Watcher
) -> None:
    folder = refuse(stage, watcher, "a.json")
    reason = next((stage.path / REFUSED).glob("*.reason.txt"))
    reason.write_bytes(b"line\none\x1b[2J\xff")
    plain = folder.refused()
    reason.unlink()
    found = folder.refused()

    assert plain is not None
    assert plain.reason == "line one?[2J\N{REPLACEMENT CHARACTER}"
    assert found is not None
    assert (found.count, found.reason) == (1, "nothing says why.")


def test_a_folder_of_refused_reports_that_cannot_be_read_is_unavailable(
    stage: FolderStage,
) -> None:
    (stage.path / REFUSED).write_bytes(b"")

    with pytest.raises(MachineUnavailableError, match="cannot be used"):
        Folder(path=stage.path).refused()


@pytest.mark.parametrize(
    ("name", "size", "reason"),
    [("a.exe", 1, "no .json"), ("a.json", SIZE_MAX + 1, "more than")],
)
def test_what_is_no_report_is_set_aside_unread(
    stage: FolderStage, watcher: Watcher, name: str, size: int, reason: str
) -> None:
    with (stage.path / name).open("wb") as file:
        file.truncate(size)
    watcher.keep()
    stage.wait()

    with pytest.raises(MalformedReportError, match=reason):
        watcher.poll()


def test_links_and_folders_are_never_followed(
    stage: FolderStage, watcher: Watcher, tmp_path: Path
) -> None:
    (tmp_path / "secret.json").write_bytes(report("a"))
    (stage.path / "link.json").symlink_to(tmp_path / "secret.json")
    (stage.path / "folder.json").mkdir()
    os.mkfifo(stage.path / "pipe.json")
    watcher.settle()

    assert watcher.events == []


def test_a_cursor_moves_nothing_that_is_no_plain_file_of_the_folder(
    stage: FolderStage, watcher: Watcher, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.json"
    outside.write_bytes(report("a"))
    (stage.path / "link.json").symlink_to(outside)
    (stage.path / "folder.json").mkdir()
    (stage.path / "wide.json").write_bytes(bytes(SIZE_MAX + 1))
    names = ["../outside.json", "folder.json", "gone.json", "wide.json"]
    told = [{"name": name, "digest": "00"} for name in names]
    watcher.cursor = json.dumps({"kind": "folder", "told": told}).encode()

    watcher.keep()

    assert outside.exists()
    assert not (stage.path / TAKEN).exists()


def test_many_files_are_told_in_portions_the_oldest_first(
    stage: FolderStage, watcher: Watcher
) -> None:
    for number in range(45):
        file = stage.put(f"{number}.json", report(f"job {number}"))
        os.utime(file, (1_700_000_000 - number, 1_700_000_000 - number))
    watcher.keep()
    stage.wait()
    first = len(watcher.poll().events)
    watcher.settle()

    assert first == 20
    assert [event.job for event in watcher.events] == [f"job {n}" for n in reversed(range(45))]


def test_a_folder_that_does_not_let_files_go_is_unavailable(
    stage: FolderStage, watcher: Watcher
) -> None:
    stage.put("a.json", report("a"))
    watcher.keep()
    stage.wait()
    watcher.keep()
    (stage.path / TAKEN).write_bytes(b"")

    with pytest.raises(MachineUnavailableError, match="cannot be used"):
        watcher.poll()


def test_samples_of_a_report_are_told(stage: FolderStage, watcher: Watcher) -> None:
    sample = {"channel": "tool0", "at": 1_800_000_000_500, "value": "210.5", "unit": "Cel"}
    stage.put("a.json", report("a", samples=[sample, {"channel": "x", "at": 0, "value": "on"}]))
    watcher.settle()

    told = [(one.channel, one.at, one.value, one.unit) for one in watcher.samples]
    assert told == [("tool0", 1_800_000_000_500, "210.5", "Cel"), ("x", 0, "on", None)]


def test_samples_of_reports_that_are_read_together_stay_apart(
    stage: FolderStage, watcher: Watcher
) -> None:
    sample = {"channel": "tool0", "at": 1_800_000_000_500, "value": "210.5", "unit": "Cel"}
    for job in ("a", "b", "c"):
        told = {} if job == "c" else {"samples": [{**sample, "channel": job}]}
        stage.put(f"{job}.json", report(job, **told))
    watcher.poll()
    stage.wait()
    seen = watcher.poll()

    assert [event.job for event in seen.events] == ["a", "b", "c"]
    assert seen.samples == ()
    assert [(one.job, one.samples[0].channel) for one in seen.traces] == [("a", "a"), ("b", "b")]
