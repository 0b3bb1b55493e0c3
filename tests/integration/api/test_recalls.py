"""Recalls over HTTP: listed page by page, one by one, with the texts that were published."""

from collections.abc import Sequence
from urllib.parse import urlencode

import httpx
import pytest

from demo.actors import SITE
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Bytes32, to_hex
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.recall import RecallCause, Severity, Thing
from guildmark.domain.recall_reason import REASON_LIMITS, RecallReason
from guildmark.services.recalls.recalling import Said
from stages import Played, indexed, recalled, until

pytestmark = [pytest.mark.chain, pytest.mark.needs("anvil")]

JSON = {"Content-Type": "application/json"}
WHY, OVER = "Cracks at the weld.\nSee <b>page 3</b>.", "A mark on the camera."


def _issued(played: Played, count: int) -> tuple[Thing, Sequence[str]]:
    """Recall a machine of the test's own; return it, and the recalls' ids, the newest first."""
    home = played.workshops[0].maker.party.home
    machine = home.identities(SITE).register(IdentityKind.MACHINE, {"name": "Of recalls"})
    thing = Thing(cause=RecallCause.MACHINE, id=Bytes32(machine))
    recalling = home.recalling(SITE)
    for _ in range(count):
        home.indexing.follow()
        recalling.issue(thing, Said(severity=Severity.DANGER, reason=sha256(WHY.encode())))
    home.indexing.follow()
    recalling.close(thing, 1, sha256(OVER.encode()))
    block = home.ledger.head(final=True).number
    until(lambda: indexed(played.node) >= block)
    return thing, [f"{to_hex(thing.key())}.owner.{number}" for number in range(count, 0, -1)]


def test_recalls_are_listed_page_by_page(web: httpx.Client, played: Played) -> None:
    thing, ids = _issued(played, 3)
    query = f"/v1/recalls?thing={thing.name()}"

    seen, path = [], f"{query}&limit=1"
    while path:
        answer = web.get(path)
        page = answer.json()
        seen += [one["id"] for one in page["recalls"]]
        path = page["next"]
        assert answer.headers.get("Link") == (f'<{path}>; rel="next"' if path else None)

    # What was issued in one second stands in the order of the numbers.
    assert seen == ids
    for state, expected in (("open", ids[:2]), ("closed", ids[2:])):
        found = web.get(f"{query}&state={state}").json()["recalls"]
        assert [one["id"] for one in found] == expected
    (one, *_) = web.get(query).json()["recalls"]
    assert web.get(f"{query}&issuer={one['issuer']}").json()["recalls"][0] == one
    assert web.get(f"{query}&issuer=0x{'12' * 32}").json()["recalls"] == []
    assert web.get(f"{query}&cause=design").json()["recalls"] == []


def test_a_recall_is_shown_with_what_was_published_of_it(web: httpx.Client, played: Played) -> None:
    _, (recall,) = _issued(played, 1)
    before = web.get(f"/v1/recalls/{recall}").json()

    for text in (WHY, OVER):
        reason = RecallReason(text)
        answer = web.put(
            f"/v1/disclosures/recallReason/{to_hex(reason.digest)}",
            content=reason.encode(),
            headers=JSON,
        )
        assert (answer.status_code, answer.content) == (204, b"")

    after = web.get(f"/v1/recalls/{recall}").json()
    assert (after["reasonText"], after["closingText"]) == (WHY, OVER)
    assert (before["role"], before["severity"], before["listed"]) == ("owner", "danger", True)
    assert before["reason"] == to_hex(sha256(WHY.encode()))
    assert before["closedAt"] >= before["at"] > 0
    assert before["reaches"] == {"parts": 0, "isUpperBound": False}
    page = web.get("/recalls?show=closed").text
    assert "Cracks at the weld.\nSee &lt;b&gt;page 3&lt;/b&gt;." in page
    assert OVER in page


def test_reasons_that_do_not_fit_are_refused(web: httpx.Client, played: Played) -> None:
    recalled(played)
    digest = to_hex(sha256(b"Cracks at the weld."))
    path = f"/v1/disclosures/recallReason/{digest}"

    other = web.put(path, content=RecallReason("Other").encode(), headers=JSON)
    hidden = web.put(path, content=b'{"reason":"a\\u202eb"}', headers=JSON)
    large = web.put(path, content=b" " * (REASON_LIMITS.size + 1), headers=JSON)
    unknown = web.put(
        f"/v1/disclosures/recallReason/0x{'12' * 32}",
        content=RecallReason("Other").encode(),
        headers=JSON,
    )

    assert (other.status_code, other.json()["code"]) == (422, "recall.reasonMismatch")
    assert (hidden.status_code, hidden.json()["code"]) == (400, "recall.reasonUnreadable")
    assert (large.status_code, large.json()["code"]) == (413, "http.bodyTooLarge")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "disclosure.thingUnknown")


def test_what_reaches_a_part_is_told_for_parts_of_this_node_alone(
    web: httpx.Client, played: Played
) -> None:
    own = web.get(f"/v1/recalls?part={played.parts[0].hint}")
    # The first entry of the log is a receipt.
    others = [web.get(f"/v1/recalls?part={part}") for part in ("1.99999", "1.0", "2.0")]

    assert (own.status_code, own.json()) == (200, {"recalls": [], "next": None})
    assert {(one.status_code, one.json()["code"]) for one in others} == {
        (404, "recall.partUnknown")
    }


@pytest.mark.parametrize(
    "query", ["thing=machine", "cause=serial", "state=both", "since=01", "limit=0", "limit=101"]
)
def test_queries_of_another_form_are_refused(web: httpx.Client, query: str) -> None:
    refused = web.get(f"/v1/recalls?{query}")

    assert (refused.status_code, refused.json()["code"]) == (400, "http.parameterInvalid")


def test_the_console_shows_who_recalls_what(web: httpx.Client, played: Played) -> None:
    recall = recalled(played)

    page, narrow = web.get("/recalls"), web.get("/recalls?show=open")
    unknown = web.get(f"/recalls?after=0x{'12' * 32}.owner.1")
    malformed = web.get("/recalls?after=1")

    assert f"/v1/recalls/{recall}" in page.text
    assert f"/v1/recalls/{recall}" in narrow.text
    assert "As the owner of what is recalled" in page.text
    assert "A false recall can warn of good parts" in page.text
    assert (unknown.status_code, malformed.status_code) == (404, 400)
    assert f"/v1/recalls/{recall}" not in web.get("/recalls?show=closed").text


def test_the_console_lists_few_of_many_recalls_of_one_thing(
    web: httpx.Client, played: Played
) -> None:
    thing, ids = _issued(played, 4)

    page = web.get("/recalls").text

    assert [f"/v1/recalls/{one}" in page for one in ids] == [True, True, True, False]
    assert "Its issuer has 4 recalls of this; the newest 3 are listed." in page
    assert f"/v1/recalls?{urlencode({'thing': thing.name()})}&amp;issuer=" in page
