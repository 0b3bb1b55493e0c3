"""What a part's page says of its hidden code, and what the pages that take the code say."""

import json
from dataclasses import replace
from urllib.parse import urlencode

import pytest

from fakes.cases.second import CODE
from fakes.world import make_world
from guildmark.api.pages.claimed import (
    Sent,
    claim_file,
    claimed_page,
    hidden,
    offered_page,
    read_form,
    refused_page,
)
from guildmark.api.pages.rendering import render
from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.errors import GuildmarkError, MalformedError
from guildmark.domain.identifiers import Bytes32, Digest, Index, LogNumber, to_hex
from guildmark.domain.labels.activation import (
    ClaimedBeforeError,
    ClaimFile,
    CodeMalformedError,
    CodeWrongError,
    FirstClaim,
    PartNotHereError,
    TriedTooOftenError,
    byproducts,
)
from guildmark.domain.log.note import Note, NoteSignature

PLACE = (LogNumber(1), Index(16))
TOKEN = Bytes32(sha256(b"mine"))
SENT = Sent(code=CODE, token=TOKEN, wants_file=False)
RECEIPT = Note(
    text=FirstClaim(
        origin="a.example/log",
        log=PLACE[0],
        index=PLACE[1],
        commitment=Digest(bytes(32)),
        claimant=sha256(TOKEN),
        time=1_800_000_000,
    ).text(),
    signatures=(NoteSignature(name="a.example/log", key=bytes(4), value=bytes(64)),),
)


def _statement(count: int) -> BuildStatement:
    statement = make_world().statement(1)
    named = byproducts(code=CODE.digest(statement.label), chip=None)
    others = [replace(named[0], digest=sha256(bytes([each]))) for each in range(count)]
    return replace(statement, byproducts=(*named, *others)[:count])


def test_a_part_that_nobody_claimed_has_a_form() -> None:
    found = hidden(_statement(1), PLACE, is_here=True, first=None)

    assert found is not None
    assert (found.said, found.action) == ("Nobody claimed this part yet.", "/parts/1.16/claim")


def test_a_claimed_part_says_since_which_hour_and_takes_no_code() -> None:
    found = hidden(_statement(1), PLACE, is_here=True, first=1_800_003_599)

    assert found is not None
    assert (found.said, found.action) == ("Claimed since the hour of 2027-01-15 08:00 UTC.", "")
    assert found.is_claimed


def test_another_logs_part_is_claimed_at_its_node() -> None:
    found = hidden(_statement(1), PLACE, is_here=False, first=None)

    assert found is not None
    assert (found.said, found.action) == ("Claimed or not: the node of log 1 knows.", "")
    assert not found.is_claimed


@pytest.mark.parametrize("count", [0, 2])
def test_nothing_is_said_where_no_single_code_is_named(count: int) -> None:
    assert hidden(_statement(count), PLACE, is_here=True, first=None) is None
    assert hidden(None, PLACE, is_here=True, first=None) is None


def test_a_form_is_read_and_keeps_its_secrets() -> None:
    body = urlencode({"code": CODE.text().lower(), "token": to_hex(TOKEN), "file": "1"})

    sent = read_form(body.encode())
    first = read_form(urlencode({"code": CODE.text(), "token": ""}).encode())

    assert (sent.code, sent.token, sent.wants_file) == (CODE, TOKEN, True)
    assert (first.code, first.token, first.wants_file) == (CODE, None, False)
    assert str(CODE.number) not in repr(sent)
    assert TOKEN.hex() not in repr(sent)


@pytest.mark.parametrize("body", [b"", b"code=", b"\xff=1", b"a=1&b=2&c=3&code=4", b"other=1"])
def test_what_is_no_form_of_ours_has_no_code(body: bytes) -> None:
    with pytest.raises(CodeMalformedError):
        read_form(body)


def test_a_token_has_one_spelling() -> None:
    with pytest.raises(MalformedError):
        read_form(urlencode({"code": CODE.text(), "token": "0x12"}).encode())


def test_the_right_code_is_followed_by_a_question_with_a_token() -> None:
    html = render("claim.html", offered_page("1.16", SENT, TOKEN), host="a.example")

    assert "The code is right" in html
    assert f'name="token" value="{to_hex(TOKEN)}"' in html
    assert 'method="post" action="/parts/1.16/claim"' in html
    assert "Claim this part</button>" in html
    assert 'name="file"' not in html


def test_the_first_claim_is_shown_with_its_receipt_and_saved() -> None:
    html = render("claim.html", claimed_page("1.16", SENT, RECEIPT), host="a.example")
    kept = ClaimFile.parse(claim_file(SENT, RECEIPT))

    assert "You are the first to claim part 1.16 at this node, at 2027-01-15T08:00:00Z." in html
    assert "guildmark/activation/v1\na.example/log\n1.16\n" in html
    assert 'name="file"' in html
    assert (kept.code, kept.token, kept.receipt) == (CODE, TOKEN, RECEIPT)
    assert json.loads(claim_file(SENT, RECEIPT))["code"] == CODE.text()


@pytest.mark.parametrize(
    ("error", "headline", "tone", "asks"),
    [
        (ClaimedBeforeError("Part 1.16 was claimed before."), "Possible copy", "bad", ""),
        (CodeWrongError("Another code."), "Not claimed", "care", "code"),
        (CodeMalformedError("A letter is wrong."), "Not claimed", "care", "code"),
        (TriedTooOftenError("Too many.", seconds=60), "Not claimed", "care", "code"),
        (PartNotHereError("No such part."), "Not claimed", "care", ""),
    ],
)
def test_a_refused_claim_says_why_and_what_to_do(
    error: GuildmarkError, headline: str, tone: str, asks: str
) -> None:
    page = refused_page("1.16", error)
    html = render("claim.html", page, host="a.example")

    assert (page.headline, page.tone, page.asks) == (headline, tone, asks)
    assert error.message in html
    assert error.code in html
    assert ("Type the code again" in html) is bool(asks)
