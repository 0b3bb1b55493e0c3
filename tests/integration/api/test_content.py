"""Ciphertext over HTTP: by its address, streamed, whole or not at all."""

import hashlib
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

import httpx
import pytest

import stages
from guildmark_ipfs.cid import Cid, Codec
from guildmark_ipfs.store import describe
from guildmark_ipfs.streams import Source
from stages import Played

pytestmark = [pytest.mark.chain, pytest.mark.needs("anvil")]

OCTETS = {"Content-Type": "application/octet-stream"}
UNKNOWN = str(Cid.of(b"what nobody stored", Codec.RAW))


def _stored(web: httpx.Client, body: bytes | Iterator[bytes]) -> str:
    answer = web.post("/v1/content", content=body, headers=OCTETS)
    assert answer.status_code == 201
    return str(answer.json()["cid"])


@pytest.mark.parametrize("size", [0, 1, 1 << 20, (1 << 20) + 1, 5 << 20])
def test_bytes_come_back_as_they_were(web: httpx.Client, size: int) -> None:
    body = secrets.token_bytes(size)

    answer = web.get(f"/v1/content/{_stored(web, body)}")

    assert answer.status_code == 200
    assert answer.content == body
    assert answer.headers["content-type"] == "application/octet-stream"


def test_equal_bytes_have_one_address_however_they_come(web: httpx.Client) -> None:
    body = secrets.token_bytes(3 << 20)
    parts = (body[at : at + 70_000] for at in range(0, len(body), 70_000))

    assert _stored(web, parts) == _stored(web, body)


def test_what_can_never_change_is_not_sent_twice(web: httpx.Client) -> None:
    path = f"/v1/content/{_stored(web, b'once')}"
    first = web.get(path)
    tag = first.headers["etag"]

    again = web.get(path, headers={"If-None-Match": tag})

    assert first.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == tag
    for known in (f'"x", W/{tag}', "*"):
        assert web.get(path, headers={"If-None-Match": known}).status_code == 304
    assert web.get(path, headers={"If-None-Match": '"x"'}).status_code == 200


def test_what_is_not_here_is_not_found(web: httpx.Client) -> None:
    unknown = web.get(f"/v1/content/{UNKNOWN}")

    assert (unknown.status_code, unknown.json()["code"]) == (404, "content.missing")


@pytest.mark.parametrize(
    "address", ["QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG", UNKNOWN.upper(), UNKNOWN + "a"]
)
def test_an_address_has_one_spelling(web: httpx.Client, address: str) -> None:
    refused = web.get(f"/v1/content/{address}")

    assert (refused.status_code, refused.json()["code"]) == (400, "http.parameterInvalid")


def test_content_is_octets(web: httpx.Client) -> None:
    refused = web.post("/v1/content", content=b"x", headers={"Content-Type": "text/plain"})

    assert (refused.status_code, refused.json()["code"]) == (415, "http.mediaTypeUnsupported")


@pytest.mark.parametrize(
    ("path", "most"),
    [("/v1/content", 1 << 30), (f"/v1/uploads/{'0' * 32}/parts?offset=0", 5 << 30)],
)
def test_more_than_any_file_may_have_is_refused_before_it_is_sent(
    web: httpx.Client, path: str, most: int
) -> None:
    # That no file of another kind is taken is said first.
    assert b"http.mediaTypeUnsupported" in _announced(web, path, most, kind="text/plain")

    answer = _announced(web, path, most + 1, kind="application/octet-stream")

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answer.lower()
    assert b"http.bodyTooLarge" in answer


def _announced(web: httpx.Client, path: str, size: int, *, kind: str) -> bytes:
    """Return the answer to a body that is announced and never sent."""
    place = urlsplit(str(web.base_url))
    with socket.create_connection((place.hostname, place.port), timeout=60) as link:
        head = f"POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: {kind}\r\n"
        link.sendall(f"{head}Content-Length: {size}\r\n\r\n".encode())
        return b"".join(iter(lambda: link.recv(65_536), b""))


def test_a_name_stands_for_one_content(web: httpx.Client) -> None:
    named = {**OCTETS, "Idempotency-Key": "file-1"}

    first = web.post("/v1/content", content=b"one", headers=named)
    again = web.post("/v1/content", content=b"one", headers=named)
    other = web.post("/v1/content", content=b"two", headers=named)

    assert first.json() == again.json()
    assert (other.status_code, other.json()["code"]) == (409, "request.idempotencyMismatch")


def test_a_damaged_block_is_never_sent(web: httpx.Client, played: Played) -> None:
    cid = _stored(web, b"to be damaged")

    with _damaged(played, Cid.parse(cid)):
        refused = web.get(f"/v1/content/{cid}")

    assert (refused.status_code, refused.json()["code"]) == (503, "content.hashMismatch")


def test_a_damaged_end_breaks_the_download_off(web: httpx.Client, played: Played) -> None:
    body = secrets.token_bytes(3 << 20)
    cid, last = _stored(web, body), _stored(web, body[2 << 20 :])

    with _damaged(played, Cid.parse(last)), pytest.raises(httpx.RemoteProtocolError):
        web.get(f"/v1/content/{cid}")

    log = (played.stage.folder / "logs" / "operator-1.log").read_text(encoding="utf-8")
    assert "a download ended early: content.hashMismatch" in log
    assert "Traceback" not in log


def test_who_hangs_up_in_the_middle_leaves_no_trace(web: httpx.Client, played: Played) -> None:
    place = urlsplit(str(web.base_url))
    with socket.create_connection((place.hostname, place.port), timeout=10) as link:
        head = "POST /v1/content HTTP/1.1\r\nHost: a\r\nContent-Type: application/octet-stream\r\n"
        link.sendall(f"{head}Content-Length: 1000\r\n\r\nabc".encode())

    log = played.stage.folder / "logs" / "operator-1.log"
    stages.until(lambda: "the client went away" in log.read_text(encoding="utf-8"))
    assert "Traceback" not in log.read_text(encoding="utf-8")
    assert web.get("/healthz").status_code == 200


@contextmanager
def _damaged(played: Played, cid: Cid) -> Iterator[None]:
    """Turn one bit of a stored block around, and back: other tests use the same store."""
    store = played.stage.home("operator-1") / "content"
    (block,) = (path for path in store.rglob("*") if _holds(path, cid))
    data = block.read_bytes()
    block.chmod(0o600)
    block.write_bytes(data[:-1] + bytes((data[-1] ^ 1,)))
    yield
    block.write_bytes(data)


def _holds(path: Path, cid: Cid) -> bool:
    return path.is_file() and cid.matches(path.read_bytes())


_SENDING = """
import sys
import httpx

url, size, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with open(sys.argv[4], "rb") as file, httpx.Client() as client:
    def pieces():
        sent = 0
        while piece := file.read(1 << 20):
            yield piece
            sent += len(piece)
            if sent >= last:
                print("far enough", flush=True)
                sys.stdin.read()
    client.post(url, params={"offset": 0}, content=pieces(),
               headers={"Content-Type": "application/octet-stream"})
"""


def test_an_upload_whose_sender_was_killed_goes_on_from_there(
    web: httpx.Client, tmp_path: Path, volume: Callable[[int, int, int], int]
) -> None:
    size = volume(20, 500, 500) * 1_000_000
    source = tmp_path / "source"
    with source.open("wb") as file:
        for _ in range(size // 1_000_000):
            file.write(secrets.token_bytes(1_000_000))
    begun = web.post("/v1/uploads", params={"size": size})
    path = f"/v1/uploads/{begun.json()['upload']}"
    arguments = [f"{web.base_url}{path}/parts", str(size), str(size * 2 // 5), str(source)]
    command = [sys.executable, "-c", _SENDING, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as sender:
        assert sender.stdout is not None
        assert sender.stdout.readline() == b"far enough\n"
        sender.kill()

    offset = _settled(web, path)
    with source.open("rb") as file:
        file.seek(offset)
        rest = iter(lambda: file.read(1 << 20), b"")
        answer = web.post(f"{path}/parts", params={"offset": offset}, content=rest, headers=OCTETS)
    ended = web.post(f"{path}/file")

    assert begun.status_code == 201
    # What came is there, but for the last pieces on their way.
    assert size * 2 // 5 - (8 << 20) <= offset <= size * 2 // 5 + (2 << 20)
    assert answer.json()["offset"] == size
    with source.open("rb") as file:
        assert ended.json()["cid"] == str(describe(cast("Source", file)).cid)
    assert ended.status_code == 201
    assert web.post(f"{path}/file").json() == ended.json()
    with web.stream("GET", f"/v1/content/{ended.json()['cid']}") as download:
        digest = hashlib.sha256()
        for piece in download.iter_bytes():
            digest.update(piece)
    assert digest.digest() == hashlib.sha256(source.read_bytes()).digest()


def test_an_upload_whose_node_was_killed_goes_on_from_there(
    other_web: httpx.Client, played: Played, tmp_path: Path
) -> None:
    size = 20_000_000
    source = tmp_path / "source"
    source.write_bytes(secrets.token_bytes(size))
    path = f"/v1/uploads/{other_web.post('/v1/uploads', params={'size': size}).json()['upload']}"
    far = size * 2 // 5
    arguments = [f"{other_web.base_url}{path}/parts", str(size), str(far), str(source)]
    command = [sys.executable, "-c", _SENDING, *arguments]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as sender:
        assert sender.stdout is not None
        assert sender.stdout.readline() == b"far enough\n"
        # The node notes durably what came; it is killed while the sender still holds the line.
        stages.until(lambda: int(other_web.get(path).json()["offset"]) > 0)
        node = played.stage.processes["operator-2"]
        node.kill()
        assert node.wait() == -signal.SIGKILL
        sender.kill()
    stages.start(played.stage, "operator-2")

    offset = int(other_web.get(path).json()["offset"])
    rest = source.read_bytes()[offset:]
    wrong = other_web.post(
        f"{path}/parts", params={"offset": offset + 1}, content=rest[1:], headers=OCTETS
    )
    answer = other_web.post(
        f"{path}/parts", params={"offset": offset}, content=rest, headers=OCTETS
    )
    ended = other_web.post(f"{path}/file")

    assert 0 < offset <= far + (2 << 20)
    assert (wrong.status_code, wrong.json()["code"]) == (409, "upload.wrongOffset")
    assert answer.json()["offset"] == size
    with source.open("rb") as file:
        assert ended.json()["cid"] == str(describe(cast("Source", file)).cid)
    stored = other_web.get(f"/v1/content/{ended.json()['cid']}")
    assert hashlib.sha256(stored.content).digest() == hashlib.sha256(source.read_bytes()).digest()


def _settled(web: httpx.Client, path: str) -> int:
    """Return where an upload stands once the node has noticed that its sender is gone."""
    deadline, before = time.monotonic() + 60, -1
    while time.monotonic() < deadline:
        offset = int(web.get(path).json()["offset"])
        if offset == before and web.post(f"{path}/file").json()["code"] == "upload.incomplete":
            return offset
        before = offset
        time.sleep(0.5)
    raise TimeoutError


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", f"/v1/uploads/{'0' * 32}", 404, "upload.unknown"),
        ("POST", f"/v1/uploads/{'0' * 32}/file", 404, "upload.unknown"),
        ("POST", f"/v1/uploads/{'0' * 32}/parts?offset=0", 404, "upload.unknown"),
        ("GET", "/v1/uploads/..", 404, "http.notFound"),
        ("GET", f"/v1/uploads/{'g' * 32}", 400, "http.parameterInvalid"),
        ("POST", "/v1/uploads", 400, "http.parameterInvalid"),
        ("POST", "/v1/uploads?size=-1", 400, "http.parameterInvalid"),
        ("POST", f"/v1/uploads?size={(5 << 30) + 1}", 400, "http.parameterInvalid"),
    ],
)
def test_an_upload_that_cannot_be_is_refused(
    web: httpx.Client, method: str, path: str, status: int, code: str
) -> None:
    refused = web.request(method, path, headers=OCTETS, content=b"")

    assert (refused.status_code, refused.json()["code"]) == (status, code)


def test_a_part_that_does_not_follow_is_refused(web: httpx.Client) -> None:
    path = f"/v1/uploads/{web.post('/v1/uploads', params={'size': 5}).json()['upload']}"

    refused = web.post(f"{path}/parts", params={"offset": 1}, content=b"2345", headers=OCTETS)
    too_long = web.post(f"{path}/parts", params={"offset": 0}, content=b"123456", headers=OCTETS)

    assert (refused.status_code, refused.json()["code"]) == (409, "upload.wrongOffset")
    assert (too_long.status_code, too_long.json()["code"]) == (409, "upload.tooLong")
