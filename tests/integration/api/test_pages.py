"""The pages of a running node, as any browser gets them: in words, without a script."""

import re
import signal
import time
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import httpx
import pytest

from guildmark.domain.identifiers import to_hex
from guildmark.domain.trust import parse
from stages import Played, own_design

pytestmark = [pytest.mark.chain, pytest.mark.needs("anvil")]

PAGE_MAX = 100 * 1024
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


class Page(HTMLParser):
    """What a page loads, links to, and says."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []
        self.headline = ""
        self._in_headline = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._in_headline = tag == "h1"
        for name, value in attrs:
            if name in {"href", "src", "action"}:
                self.addresses.append(value or "")
            if name == "id":
                self.ids.append(value or "")

    def handle_data(self, data: str) -> None:
        if self._in_headline:
            self.headline += data

    def handle_endtag(self, tag: str) -> None:
        self._in_headline = self._in_headline and tag != "h1"


def test_a_good_part_is_verified_in_words(web: httpx.Client, played: Played) -> None:
    part = played.parts[0]

    answer = web.get(f"/parts/{part.hint}", headers=BROWSER)

    page = Page(answer.text)
    assert answer.status_code == 200
    assert page.headline == "Verified on this node's own chain"
    for words in (
        part.label.rsplit("/", 1)[-1],
        f"{part.unit} of 60",
        "Oficina Mondego",
        "stated by Example Register of Makers",
        "Coimbra",
        "in a file",
        "Douro Ledger Services",
        "Signed by the machine, judged by the trust list of",
        "The measurements of this part are simulated.",
        "a label can be copied",
    ):
        assert words in answer.text, words


def test_a_card_says_who_states_what_of_a_maker(web: httpx.Client, played: Played) -> None:
    maker = to_hex(played.workshops[0].maker.party.id)
    (claim,) = web.get(f"/v1/identities/{maker}").json()["claims"]

    answer = web.get(f"/orgs/{maker}", headers=BROWSER)

    assert answer.status_code == 200
    assert Page(answer.text).headline == "Oficina Mondego"
    assert f"/orgs/{claim['issuer']}" in Page(answer.text).addresses
    for words in (
        f"{claim['scheme']} {claim['value']}",
        "Example Register of Makers",
        "issuer listed",
    ):
        assert words in answer.text, words
    for typed in (maker, f"{claim['scheme'].lower()} {claim['value']}"):
        led = web.get("/search", params={"q": typed}, headers=BROWSER)
        assert led.headers["location"] == f"/orgs/{maker}", typed


def test_a_card_of_a_machine_names_its_site(web: httpx.Client, played: Played) -> None:
    maker = played.workshops[0].maker

    page = Page(web.get(f"/orgs/{to_hex(maker.machine)}", headers=BROWSER).text)

    assert any(address.startswith("/orgs/0x") for address in page.addresses)


@pytest.mark.parametrize(
    ("identity", "status"), [("0x" + "12" * 32, 404), ("0x12", 400), ("nobody", 400)]
)
def test_a_card_of_nobody_is_said_so(web: httpx.Client, identity: str, status: int) -> None:
    assert web.get(f"/orgs/{identity}", headers=BROWSER).status_code == status


def test_a_link_leads_to_the_same_page(web: httpx.Client, played: Played) -> None:
    part = played.parts[0]
    path = part.label.removeprefix("https://parts.douro.example")

    hinted = web.get(f"{path}?p={part.hint}", headers=BROWSER)
    named = web.get(path, headers={**BROWSER, "Host": "Parts.Douro.example"})

    assert Page(hinted.text).headline == "Verified on this node's own chain"
    assert Page(named.text).headline == "Verified on this node's own chain"


def test_scans_by_people_are_counted_and_shown(web: httpx.Client, played: Played) -> None:
    part = played.parts[1]
    path = part.label.removeprefix("https://parts.douro.example")
    scanned = f"{path}?p={part.hint}"
    phone = {**BROWSER, "User-Agent": "Mozilla/5.0 (Android 15; Mobile) Firefox/140.0"}

    web.head(scanned, headers=phone)
    web.get(scanned, headers={**phone, "Sec-Purpose": "prefetch"})
    web.get(f"{path}9?p={part.hint}", headers=phone)
    unseen = web.get(scanned, headers=BROWSER)
    web.get(scanned, headers=phone)
    web.get(scanned, headers=phone)

    # A page is kept for a second or two; each who is shown it counts.
    time.sleep(2.1)
    then = web.get(scanned, headers=BROWSER)

    assert "No scan before this one." in unseen.text
    assert "Scanned 2 times before" in then.text
    assert Page(then.text).headline == "Verified on this node's own chain"


def test_a_copied_position_under_another_serial_is_a_problem(
    web: httpx.Client, played: Played
) -> None:
    path = played.parts[0].label.removeprefix("https://parts.douro.example") + "9"

    page = web.get(f"{path}?p={played.parts[0].hint}", headers=BROWSER)

    assert page.status_code == 200
    assert Page(page.text).headline == "Problem found: place in the log"
    assert "Do not rely on this part" in page.text
    assert "verify.labelMismatch" in page.text


@pytest.mark.parametrize(
    ("case", "headline"),
    [
        ("altered", "Problem found: machine's signature"),
        ("unregistered", "Problem found: operator, site and machine"),
        ("over-quota", "Problem found: license and unit"),
    ],
)
def test_a_bad_part_is_a_problem_with_a_name(
    web: httpx.Client, played: Played, case: str, headline: str
) -> None:
    page = web.get(f"/parts/{played.bad[case]}", headers=BROWSER)

    assert page.status_code == 200
    assert Page(page.text).headline == headline


def test_an_unlisted_part_has_the_second_verdict(other_web: httpx.Client, played: Played) -> None:
    page = other_web.get(f"/parts/{played.parts[0].hint}", headers=BROWSER)

    assert Page(page.text).headline == (
        "Verified on this node's own chain, but an issuer is not on this node's trust list"
    )
    assert "Not on the list: the operator of the log, the maker&#39;s issuer" in page.text


@pytest.mark.parametrize(
    ("path", "status", "headline"),
    [
        ("/parts/1.99999", 404, "Not found"),
        ("/id/abcdefgh23456777/9", 404, "Not found"),
        ("/01/09506000134352/21/9", 404, "Not found"),
        ("/search?q=77-00001", 404, "Not found"),
        ("/parts/1.18446744073709551615", 404, "Not found"),
        ("/parts/1.18446744073709551616", 400, "Cannot be read"),
        ("/parts/nothing", 400, "Cannot be read"),
        ("/id/abcdefgh23456777/9?p=x", 400, "Cannot be read"),
        ("/01/09506000134353/21/9", 400, "Cannot be read"),
        ("/id/%00/%ff", 400, "Cannot be read"),
        ("/search?q=%00", 400, "Cannot be read"),
        ("/search", 400, "Cannot be read"),
    ],
)
def test_what_cannot_be_shown_is_said_in_a_page(
    web: httpx.Client, path: str, status: int, headline: str
) -> None:
    answer = web.get(path, headers=BROWSER)

    page = Page(answer.text)
    assert (answer.status_code, page.headline) == (status, headline)
    assert "What to do:" in answer.text
    (code,) = [link for link in page.addresses if link.startswith("/errors#")]
    assert code.removeprefix("/errors#") in Page(web.get("/errors").text).ids


def test_a_chain_that_does_not_answer_cannot_be_checked(web: httpx.Client, played: Played) -> None:
    keeper = played.stage.processes["chain"]
    keeper.send_signal(signal.SIGSTOP)
    try:
        answer = web.get(f"/parts/{played.parts[0].hint}", headers=BROWSER, timeout=120)
        alive = web.get("/healthz")
    finally:
        keeper.send_signal(signal.SIGCONT)

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert Page(answer.text).headline == "Could not check"
    assert alive.status_code == 200


def _pages(played: Played) -> list[str]:
    parts = [f"/parts/{hint}" for hint in (played.parts[0].hint, *played.bad.values())]
    return ["/", *parts, "/parts/1.99999", "/docs"]


def test_a_page_is_small_and_runs_nothing_but_its_verifier(
    web: httpx.Client, played: Played
) -> None:
    for path in _pages(played):
        answer = web.get(path, headers=BROWSER)
        page = Page(answer.text)

        assert len(answer.content) <= PAGE_MAX, path
        assert not {"iframe", "object", "style", "base"} & set(page.tags), path
        assert "style=" not in answer.text, path
        # The part's page alone brings a program, of its own host: its verifier.
        is_part = page.tags.count("script") == 1
        assert is_part == ("/static/verifier/page.js" in page.addresses), path
        assert ("script-src 'self'" in answer.headers["content-security-policy"]) == is_part, path
        assert ("cdn-cache-control" in answer.headers) == is_part, path
        assert is_part == (path.startswith("/parts/") and answer.status_code == 200), path
        assert page.addresses, path
        assert all(re.match(r"[/#](?!/)", address) for address in page.addresses), path


def test_a_page_has_landmarks_one_headline_and_unique_ids(
    web: httpx.Client, played: Played
) -> None:
    for path in _pages(played):
        page = Page(web.get(path, headers=BROWSER).text)

        assert [page.tags.count(tag) for tag in ("header", "main", "footer", "h1")] == [1] * 4
        assert len(set(page.ids)) == len(page.ids), path


def test_every_link_of_a_page_leads_somewhere(web: httpx.Client, played: Played) -> None:
    for path in ("/", f"/parts/{played.parts[0].hint}"):
        page = Page(web.get(path, headers=BROWSER).text)
        links = {link for link in page.addresses if link.startswith("/") and link != "/search"}

        assert {link: web.get(link).status_code for link in links} == dict.fromkeys(links, 200)


def test_the_search_leads_to_the_part(web: httpx.Client, played: Played) -> None:
    part = played.parts[0]
    path = part.label.removeprefix("https://parts.douro.example")

    for typed, place in (
        (part.hint, f"/parts/{part.hint}"),
        (f"  {part.label} ", f"{path}?p={part.hint}"),
        (part.label.replace("https", "http"), f"{path}?p={part.hint}"),
        (f"{part.label}?p={part.hint}", f"{path}?p={part.hint}"),
    ):
        answer = web.get("/search", params={"q": typed})

        assert (answer.status_code, answer.headers["location"]) == (303, place)
        assert web.get(place).status_code == 200


def test_the_home_page_shows_the_newest_entries(web: httpx.Client, played: Played) -> None:
    text = web.get("/", headers=BROWSER).text

    assert "Douro Ledger Services" in text
    # Others may have logged more in the meantime.
    shown = [int(index) for index in re.findall(r'<a href="/parts/1\.([0-9]+)">', text)]
    assert shown == sorted(set(shown), reverse=True)
    assert shown[0] >= max(part.index for part in played.parts if part.log == 1)
    assert {web.get(f"/parts/1.{index}").status_code for index in shown} == {200}


def test_the_trust_list_is_published(web: httpx.Client, played: Played) -> None:
    listed = parse(web.get("/.well-known/guildmark-trust.json").content)

    assert listed.chain == played.scene.designer.home.ledger.pin()
    assert [one.id for one in listed.issuers] == [played.scene.authority.id]


def test_the_reference_names_every_call(web: httpx.Client) -> None:
    text = web.get("/docs", headers=BROWSER).text

    for path in web.get("/openapi.json").json()["paths"]:
        assert f"<code>{path}</code>" in text


@pytest.mark.parametrize("name", ["style.css", "icon.svg"])
def test_static_files_are_served(web: httpx.Client, name: str) -> None:
    assert web.get(f"/static/{name}").status_code == 200


def test_one_program_alone_may_ask_other_hosts(web: httpx.Client) -> None:
    folder = Path(str(files("guildmark.api"))) / "static"

    for file in sorted(folder.rglob("*.js")):
        answer = web.get(f"/static/{file.relative_to(folder)}")
        may = "connect-src" in answer.headers["content-security-policy"]
        assert may is (file.name == "asking.js"), file.name
        # It asks; nothing else does it, not even load another program.
        assert not may or "import" not in file.read_text()
    known = {"If-None-Match": web.get("/static/verifier/asking.js").headers["etag"]}
    again = web.get("/static/verifier/asking.js", headers=known)
    assert again.status_code == 304
    assert "connect-src https: http://localhost:*" in again.headers["content-security-policy"]


@pytest.mark.parametrize(
    "name", ["", "x", "%00", "../app.py", "..%2fapp.py", "%2e%2e/app.py", "a" * 5000, "%ff"]
)
def test_nothing_else_is_served_as_a_file(web: httpx.Client, name: str) -> None:
    assert web.get(f"/static/{name}").status_code == 404


def test_a_design_shows_everybody_what_is_public(web: httpx.Client, played: Played) -> None:
    design = to_hex(played.package.revision.design)

    answer = web.get(f"/designs/{design}", headers=BROWSER)
    led = web.get("/search", params={"q": design}, headers=BROWSER)

    assert answer.status_code == 200
    assert f"/orgs/{to_hex(played.scene.designer.id)}" in answer.text
    assert "licensed copies made" in answer.text
    assert "ticket" not in answer.text
    assert led.headers["location"] == f"/designs/{design}"


def test_a_designs_owner_is_shown_more_by_his_ticket_alone(
    web: httpx.Client, played: Played
) -> None:
    design, own = to_hex(played.package.revision.design), own_design(played)
    ticket = own.partition("?ticket=")[2]

    answer = web.get(own, headers=BROWSER)
    dated = web.get(f"{own}&on=2999-01-01", headers=BROWSER)

    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert "You see this page as the design's owner" in answer.text
    assert "/reconciliation?ticket=" in answer.text
    assert "As it was at the end of 2999-01-01" in dated.text
    for wrong in (f"{ticket[:-1]}{'0' if ticket[-1] != '0' else '1'}", "7-ab", "x"):
        refused = web.get(f"/designs/{design}?ticket={wrong}", headers=BROWSER)
        assert (refused.status_code, "licensed copies" in refused.text) == (403, False)
    other = web.get(f"/designs/0x{'12' * 32}?ticket={ticket}", headers=BROWSER)
    assert other.status_code == 403
    assert web.get(f"{own}&on=yesterday", headers=BROWSER).status_code == 400


@pytest.mark.parametrize(
    ("design", "status"), [("0x" + "12" * 32, 404), ("0x12", 400), ("nobody", 400)]
)
def test_a_design_of_nobody_is_said_so(web: httpx.Client, design: str, status: int) -> None:
    assert web.get(f"/designs/{design}", headers=BROWSER).status_code == status
