"""Whole files and CARs given to a real Kubo, which may die or collect its garbage."""

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from guildmark_ipfs.cid import Cid, Codec
from guildmark_ipfs.errors import (
    HashMismatchError,
    NotFoundError,
    StoreFullError,
    TooLargeError,
    UnavailableError,
)
from guildmark_ipfs.kubo import KuboBlockStore
from guildmark_ipfs.store import ContentStore, describe
from guildmark_ipfs.unixfs import CHUNK
from ipfs import disks
from ipfs.kubo_double import KuboDouble
from ipfs.kubo_node import KuboNode

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
needs_kubo = pytest.mark.needs("kubo")


@pytest.fixture
def own_kubo(tmp_path: Path) -> Iterator[KuboNode]:
    """A node of this test alone, to be killed."""
    node = KuboNode(tmp_path)
    node.start()
    try:
        yield node
    finally:
        node.stop()


@needs_kubo
@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 17])
def test_a_file_added_in_one_request_has_the_address_that_is_computed_here(
    kubo: KuboNode, size: int
) -> None:
    data = os.urandom(size)

    with KuboBlockStore(kubo.url) as store:
        cid = store.add([data[:100], data[100:]])

        assert cid == describe(io.BytesIO(data)).cid
        assert b"".join(ContentStore(store).read(cid)) == data
        assert str(cid) in kubo.run("pin", "ls", "--type=recursive", "--quiet").decode()


@needs_kubo
def test_garbage_collection_spares_what_was_added(kubo: KuboNode) -> None:
    data, loose = os.urandom(2 * CHUNK), os.urandom(9)

    with KuboBlockStore(kubo.url) as store:
        kept, lost = store.add([data]), store.put(loose, Codec.RAW)
        kubo.run("repo", "gc")

        assert ContentStore(store).has(kept)
        assert not store.has(lost)


@needs_kubo
def test_a_daemon_that_dies_in_the_middle_of_an_add_loses_nothing_that_was_said_to_be_stored(
    own_kubo: KuboNode,
) -> None:
    before, data = os.urandom(CHUNK + 5), os.urandom(4 * CHUNK)
    with KuboBlockStore(own_kubo.url) as store:
        kept = store.add([before])

        def dying() -> Iterator[bytes]:
            for number in range(256):
                if number == 3:
                    own_kubo.kill()
                yield data[:CHUNK]

        with pytest.raises(UnavailableError, match="gave no usable answer"):
            store.add(dying())
        with pytest.raises(UnavailableError):
            store.has(kept)

        own_kubo.start()

        assert b"".join(ContentStore(store).read(kept)) == before
        again = store.add([data])
        assert b"".join(ContentStore(store).read(again)) == data


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 48 MiB."""
    with disks.small_disk(tmp_path, 48) as disk:
        yield disk


@needs_kubo
def test_a_node_whose_disk_is_full_says_so_and_keeps_what_it_has(small_disk: Path) -> None:
    node = KuboNode(small_disk / "kubo")
    node.start()
    try:
        with KuboBlockStore(node.url) as store:
            before, after = os.urandom(CHUNK), os.urandom(3 * CHUNK)
            kept = store.add([before])

            with pytest.raises(StoreFullError, match="no space left on device"):
                store.add(os.urandom(CHUNK) for _ in range(80))

            assert b"".join(ContentStore(store).read(kept)) == before
            node.run("repo", "gc")
            assert b"".join(ContentStore(store).read(store.add([after]))) == after
    finally:
        node.stop()


@needs_kubo
def test_a_daemon_that_stands_still_is_unavailable_in_time(own_kubo: KuboNode) -> None:
    own_kubo.freeze()
    try:
        with (
            KuboBlockStore(own_kubo.url, timeout=0.3) as store,
            pytest.raises(UnavailableError, match="ReadTimeout"),
        ):
            store.add([b"content"])
    finally:
        own_kubo.thaw()


@needs_kubo
def test_a_car_comes_out_and_goes_into_another_node(kubo: KuboNode, own_kubo: KuboNode) -> None:
    data = os.urandom(2 * CHUNK + 1)
    with KuboBlockStore(kubo.url) as one, KuboBlockStore(own_kubo.url) as other:
        cid = one.add([data])

        other.import_car(one.export_car(cid), cid)

        own_kubo.run("repo", "gc")
        assert b"".join(ContentStore(other).read(cid)) == data


@needs_kubo
def test_a_cut_car_is_not_taken(own_kubo: KuboNode, kubo: KuboNode) -> None:
    with KuboBlockStore(kubo.url) as one, KuboBlockStore(own_kubo.url) as other:
        cid = one.add([os.urandom(2 * CHUNK + 1)])
        car = b"".join(one.export_car(cid))

        with pytest.raises(UnavailableError, match="unexpected EOF"):
            other.import_car([car[:-1]], cid)
        # The last block is missing, its length, address and one byte: the file is not whole.
        with pytest.raises(NotFoundError, match="could not find"):
            other.import_car([car[: -(1 + 36 + 1)]], cid)
        with pytest.raises(UnavailableError, match="another root"):
            other.import_car([car], Cid.of(b"another", Codec.RAW))


@needs_kubo
def test_what_a_node_lacks_is_not_exported(kubo: KuboNode) -> None:
    with KuboBlockStore(kubo.url) as store, pytest.raises(NotFoundError, match="could not find"):
        list(store.export_car(Cid.of(os.urandom(9), Codec.RAW)))


def test_a_limit_holds_before_the_node_is_given_more(double: KuboDouble) -> None:
    with KuboBlockStore(double.url, timeout=5) as store, pytest.raises(TooLargeError):
        store.add([b"12345"], limit=4)


def test_a_node_that_adds_under_another_address_is_refused(double: KuboDouble) -> None:
    body = json.dumps({"Name": "file", "Hash": "QmOther", "Size": "5"}).encode()
    double.lie = lambda *_: (200, {}, body)

    with (
        KuboBlockStore(double.url, timeout=5) as store,
        pytest.raises(HashMismatchError, match="as 'QmOther'"),
    ):
        store.add([b"12345"])


@pytest.mark.parametrize("words", ["write x: no space left on device", "disk quota exceeded"])
def test_a_node_without_room_says_so(double: KuboDouble, words: str) -> None:
    body = json.dumps({"Message": words, "Code": 0, "Type": "error"}).encode()
    double.lie = lambda *_: (500, {}, body)

    with KuboBlockStore(double.url, timeout=5) as store:
        with pytest.raises(StoreFullError, match="has no room"):
            store.add([b"12345"])
        with pytest.raises(StoreFullError, match="has no room"):
            store.put(b"12345", Codec.RAW)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"[" * 500_000, "nests too deeply"),
        (b"[" * 33 + b"]" * 33, "nests too deeply"),
        (b"[" * 32 + b"]" * 32, "no object"),
        (b'["' + b"[" * 33 + b'"]', "no object"),
        (b"[", "no JSON"),
    ],
)
def test_what_is_no_answer_is_named(double: KuboDouble, body: bytes, reason: str) -> None:
    double.lie = lambda *_: (200, {}, body)

    with (
        KuboBlockStore(double.url, timeout=5) as store,
        pytest.raises(UnavailableError, match=reason),
    ):
        store.has(Cid.of(b"", Codec.RAW))


def test_an_endless_answer_is_cut_off(double: KuboDouble) -> None:
    double.lie = lambda *_: (200, {}, b" " * (1024 * 1024 + 1))

    with (
        KuboBlockStore(double.url, timeout=5) as store,
        pytest.raises(TooLargeError, match="more than 1048576 bytes"),
    ):
        store.has(Cid.of(b"", Codec.RAW))


def test_a_password_in_the_address_is_sent_and_never_shown(double: KuboDouble) -> None:
    url = double.url.replace("//", "//designer:secret@")
    double.lie = lambda *_: (403, {}, b"")

    with KuboBlockStore(url, timeout=5) as store, pytest.raises(UnavailableError) as caught:
        store.has(Cid.of(b"", Codec.RAW))

    assert "status 403" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert double.authorizations == ["Basic ZGVzaWduZXI6c2VjcmV0"]
