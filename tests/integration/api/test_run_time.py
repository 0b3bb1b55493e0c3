"""What stands around every answer of a running node, and how it ends."""

import json
import signal
import time
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

import stages
from guildmark.adapters.home import TRUST_FILE
from guildmark.domain.encoding import codec
from guildmark.domain.encoding.strictjson import parse_object
from guildmark.ports.store import DocumentKind
from guildmark.services.rights.designs import SealedFiles
from stages import Played

pytestmark = [pytest.mark.chain, pytest.mark.needs("anvil")]


def test_a_node_lives_and_is_ready(web: httpx.Client) -> None:
    assert web.get("/healthz").json() == {"status": "alive"}
    ready = web.get("/readyz")
    assert ready.status_code == 200
    assert ready.json()["status"] == "ready"
    assert ready.json()["block"] > 0
    assert ready.json()["alarms"] == []


def test_every_answer_keeps_a_page_to_itself(web: httpx.Client) -> None:
    for path in ("/", "/v1/chain", "/nowhere", "/static/style.css"):
        headers = web.get(path, headers={"Origin": "https://elsewhere.example"}).headers

        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "access-control-allow-origin" not in headers
        assert "server" not in headers


def test_a_plain_request_id_is_taken_and_another_one_replaced(web: httpx.Client) -> None:
    def answered(given: str) -> str:
        return str(web.get("/healthz", headers={"X-Request-ID": given}).headers["x-request-id"])

    assert answered("scan-17.a_b") == "scan-17.a_b"
    assert answered("a" * 64) == "a" * 64
    for hostile in ("a" * 65, "", "-a", 'a"b', "a b", "a\\u0000"):
        assert len(answered(hostile)) == 16


def test_head_is_answered_as_get_without_a_body(web: httpx.Client, played: Played) -> None:
    for path in ("/", "/v1/chain", f"/v1/parts/{played.parts[0].hint}/label.png"):
        head = web.head(path)

        assert head.status_code == 200
        assert head.content == b""
        assert int(head.headers["content-length"]) == len(web.get(path).content)


@pytest.mark.parametrize("method", ["OPTIONS", "DELETE", "PATCH", "TRACE", "PUT"])
def test_a_method_that_is_not_taken_is_a_problem(web: httpx.Client, method: str) -> None:
    refused = web.request(method, "/v1/chain")

    assert refused.status_code == 405
    assert refused.headers["allow"] == "GET, HEAD"
    assert refused.json()["code"] == "http.methodNotAllowed"


def test_what_is_not_served_is_a_problem_for_programs_and_a_page_for_people(
    web: httpx.Client,
) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml"}

    assert web.get("/nowhere").json()["code"] == "http.notFound"
    assert web.get("/v1/nowhere", headers=browser).json()["code"] == "http.notFound"
    page = web.get("/nowhere", headers=browser)
    assert page.status_code == 404
    assert '<a class="chip" href="/errors#http.notFound">' in page.text


def test_a_parameter_must_be_known_single_and_plain(web: httpx.Client, played: Played) -> None:
    part = f"/v1/parts/{played.parts[0].hint}"
    for query in ("block=1&block=1", "height=1", "block=+1", "block=0x1", "block=1.0", "peers=1"):
        refused = web.get(f"{part}/bundle?{query}")

        assert refused.status_code == 400, query
        assert refused.json()["code"] == "http.parameterInvalid"


def test_metrics_are_in_prometheus_own_format(web: httpx.Client) -> None:
    answer = web.get("/metrics")
    families = {each.name: each for each in text_string_to_metric_families(answer.text)}

    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert {sample.labels["reception"] for sample in families["guildmark_builds"].samples} == {
        "accepted",
        "duplicate",
        "refused",
    }
    assert families["guildmark_chain_up"].samples[0].value == 1
    assert families["guildmark_waiting_entries"].samples[0].value == 0
    assert families["guildmark_head_block"].samples[0].value > 0
    assert families["guildmark_index_lag_blocks"].samples[0].value >= 0
    assert families["guildmark_writer_records"].samples[0].value > 100
    assert {one.value for one in families["guildmark_alarms"].samples} == {0}


def test_the_newest_challenges_are_told(web: httpx.Client) -> None:
    # The first round begins with the node.
    deadline = time.monotonic() + 20
    told = web.get("/v1/stores").json()
    while told["checkedAt"] is None and time.monotonic() < deadline:
        time.sleep(0.1)
        told = web.get("/v1/stores").json()

    assert told["checkedAt"] > 0
    assert [store["store"] for store in told["stores"]] in ([], ["own"])
    for store in told["stores"]:
        assert (store["unavailable"], store["invalid"], store["mended"]) == (0, 0, 0)


def test_the_log_is_json_and_names_no_part(web: httpx.Client, played: Played) -> None:
    label = played.parts[0].label
    web.get(f"/v1/parts?label={label}", headers={"X-Request-ID": "find-me"})
    web.get(f"/parts/{played.parts[0].hint}?secret=canary")

    lines = _log_of(played, "operator-1")

    shown = [line for line in lines if line.get("request") == "find-me"]
    assert [line["route"] for line in shown] == ["/v1/parts"]
    assert shown[0]["status"] == 200
    text = json.dumps(lines)
    assert "canary" not in text
    assert label.rsplit("/", 1)[-1] not in text
    assert "exception" not in text


def _log_of(played: Played, name: str) -> list[dict[str, object]]:
    text = (played.stage.folder / "logs" / f"{name}.log").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def test_no_key_password_or_salt_is_in_a_log(played: Played) -> None:
    secrets = [_password(home) for home in (played.stage.folder / "homes").iterdir()]
    for log in (played.stage.folder / "logs").iterdir():
        text = log.read_text(encoding="utf-8")

        assert not [secret for secret in secrets if secret and secret in text]


def _password(home: Path) -> str:
    file = home / "keys" / "password"
    return file.read_text(encoding="utf-8").strip() if file.exists() else ""


def test_a_node_that_is_told_to_end_says_that_it_is_not_ready(played: Played) -> None:
    process = played.stage.processes["operator-2"]
    with httpx.Client(base_url=played.other.url) as client:
        assert client.get("/readyz").status_code == 200

        process.send_signal(signal.SIGTERM)
        stages.until(lambda: client.get("/readyz").status_code == 503)

        refused = client.get("/readyz")
        assert refused.json()["code"] == "node.stopping"
        assert refused.headers["retry-after"] == "5"
        assert client.get("/healthz").status_code == 200
    assert process.wait(stages.PATIENCE) == 0
    stages.start(played.stage, "operator-2")


def test_a_node_says_that_its_list_was_changed_after_it_began(played: Played) -> None:
    file = played.stage.home("operator-2") / TRUST_FILE
    with httpx.Client(base_url=played.other.url) as client:

        def codes() -> list[str]:
            return [one["code"] for one in client.get("/readyz").json()["alarms"]]

        assert codes() == []
        file.write_bytes((played.stage.home("operator-1") / TRUST_FILE).read_bytes())
        stages.until(lambda: codes() == ["node.trustOlder"])
        file.write_bytes(b"{")
        stages.until(lambda: codes() == ["trust.malformed"])
        file.unlink()
        stages.until(lambda: codes() == [])


def test_a_second_signal_ends_a_node_at_once(played: Played) -> None:
    process = played.stage.processes["operator-2"]

    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGTERM)

    assert process.wait(stages.PATIENCE) == 0
    stages.start(played.stage, "operator-2")


def test_no_content_key_lies_in_clear_in_a_designers_home(played: Played) -> None:
    home, revision = played.scene.designer.home, played.package.revision
    with home.store.reading() as view:
        body = view.documents.get(DocumentKind.FILES, revision.design)
    assert body is not None
    sealed = codec.load(SealedFiles, parse_object(body))
    files = [path for path in home.settings.home.rglob("*") if path.is_file()]

    assert home.settings.database in files
    for path in files:
        content = path.read_bytes()
        for key in (*sealed.keys, sealed.manifest_key):
            assert bytes(key) not in content, path
            assert key.hex().encode() not in content.lower(), path
