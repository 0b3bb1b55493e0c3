"""What the family of system calls tries is every call that reaches disk or chain."""

import pytest

from faults import rig as rigs
from faults.families import FAMILIES, STRIDES, every_call, traced_life
from faults.tracing import moments

pytestmark = [pytest.mark.needs("anvil"), pytest.mark.needs("strace")]


def test_every_system_call_of_a_submission_has_its_case(rig: rigs.Rig) -> None:
    every = every_call(rig)

    names = {moment.call for moment in every}
    stride = next(one for one in STRIDES if len(every) % one)
    tried = {number * stride % len(every) for number in range(len(every))}
    assert names > {"pwrite64", "fdatasync", "sendto", "recvfrom"}
    assert 500 <= len(every) <= FAMILIES["F02"].volumes[-1]
    assert tried == set(range(len(every)))


def test_a_fault_ends_the_life_that_it_befalls(rig: rigs.Rig) -> None:
    kill = next(one for one in every_call(rig) if one.call == "fdatasync" and "KILL" in one.fault)

    code, verdict = traced_life(rig, kill)

    assert (code, verdict.is_clean) == (-9, True)


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
