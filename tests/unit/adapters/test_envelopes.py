"""Signed envelopes in a home: counters rise and are never used twice."""

from pathlib import Path

import pytest

from guildmark.adapters.envelopes import CounterTakenError, EnvelopeFolder
from guildmark.domain.identifiers import IdentityId

MACHINE, OTHER = IdentityId(b"\x01" * 32), IdentityId(b"\x02" * 32)


def test_first_counter_is_one(tmp_path: Path) -> None:
    assert EnvelopeFolder(tmp_path / "none").next_counter(MACHINE) == 1


def test_next_counter_follows_the_machines_greatest(tmp_path: Path) -> None:
    folder = EnvelopeFolder(tmp_path)
    for counter in (1, 2, 10):
        folder.keep(MACHINE, counter, b"envelope")

    assert folder.next_counter(MACHINE) == 11
    assert folder.next_counter(OTHER) == 1


def test_counter_is_taken_by_its_file(tmp_path: Path) -> None:
    folder = EnvelopeFolder(tmp_path)
    kept = folder.keep(MACHINE, 1, b"first")

    with pytest.raises(CounterTakenError):
        folder.keep(MACHINE, 1, b"second")

    assert kept.read_bytes() == b"first"
