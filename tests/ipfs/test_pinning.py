"""A pinning service, asked by our client and by Kubo's."""

import json
import os
from collections.abc import Iterator

import pytest

from guildmark_ipfs.cid import Cid, Codec
from guildmark_ipfs.errors import NotFoundError, RefusedError, UnavailableError
from guildmark_ipfs.pinning import PinningService, PinRequest, PinState
from ipfs.kubo_node import KuboNode
from ipfs.loopback import Answer, Request, serving
from ipfs.pinning_double import DELEGATE, PinningDouble

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
CID = Cid.of(b"a file", Codec.RAW)


@pytest.fixture
def double() -> Iterator[PinningDouble]:
    found = PinningDouble()
    with serving(found.answer) as port:
        found.url = f"http://127.0.0.1:{port}"
        yield found


@pytest.fixture
def service(double: PinningDouble) -> Iterator[PinningService]:
    with PinningService(double.url, double.token, timeout=5) as found:
        yield found


def test_a_request_is_queued_then_pinned_then_removed(
    double: PinningDouble, service: PinningService
) -> None:
    asked = service.pin(CID, name="bracket", origins=("/ip4/127.0.0.1/tcp/9",))

    assert asked == PinRequest(
        request_id="0", state=PinState.QUEUED, cid=CID, delegates=(DELEGATE,)
    )
    assert double.requests["0"]["pin"] == {
        "cid": str(CID),
        "name": "bracket",
        "origins": ["/ip4/127.0.0.1/tcp/9"],
    }

    double.requests["0"]["status"] = "pinned"

    assert service.status(asked).state is PinState.PINNED
    service.remove(asked)
    assert service.find(CID) is None
    with pytest.raises(NotFoundError, match="does not know the request"):
        service.status(asked)
    with pytest.raises(NotFoundError):
        service.remove(asked)


def test_what_was_asked_before_is_not_asked_again(
    double: PinningDouble, service: PinningService
) -> None:
    first = service.pin(CID)

    assert service.pin(CID) == first
    assert len(double.requests) == 1


def test_what_failed_is_asked_again(double: PinningDouble, service: PinningService) -> None:
    double.state = "failed"
    failed = service.pin(CID)
    double.state = "queued"

    again = service.pin(CID)

    assert failed.state is PinState.FAILED
    assert again.state is PinState.QUEUED
    assert service.find(CID) == again


@pytest.mark.needs("kubo")
def test_kubo_and_we_see_each_others_requests(
    kubo: KuboNode, double: PinningDouble, service: PinningService
) -> None:
    data = os.urandom(9)
    theirs, ours = Cid.of(data, Codec.RAW), CID
    kubo.run("add", "--cid-version=1", "--raw-leaves", "--quieter", data=data)
    kubo.run("pin", "remote", "service", "add", "double", double.url, double.token)

    kubo.run("pin", "remote", "add", "--service=double", "--background", str(theirs))
    service.pin(ours)

    found = service.find(theirs)
    assert found is not None
    assert found.state is PinState.QUEUED
    listed = kubo.run("pin", "remote", "ls", "--service=double", "--status=queued").decode()
    assert {line.split()[0] for line in listed.splitlines()} == {str(theirs), str(ours)}
    kubo.run("pin", "remote", "service", "rm", "double")


def test_a_wrong_token_is_refused_and_never_shown(double: PinningDouble) -> None:
    with (
        PinningService(double.url, "secret-token", timeout=5) as service,
        pytest.raises(RefusedError, match="UNAUTHORIZED the token is not known") as caught,
    ):
        service.pin(CID)

    assert caught.value.detail == {
        "reason": "UNAUTHORIZED the token is not known",
        "status": 401,
    }
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("status", [400, 402, 403, 409])
def test_a_refusal_tells_the_services_reason(
    double: PinningDouble, service: PinningService, status: int
) -> None:
    double.lie = lambda _: (status, {}, b'{"error": {"reason": "INSUFFICIENT_FUNDS"}}')

    with pytest.raises(RefusedError, match=r"refuses: INSUFFICIENT_FUNDS\.$"):
        service.find(CID)

    double.lie = lambda _: (status, {}, b"{}")
    with pytest.raises(RefusedError, match=r"refuses: no reason given\.$"):
        service.find(CID)


@pytest.mark.parametrize("status", [201, 204, 302, 500, 503])
def test_any_other_answer_is_none(
    double: PinningDouble, service: PinningService, status: int
) -> None:
    double.lie = lambda _: (status, {"Location": "http://127.0.0.1:9/"}, b"")

    with pytest.raises(UnavailableError, match=f"status {status}"):
        service.find(CID)


GOOD = {"requestid": "1", "status": "pinned", "pin": {"cid": str(CID)}}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "no results"),
        ({"results": {}}, "no results"),
        ({"results": [None]}, "no pin status"),
        ({"results": ["text"]}, "no pin status"),
        ({"results": [{}]}, "no pin status"),
        ({"results": [GOOD | {"status": "eaten"}]}, "no pin status"),
        ({"results": [GOOD | {"pin": None}]}, "no pin status"),
        ({"results": [GOOD | {"delegates": 7}]}, "no pin status"),
        ({"results": [GOOD | {"pin": {"cid": str(Cid.of(b"", Codec.RAW))}}]}, "another pin"),
        ({"results": [GOOD | {"requestid": 7}]}, "another pin"),
        ({"results": [GOOD | {"requestid": ""}]}, "another pin"),
        ({"results": [GOOD | {"requestid": ".."}]}, "another pin"),
        ({"results": [GOOD | {"requestid": "x" * 257}]}, "another pin"),
    ],
)
def test_an_answer_that_is_no_answer_is_refused(
    double: PinningDouble, service: PinningService, fields: dict[str, object], words: str
) -> None:
    double.lie = lambda _: (200, {}, json.dumps(fields).encode())

    with pytest.raises(UnavailableError, match=words):
        service.find(CID)


def test_a_name_from_the_service_reaches_no_other_path(
    double: PinningDouble, service: PinningService
) -> None:
    named = PinRequest(request_id="../../admin?x=1#y", state=PinState.QUEUED, cid=CID, delegates=())
    paths: list[str] = []

    def answer(request: Request) -> Answer:
        paths.append(request.target)
        return 404, {}, b""

    with (
        serving(answer) as port,
        PinningService(f"http://127.0.0.1:{port}/api", "token", timeout=5) as elsewhere,
        pytest.raises(NotFoundError),
    ):
        elsewhere.remove(named)

    assert paths == ["/api/pins/..%2F..%2Fadmin%3Fx%3D1%23y"]
