"""Builds over HTTP: accepted once, answered one by one, refused by code."""

from collections.abc import Iterator

import httpx
import pytest

import stages
from demo.making import fresh_beacon
from guildmark.api.routes.builds import BODY_MAX
from guildmark.domain.builds.dsse import envelope_digest
from guildmark.domain.identifiers import to_hex
from guildmark.services.log.ingest import BATCH_MAX
from stages import Played

pytestmark = [pytest.mark.chain, pytest.mark.needs("anvil")]

LINES = {"Content-Type": "application/x-ndjson"}


def test_a_build_is_accepted_once_and_followed_to_its_unit(
    web: httpx.Client, played: Played
) -> None:
    workshop, beacon = played.workshops[0], fresh_beacon(played.scene)
    block = played.scene.designer.home.ledger.head(final=True).number
    stages.until(lambda: stages.indexed(played.node) >= block)
    envelope = workshop.build(4, beacon)
    digest = to_hex(envelope_digest(envelope))

    first = web.post("/v1/builds", content=envelope, headers=LINES).json()["answers"][0]
    stages.until(lambda: web.get(f"/v1/builds/{digest}").json()["state"] == "final")
    second = web.post("/v1/builds", content=envelope, headers=LINES).json()["answers"][0]

    assert (first["reception"], first["build"]["state"]) == ("accepted", "accepted")
    assert first["digest"] == digest
    assert second["reception"] == "duplicate"
    assert second["build"] == web.get(f"/v1/builds/{digest}").json()
    assert second["build"]["label"] == workshop.label(4)
    assert second["build"]["unit"] > 40


def test_each_envelope_has_its_own_answer(web: httpx.Client, played: Played) -> None:
    good = played.envelopes[1]
    body = b"\n".join([b"{}", good, b'{"payload":1,"payload":2}', good[:-1] + b',"more":1}'])

    answers = web.post("/v1/builds", content=body, headers=LINES).json()["answers"]

    assert [answer["reception"] for answer in answers] == [
        "refused",
        "duplicate",
        "refused",
        "refused",
    ]
    assert [answer["code"] for answer in answers] == [
        "document.memberMissing",
        None,
        "json.duplicateKey",
        "document.memberUnknown",
    ]
    assert all(answer["nextStep"] for answer in answers if answer["code"])


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "build.batchEmpty"),
        (b"\n\n", 400, "build.batchEmpty"),
        (b"{}\n" * (BATCH_MAX + 1), 400, "build.batchTooLong"),
        (b"x" * (BODY_MAX + 1), 413, "http.bodyTooLarge"),
    ],
)
def test_a_batch_has_bounds(web: httpx.Client, body: bytes, status: int, code: str) -> None:
    refused = web.post("/v1/builds", content=body, headers=LINES)

    assert (refused.status_code, refused.json()["code"]) == (status, code)


def test_as_many_envelopes_as_a_batch_takes_are_answered(web: httpx.Client) -> None:
    answer = web.post("/v1/builds", content=b"{}\n" * BATCH_MAX, headers=LINES)

    assert len(answer.json()["answers"]) == BATCH_MAX


def test_a_body_without_a_length_is_counted_while_it_comes(web: httpx.Client) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while True:
            sent += 1 << 16
            yield b"x" * (1 << 16)

    try:
        status = web.post("/v1/builds", content=endless(), headers=LINES).status_code
    except httpx.TransportError:
        # The node answered and hung up in the middle of what was still being sent.
        status = 413

    assert status == 413
    # What the kernel holds between the two is not the node's.
    assert sent <= BODY_MAX + (8 << 20)


@pytest.mark.parametrize("kind", [None, "application/json", "text/plain", "application/x-ndjson2"])
def test_a_body_of_another_type_is_refused(web: httpx.Client, kind: str | None) -> None:
    headers = {} if kind is None else {"Content-Type": kind}

    refused = web.post("/v1/builds", content=b"{}", headers=headers)

    assert (refused.status_code, refused.json()["code"]) == (415, "http.mediaTypeUnsupported")


def test_a_type_may_have_parameters(web: httpx.Client) -> None:
    headers = {"Content-Type": "Application/X-NDJSON; charset=utf-8"}

    assert web.post("/v1/builds", content=b"{}", headers=headers).status_code == 200


def test_a_request_s_name_stands_for_one_body(web: httpx.Client, played: Played) -> None:
    named = {**LINES, "Idempotency-Key": '"3f1c-17"'}
    body = played.envelopes[1]

    first = web.post("/v1/builds", content=body, headers=named)
    again = web.post("/v1/builds", content=body, headers=named)
    other = web.post("/v1/builds", content=body + b"\n{}", headers=named)

    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json()
    assert (other.status_code, other.json()["code"]) == (409, "request.idempotencyMismatch")


def test_a_request_s_name_outlives_a_restart(web: httpx.Client, played: Played) -> None:
    named = {**LINES, "Idempotency-Key": "outlives"}
    web.post("/v1/builds", content=b"{}", headers=named)

    stages.restart(played.stage, "operator-1")

    assert web.post("/v1/builds", content=b"[]", headers=named).status_code == 409


@pytest.mark.parametrize("name", ["", "a b", "a" * 129])
def test_a_request_s_name_is_short_and_plain(web: httpx.Client, name: str) -> None:
    refused = web.post("/v1/builds", content=b"{}", headers={**LINES, "Idempotency-Key": name})

    assert (refused.status_code, refused.json()["code"]) == (400, "http.parameterInvalid")


def test_a_build_that_nobody_sent_is_not_found(web: httpx.Client) -> None:
    unknown = web.get(f"/v1/builds/0x{'12' * 32}")

    assert (unknown.status_code, unknown.json()["code"]) == (404, "build.unknown")


@pytest.mark.parametrize("digest", ["12" * 32, "0x12", "0x" + "AB" * 32, "0x" + "12" * 32 + "%0a"])
def test_a_digest_has_one_spelling(web: httpx.Client, digest: str) -> None:
    assert web.get(f"/v1/builds/{digest}").status_code == 400


def test_what_the_door_says_is_counted(web: httpx.Client, played: Played) -> None:
    def counted(reception: str) -> float:
        text = web.get("/metrics").text
        wanted = f'guildmark_builds_total{{reception="{reception}"}} '
        return float(text.partition(wanted)[2].partition("\n")[0])

    refused, duplicate = counted("refused"), counted("duplicate")
    web.post("/v1/builds", content=played.envelopes[1] + b"\n{}", headers=LINES)

    assert counted("refused") == refused + 1
    assert counted("duplicate") == duplicate + 1
