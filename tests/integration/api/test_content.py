"""Ciphertext over HTTP: by its address, streamed, whole or not at all."""

import secrets
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

import stages
from guildmark_ipfs.cid import Cid, Codec
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


def test_more_than_any_file_may_have_is_refused_before_it_is_sent(web: httpx.Client) -> None:
    place = urlsplit(str(web.base_url))
    with socket.create_connection((place.hostname, place.port), timeout=10) as link:
        head = "POST /v1/content HTTP/1.1\r\nHost: a\r\nContent-Type: application/octet-stream\r\n"
        link.sendall(f"{head}Content-Length: {(1 << 30) + 1}\r\n\r\n".encode())
        answer = b"".join(iter(lambda: link.recv(65_536), b""))

    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answer.lower()
    assert b"http.bodyTooLarge" in answer


def test_a_name_stands_for_one_content(web: httpx.Client) -> None:
    named = {**OCTETS, "Idempotency-Key": "file-1"}

    first = web.post("/v1/content", content=b"one", headers=named)
    again = web.post("/v1/content", content=b"one", headers=named)
    other = web.post("/v1/content", content=b"two", headers=named)

    assert first.json() == again.json()
    assert (other.status_code, other.json()["code"]) == (409, "request.idempotencyMismatch")


def test_a_damaged_block_is_never_sent(web: httpx.Client, played: Played) -> None:
    cid = _stored(web, b"to be damaged")
    _damage(played, Cid.parse(cid))

    refused = web.get(f"/v1/content/{cid}")

    assert (refused.status_code, refused.json()["code"]) == (503, "content.hashMismatch")


def test_a_damaged_end_breaks_the_download_off(web: httpx.Client, played: Played) -> None:
    body = secrets.token_bytes(3 << 20)
    cid, last = _stored(web, body), _stored(web, body[2 << 20 :])
    _damage(played, Cid.parse(last))

    with pytest.raises(httpx.RemoteProtocolError):
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


def _damage(played: Played, cid: Cid) -> None:
    """Turn one bit of a stored block around."""
    store = played.stage.home("operator-1") / "content"
    (block,) = (path for path in store.rglob("*") if _holds(path, cid))
    data = bytearray(block.read_bytes())
    data[-1] ^= 1
    block.chmod(0o600)
    block.write_bytes(data)


def _holds(path: Path, cid: Cid) -> bool:
    return path.is_file() and cid.matches(path.read_bytes())
