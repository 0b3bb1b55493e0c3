"""Signed envelopes in a home: counters rise and are never used twice."""

from pathlib import Path

import pytest

from guildmark.adapters.envelopes import CounterTakenError, EnvelopeFolder, erase, note_reception
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


def test_an_erased_envelope_is_gone_and_its_counter_stays_taken(tmp_path: Path) -> None:
    folder = EnvelopeFolder(tmp_path)
    kept = folder.keep(MACHINE, 3, b"what has to go")
    note_reception(kept, is_refused=True)

    erase(kept)

    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b""]
    assert list(folder.standing()) == []
    assert folder.next_counter(MACHINE) == 4


def test_a_file_of_another_name_is_erased_without_a_trace(tmp_path: Path) -> None:
    file = tmp_path / "copy.json"
    file.write_bytes(b"what has to go")

    erase(file)

    assert list(tmp_path.iterdir()) == []


def test_counter_is_taken_by_its_file(tmp_path: Path) -> None:
    folder = EnvelopeFolder(tmp_path)
    kept = folder.keep(MACHINE, 1, b"first")

    with pytest.raises(CounterTakenError):
        folder.keep(MACHINE, 1, b"second")

    assert kept.read_bytes() == b"first"
