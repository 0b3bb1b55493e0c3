"""What a machine reports holds together, or is refused."""

import pytest

from guildmark.domain.identifiers import UINT40_MAX
from guildmark.domain.shopfloor.jobs import (
    CURSOR_MAX,
    PIECES_MAX,
    JobEvent,
    JobPhase,
    MalformedReportError,
    Observation,
    Piece,
)


@pytest.mark.parametrize("job", ["j", "j" * 200])
def test_a_jobs_name_may_have_up_to_200_characters(job: str) -> None:
    assert JobEvent(job=job, phase=JobPhase.STARTED, at=0).job == job


@pytest.mark.parametrize("job", ["", "j" * 201])
def test_a_job_without_a_name_or_with_a_longer_one_is_refused(job: str) -> None:
    with pytest.raises(MalformedReportError, match="1 to 200"):
        JobEvent(job=job, phase=JobPhase.STARTED, at=0)


def test_a_jobs_time_may_be_the_last_that_blocks_have() -> None:
    assert JobEvent(job="j", phase=JobPhase.STARTED, at=UINT40_MAX).at == UINT40_MAX


@pytest.mark.parametrize("at", [-1, UINT40_MAX + 1])
def test_a_time_that_no_block_has_is_refused(at: int) -> None:
    with pytest.raises(MalformedReportError, match="seconds since 1970"):
        JobEvent(job="j", phase=JobPhase.STARTED, at=at)


def test_a_job_gives_a_thousand_pieces_and_no_more() -> None:
    pieces = (Piece(),) * PIECES_MAX

    job = JobEvent(job="j", phase=JobPhase.FINISHED, at=1, pieces=pieces)

    assert len(job.pieces) == PIECES_MAX
    with pytest.raises(MalformedReportError, match="1000 pieces"):
        JobEvent(job="j", phase=JobPhase.FINISHED, at=1, pieces=(*pieces, Piece()))


@pytest.mark.parametrize("phase", [JobPhase.STARTED, JobPhase.STOPPED])
def test_only_a_finished_job_gives_pieces(phase: JobPhase) -> None:
    with pytest.raises(MalformedReportError, match="not finished"):
        JobEvent(job="j", phase=phase, at=1, pieces=(Piece(),))


def test_a_cursor_is_kept_with_every_observation_and_so_is_short() -> None:
    assert Observation.nothing(b"c" * CURSOR_MAX).cursor == b"c" * CURSOR_MAX
    with pytest.raises(MalformedReportError, match="65536 bytes"):
        Observation.nothing(b"c" * (CURSOR_MAX + 1))
