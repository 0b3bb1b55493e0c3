from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guildmark.domain.builds.predicate import Resource
from guildmark.domain.builds.telemetry import (
    CHUNKS_MAX,
    SAMPLES_MAX,
    ChallengeError,
    Chunk,
    ChunkMalformedError,
    Disclosure,
    DisclosureIncompleteError,
    Presence,
    check_disclosure,
    check_presence,
    disclose_chunks,
    draw_chunks,
    find_telemetry,
    gather,
    locate_chunks,
    telemetry_resource,
)
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Bytes32, Cid
from guildmark.domain.log.merkle import ProofMismatchError
from guildmark.domain.shopfloor.jobs import Gap, Sample

NONCE = Bytes32(sha256(b"nonce"))
ROOT = sha256(b"root")


def chunk(number: int) -> Chunk:
    sample = Sample(channel="nozzle", at=number, value="230", unit="Cel", sequence=number)
    return Chunk(
        salt=Bytes32(sha256(b"%d" % number)),
        source="printer",
        instance="",
        first=number,
        last=number,
        samples=(sample,),
        gaps=(Gap(instance="", first=1, last=None),),
    )


CHUNKS = [chunk(number).encode() for number in range(20)]


def test_chunk_is_read_as_it_was_written() -> None:
    assert Chunk.parse(CHUNKS[3]) == chunk(3)
    with pytest.raises(ChunkMalformedError):
        Chunk.parse(CHUNKS[3] + b" ")


def test_challenge_opens_what_it_drew_and_no_more() -> None:
    resource = telemetry_resource(CHUNKS)

    answer = disclose_chunks(CHUNKS, nonce=NONCE, most=4)
    found = Disclosure.parse(answer.encode())
    opened = check_disclosure(found, resource=resource, nonce=NONCE, most=4)

    assert found == answer
    assert [one.samples[0].at for one in opened] == [one.place for one in answer.opened]
    assert len(opened) == 4
    assert find_telemetry([Resource(name="photo/1", digest=ROOT), resource]) == resource
    assert find_telemetry([]) is None


def test_answer_to_another_challenge_is_refused() -> None:
    resource = telemetry_resource(CHUNKS)
    answer = disclose_chunks(CHUNKS, nonce=NONCE, most=4)
    other = Bytes32(sha256(b"other"))
    shortened = replace(answer, opened=answer.opened[1:])
    for found, nonce, most in [
        (answer, other, 4),
        (answer, NONCE, 5),
        (shortened, NONCE, 4),
        (replace(answer, count=19), NONCE, 4),
        (replace(answer, nonce=other), NONCE, 4),
    ]:
        with pytest.raises(DisclosureIncompleteError):
            check_disclosure(found, resource=resource, nonce=nonce, most=most)


def test_chunk_that_was_changed_is_refused() -> None:
    resource = telemetry_resource(CHUNKS)
    changed = [*CHUNKS]
    answer = disclose_chunks(CHUNKS, nonce=NONCE, most=20)
    changed[7] = chunk(99).encode()
    lie = disclose_chunks(changed, nonce=NONCE, most=20)
    assert [one.place for one in lie.opened] == [one.place for one in answer.opened]

    with pytest.raises(ProofMismatchError):
        check_disclosure(lie, resource=resource, nonce=NONCE, most=20)
    spoilt = replace(answer.opened[0], data="*")
    with pytest.raises(ChunkMalformedError):
        check_disclosure(
            replace(answer, opened=(spoilt, *answer.opened[1:])),
            resource=resource,
            nonce=NONCE,
            most=20,
        )


@pytest.mark.parametrize(("of", "most"), [(0, 1), (5, 0), (CHUNKS_MAX + 1, 1)])
def test_challenge_asks_for_what_there_can_be(of: int, most: int) -> None:
    with pytest.raises(ChallengeError):
        draw_chunks(root=ROOT, of=of, nonce=NONCE, most=most)


def test_greatest_count_is_drawn_from() -> None:
    assert len(draw_chunks(root=ROOT, of=CHUNKS_MAX, nonce=NONCE, most=3)) == 3


@given(of=st.integers(1, 60), most=st.integers(1, 70), seed=st.binary(max_size=8))
def test_draw_is_distinct_and_inside(of: int, most: int, seed: bytes) -> None:
    drawn = draw_chunks(root=ROOT, of=of, nonce=Bytes32(sha256(seed)), most=most)

    assert len(set(drawn)) == len(drawn) == min(of, most)
    assert list(drawn) == sorted(drawn)
    assert set(drawn) <= set(range(of))


def test_draw_depends_on_the_nonce() -> None:
    drawn = {
        draw_chunks(root=ROOT, of=1000, nonce=Bytes32(sha256(b"%d" % n)), most=5) for n in range(50)
    }

    assert len(drawn) == 50


def gathered(last: Chunk | None, *samples: Sample, gaps: tuple[Gap, ...] = ()) -> list[Chunk]:
    blanks = (Chunk(salt=Bytes32(sha256(b"%d" % n)), source="p", instance="") for n in range(9))
    return list(gather(last, samples, gaps, blanks))


def test_chunk_ends_where_numbers_jump_or_the_source_restarts() -> None:
    sample = Sample(channel="x", at=0, value="1", instance="a", sequence=1)
    found = gathered(
        None,
        sample,
        replace(sample, sequence=2),
        replace(sample, sequence=4),
        replace(sample, instance="b", sequence=5),
        replace(sample, instance="b", sequence=None),
        replace(sample, instance="b", sequence=None),
    )

    assert [(one.instance, one.first, one.last, len(one.samples)) for one in found] == [
        ("a", 1, 2, 2),
        ("a", 4, 4, 1),
        ("b", 5, 5, 1),
        ("b", None, None, 2),
    ]


def test_chunk_that_goes_on_comes_first() -> None:
    sample = Sample(channel="x", at=0, value="1", instance="a", sequence=1)
    (first,) = gathered(None, sample)

    (same,) = gathered(first, replace(sample, sequence=2))
    before, after = gathered(first, gaps=(Gap(instance="c", first=2, last=3),))

    assert (same.salt, same.last) == (first.salt, 2)
    assert before == first
    assert (after.instance, after.gaps[0].last, after.samples) == ("c", 3, ())
    assert gathered(None) == []
    assert [one.gaps for one in gathered(None, gaps=after.gaps)] == [after.gaps]


def test_full_chunk_takes_no_more() -> None:
    sample = Sample(channel="x", at=0, value="1")
    full, rest = gathered(None, *[sample] * (SAMPLES_MAX + 1))

    assert (len(full.samples), len(rest.samples)) == (SAMPLES_MAX, 1)


STORED = [(data, Cid(f"cid{place}")) for place, data in enumerate(CHUNKS)]


def test_where_chunks_are_kept_is_told_without_what_they_say() -> None:
    resource = telemetry_resource(CHUNKS)

    answer = locate_chunks(STORED, nonce=NONCE, most=4)
    found = Presence.parse(answer.encode())
    cids = check_presence(found, resource=resource, nonce=NONCE, most=4)

    opened = disclose_chunks(CHUNKS, nonce=NONCE, most=4)
    assert found == answer
    assert cids == tuple(f"cid{one.place}" for one in opened.opened)
    assert b"nozzle" not in answer.encode()


def test_addresses_of_other_chunks_than_were_drawn_are_refused() -> None:
    resource = telemetry_resource(CHUNKS)
    answer = locate_chunks(STORED, nonce=NONCE, most=4)

    for found, most in [(answer, 3), (replace(answer, kept=answer.kept[1:]), 4)]:
        with pytest.raises(DisclosureIncompleteError):
            check_presence(found, resource=resource, nonce=NONCE, most=most)


def test_an_address_of_what_was_never_committed_to_is_refused() -> None:
    resource = telemetry_resource(CHUNKS)
    answer = locate_chunks(STORED, nonce=NONCE, most=4)
    lie = replace(answer.kept[0], leaf=ROOT)

    with pytest.raises(ProofMismatchError):
        check_presence(
            replace(answer, kept=(lie, *answer.kept[1:])), resource=resource, nonce=NONCE, most=4
        )
