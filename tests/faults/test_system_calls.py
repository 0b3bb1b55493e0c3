"""Every system call of one submission killed or refused: nothing lost, nothing doubled."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from faults import rig as rigs
from faults.families import chance_of
from faults.tracing import Moment, moments, traced
from guildmark.domain.identifiers import Digest

pytestmark = [pytest.mark.needs("anvil"), pytest.mark.needs("strace")]


def life(
    rig: rigs.Rig, database: Path, trace: Path, moment: Moment | None = None
) -> tuple[int, rigs.Verdict]:
    """Let a node take, anchor and settle one entry while a system call fails; then judge."""
    sent = rigs.entries(1, chance_of("F02", 1, 0))

    def work(acknowledge: Callable[[Digest], None]) -> None:
        # With connections of its own: an answer that it does not read is nobody else's.
        own = replace(rig)
        rigs.live(own, own.node(database), sent, acknowledge)

    code, said = traced(work, trace, moment)
    return code, rigs.judge(rig, database, said)


def test_every_system_call_of_a_submission_may_fail(
    rig: rigs.Rig, tmp_path: Path, volume: Callable[[int, int, int], int]
) -> None:
    trace = tmp_path / "trace"
    whole = life(rig, rig.reset("whole"), trace)
    every = moments(trace.read_text())
    tried = every[:: volume(len(every) // 6, 30, 1)]

    ends = [life(rig, rig.reset("fault"), trace, moment) for moment in tried]

    clean = rigs.Verdict(lost=0, doubled=0, differences=())
    assert whole == (0, clean)
    assert {moment.call for moment in every} > {"pwrite64", "fdatasync", "sendto", "recvfrom"}
    assert len({(moment.call, moment.number) for moment in every}) >= 200
    assert [(one, end) for one, (_, end) in zip(tried, ends, strict=True) if end != clean] == []
    killed = [code for one, (code, _) in zip(tried, ends, strict=True) if "KILL" in one.fault]
    # A life may have a call less than the one before: a fault beyond its end befalls nobody.
    assert {-9} <= set(killed) <= {-9, 0}


def test_a_full_disk_is_tried_where_there_are_files_alone() -> None:
    told = 'pwrite64(5, "", 1, 0) = 1\nsendto(6, "", 1) = 1\npwrite64(5, "", 1, 1) = 1\n'

    found = [(one.call, one.number, one.fault.partition("=")[2]) for one in moments(told)]

    assert found == [
        ("pwrite64", 1, "KILL"),
        ("pwrite64", 1, "EIO"),
        ("pwrite64", 1, "ENOSPC"),
        ("sendto", 1, "KILL"),
        ("sendto", 1, "EIO"),
        ("pwrite64", 2, "KILL"),
        ("pwrite64", 2, "EIO"),
        ("pwrite64", 2, "ENOSPC"),
    ]
