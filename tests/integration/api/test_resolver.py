"""The resolver's duties, by sections of the GS1-Conformant Resolver Standard, release 1.2."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import httpx
import pytest

from demo.actors import ACCOUNT, MACHINE
from demo.making import fresh_beacon, shown_by_site
from demo.workshop import Workshop
from guildmark.domain import bundle
from guildmark.domain.builds.dsse import envelope_digest
from guildmark.domain.chain.facts import LaneFact
from guildmark.domain.identifiers import Bytes32, Uint256, UnitNumber, to_hex
from guildmark.domain.labels.digital_link import DigitalLink
from guildmark.domain.labels.linkset import CONTEXT
from guildmark.domain.recipes.clauses import clause_root, disclose_all
from guildmark.domain.rights.terms import TermsKind, revision_member, terms_members
from guildmark.ports.store import DocumentKind
from guildmark.services.builds.builds import signing_key
from guildmark.services.index.projection import known
from guildmark.services.recipes.disclosing import clauses_body
from stages import Played, indexed, new_machine, until

pytestmark = [pytest.mark.chain, pytest.mark.needs("anvil")]

GTIN = "09506000134352"
ELSEWHERE = "04012345678901"
VOCABULARY = "https://ref.gs1.org/voc/"
JSON = "application/linkset+json"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@dataclass(frozen=True, kw_only=True)
class Numbered(Workshop):
    """A site whose parts have a GTIN."""

    def label(self, number: int) -> str:
        return DigitalLink.of_part(self.operator.label_host, GTIN, f"{self.lane}-{number}").label


@dataclass(frozen=True, kw_only=True)
class Resolver:
    """A node that resolves, asked by the host of its labels.

    Args:
        part: The path of a part with a GTIN.
        hint: Where its entry is.
    """

    web: httpx.Client
    host: str
    part: str
    hint: str

    @property
    def kind(self) -> str:
        return f"/01/{GTIN}"

    def ask(self, path: str, method: str = "GET", **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.web.request(method, path, headers={"Host": self.host, **named})


@pytest.fixture(scope="module")
def numbered(played: Played) -> Workshop:
    """Return a site with a license of its own, whose labels are below a GTIN."""
    designer, usual, package = played.scene.designer.home, played.workshops[0], played.package
    machine = new_machine(usual.maker, signing_key(usual.maker.machine_home.keys, MACHINE))
    named: Mapping[TermsKind, list[str]] = {
        TermsKind.REVISION: [revision_member(package.revision.design, package.revision.number)],
        TermsKind.RECIPE: [to_hex(package.recipe.id())],
        TermsKind.SITE: [to_hex(usual.maker.site)],
        TermsKind.LABEL_NAMESPACE: [f"https://{usual.operator.label_host}/01/{GTIN}/"],
    }
    members = terms_members(named, new_salt=lambda: Bytes32(designer.entropy.token(32)))
    root = clause_root(members)
    terms = replace(package.terms, units=1, terms_root=root, nonce=Uint256(1_352))
    licenses = designer.licenses(ACCOUNT)
    signed = licenses.sign(terms, licensor=ACCOUNT)
    granted = licenses.grant(signed)
    designer.indexing.follow()
    with designer.store.reading() as view:
        whole = known(view.facts, LaneFact, granted.lane)
    lane = licenses.split(whole, 1, log=usual.operator.log, to=usual.maker.site)
    external = replace(usual.assignment.external, license=signed.id, lane=lane)
    moved = replace(
        usual,
        maker=replace(usual.maker, machine=machine),
        lane=lane,
        first_unit=UnitNumber(1),
        assignment=replace(usual.assignment, external=external, machine=machine),
    )
    fresh_beacon(played.scene)
    block = designer.ledger.head(final=True).number
    until(lambda: indexed(played.node) >= block)
    for shown in shown_by_site(played.scene, moved, package):
        if shown[0] is not DocumentKind.TERMS:
            played.node.disclose(*shown)
    played.node.disclose(DocumentKind.TERMS, signed.id, clauses_body(disclose_all(members)))
    return Numbered(**{one.name: getattr(moved, one.name) for one in fields(moved)})


@pytest.fixture(scope="module")
def part(played: Played, numbered: Workshop) -> tuple[str, str]:
    """Return the label of a part with a GTIN, and where its entry is."""
    beacon = fresh_beacon(played.scene)
    block = played.scene.designer.home.ledger.head(final=True).number
    until(lambda: indexed(played.node) >= block)
    envelope = numbered.build(1, beacon)
    (answer,) = played.node.submit([envelope])
    assert answer["reception"] == "accepted", answer
    digest = envelope_digest(envelope)
    until(lambda: played.node.build(digest)["state"] == "final")
    found = played.node.build(digest)
    return numbered.label(1), f"{found['log']}.{found['index']}"


@pytest.fixture
def resolver(web: httpx.Client, numbered: Workshop, part: tuple[str, str]) -> Resolver:
    host = numbered.operator.label_host
    label, hint = part
    path = label.removeprefix(f"https://{host}")
    return Resolver(web=web, host=host, part=path, hint=hint)


def shown(answer: httpx.Response) -> Mapping[str, Any]:
    """Return the contexts of a linkset by the paths of their anchors."""
    contexts = answer.json()["linkset"]
    return {each["anchor"].partition("/01/")[2]: each for each in contexts}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_part_is_sent_to_its_default_link(
    resolver: Resolver, played: Played, method: str
) -> None:
    """Sections 2.2 and 2.6.1."""
    answer = resolver.ask(resolver.part, method, **BROWSER)

    assert answer.status_code == 307
    assert answer.headers["location"] == f"{played.node.url}/page{resolver.part}"


def test_the_default_link_is_the_page_of_the_verdict(resolver: Resolver) -> None:
    answer = resolver.ask(f"/page{resolver.part}", **BROWSER)

    assert answer.status_code == 200
    assert "Verified on this node's own chain" in answer.text.replace("&#39;", "'")


def test_options_name_the_methods(resolver: Resolver) -> None:
    """Section 2.2."""
    answer = resolver.ask(resolver.part, "OPTIONS")

    assert answer.status_code == 204
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.parametrize("below", ["", "?linkType=linkset", "?linkType=gs1:recipeInfo"])
def test_pages_of_any_host_may_read_the_answer(resolver: Resolver, below: str) -> None:
    """Section 2.2: CORS."""
    answer = resolver.ask(resolver.part + below)

    assert answer.headers["access-control-allow-origin"] == "*"
    assert "Link" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize("path", [f"/01/{GTIN[:-1]}3/21/9", "/01/x", f"/01/{GTIN}/99/1", "/01/"])
@pytest.mark.parametrize("query", ["", "?linkType=linkset"])
def test_what_is_no_digital_link_is_a_bad_request(
    resolver: Resolver, path: str, query: str
) -> None:
    """Sections 2.4.1: 400, and never 200 for an error."""
    assert resolver.ask(path + query).status_code == 400


@pytest.mark.parametrize("query", ["", "?linkType=linkset", "?linkType=gs1:pip"])
def test_an_unknown_kind_is_not_found(resolver: Resolver, query: str) -> None:
    """Section 2.4.1."""
    assert resolver.ask(f"/01/{ELSEWHERE}/21/9{query}").status_code == 404


@pytest.mark.parametrize(
    ("path", "headers"),
    [("?linkType=linkset", {}), ("?linkType=all", BROWSER), ("", {"Accept": JSON})],
)
def test_all_links_are_sent_without_a_redirection(
    resolver: Resolver, path: str, headers: dict[str, str]
) -> None:
    """Sections 2.2 and 2.9; RFC 9264, 4.2."""
    answer = resolver.ask(resolver.part + path, **headers)

    assert (answer.status_code, answer.headers["content-type"]) == (200, JSON)
    assert f'<{CONTEXT}>; rel="http://www.w3.org/ns/json-ld#context"' in answer.headers["link"]
    assert set(shown(answer)) == {resolver.part.removeprefix("/01/"), GTIN}


def test_each_link_has_target_type_title_and_language(resolver: Resolver) -> None:
    """Sections 2.5.1 to 2.5.5 and 2.10."""
    contexts = shown(resolver.ask(f"{resolver.part}?linkType=linkset"))

    links = [
        (relation, link)
        for context in contexts.values()
        for relation, targets in context.items()
        if relation.startswith(VOCABULARY) and not relation.endswith("defaultLink")
        for link in targets
    ]
    assert len(links) == 4
    for _, link in links:
        assert link["href"].startswith("http")
        assert link["title"]
        assert link["hreflang"] == ["en"]
        assert link["type"] in {"text/html", "application/zip"}


def test_each_thing_has_one_default_that_has_a_type_too(resolver: Resolver) -> None:
    """Sections 2.5.8 and 2.5.9."""
    for context in shown(resolver.ask(f"{resolver.part}?linkType=linkset")).values():
        (default,) = context[f"{VOCABULARY}defaultLink"]
        assert set(default) == {"href", "title"}
        assert default["href"] in {link["href"] for link in context[f"{VOCABULARY}pip"]}


@pytest.mark.parametrize("name", ["gs1:traceability", f"{VOCABULARY}traceability"])
def test_a_type_that_is_asked_for_is_sent_to(resolver: Resolver, played: Played, name: str) -> None:
    """Sections 2.6.2 and 2.14."""
    answer = resolver.ask(f"{resolver.part}?linkType={name}")

    assert answer.status_code == 307
    address = httpx.URL(answer.headers["location"])
    assert str(address.copy_with(query=None)) == f"{played.node.url}/evidence/{resolver.hint}"
    evidence = bundle.read(httpx.get(address, timeout=60).content)
    assert f"{evidence.core.record.log}.{evidence.core.index}" == resolver.hint


def test_a_type_that_is_not_there_is_not_found(resolver: Resolver) -> None:
    """Section 2.6.2."""
    answer = resolver.ask(f"{resolver.part}?linkType=gs1:recipeInfo")

    assert (answer.status_code, answer.json()["code"]) == (404, "resolver.linkTypeMissing")


def test_the_whole_query_goes_on(resolver: Resolver) -> None:
    """Section 2.12."""
    answer = resolver.ask(f"{resolver.part}?17=271231&flag&linkType=gs1:pip", **BROWSER)

    assert answer.headers["location"].endswith("?17=271231&flag&linkType=gs1:pip")


def test_a_slash_at_the_end_changes_nothing(resolver: Resolver) -> None:
    """Section 2.13."""
    plain, slashed = (resolver.ask(resolver.part + end) for end in ("", "/"))

    assert (plain.status_code, slashed.status_code) == (307, 307)
    assert plain.headers["location"] == slashed.headers["location"]


def test_the_way_to_all_links_stands_beside_a_redirection(resolver: Resolver) -> None:
    """Section 2.7."""
    header = resolver.ask(resolver.part).headers["link"]

    assert header == f'<{resolver.part}?linkType=linkset>; rel="linkset"; type="{JSON}"'


def test_a_kind_is_sent_to_its_design(resolver: Resolver, played: Played) -> None:
    """Section 2.5.9: a default link for any entry point."""
    answer = resolver.ask(resolver.kind, **BROWSER)

    design = to_hex(played.package.revision.design)
    assert answer.headers["location"] == f"{played.node.url}/designs/{design}"


def test_a_serial_that_is_not_on_record_is_never_sent_to_its_kind(resolver: Resolver) -> None:
    answer = resolver.ask(f"{resolver.kind}/21/none", **BROWSER)

    page = resolver.ask(httpx.URL(answer.headers["location"]).path, **BROWSER)
    assert (answer.status_code, page.status_code) == (307, 404)
    assert "Not found" in page.text


def test_links_of_the_own_form_are_resolved_too(web: httpx.Client, played: Played) -> None:
    host, path = played.parts[0].label.removeprefix("https://").split("/", 1)

    page = web.get(f"/{path}", headers={"Host": host, **BROWSER})
    links = web.get(f"/{path}", headers={"Host": host, "Accept": "application/linkset"})

    assert page.status_code == 200
    assert links.headers["content-type"].startswith("application/linkset")
    assert f'<{played.node.url}/{path}>; rel="{VOCABULARY}pip"' in links.text


def test_the_resolver_describes_itself(resolver: Resolver, played: Played) -> None:
    """Section 3."""
    document = json.loads(resolver.ask("/.well-known/gs1resolver").content)

    assert document["resolverRoot"] == played.node.url
    assert "01" in document["supportedPrimaryKeys"]
    assert document["linkTypeDefaultCanBeLinkset"] is False
    assert document["supportedLinkType"] == [{"namespace": VOCABULARY, "prefix": "gs1:"}]
