"""A digest that a thread computes is the digest of the same bytes in the same order."""

import hashlib
import os
import threading

import pytest

from guildmark_ipfs.digests import StreamDigest

LARGE = 256 * 1024


@pytest.mark.parametrize(
    "sizes", [[], [0], [1], [LARGE - 1], [LARGE], [LARGE, 1, LARGE + 1, 7, 3 * LARGE], [LARGE] * 9]
)
def test_the_digest_is_that_of_all_pieces_in_order(sizes: list[int]) -> None:
    pieces = [os.urandom(size) for size in sizes]

    with StreamDigest() as digest:
        for piece in pieces:
            digest.begin(memoryview(piece))

        assert digest.digest() == hashlib.sha256(b"".join(pieces)).digest()


def test_a_buffer_may_be_used_again_after_join() -> None:
    buffer = bytearray(b"a" * LARGE)
    with StreamDigest() as digest:
        digest.begin(buffer)
        digest.join()
        buffer[:] = b"b" * LARGE
        digest.begin(buffer)

        assert digest.digest() == hashlib.sha256(b"a" * LARGE + b"b" * LARGE).digest()


def test_what_a_busy_thread_has_not_begun_is_hashed_by_the_caller() -> None:
    pieces, going = [os.urandom(LARGE) for _ in range(3)], threading.Event()

    with StreamDigest() as digest:
        digest.begin(pieces[0])
        digest.join()
        assert digest._worker is not None
        digest._worker.submit(going.wait)
        for piece in pieces[1:]:
            digest.begin(piece)
        found = digest.digest()
        going.set()

    assert found == hashlib.sha256(b"".join(pieces)).digest()


def test_no_thread_is_left_and_none_begun_for_little() -> None:
    before = threading.active_count()
    with StreamDigest() as digest:
        digest.begin(bytes(LARGE - 1))
        assert threading.active_count() == before
        digest.begin(bytes(LARGE))

    assert threading.active_count() == before
