"""What holds for every route, new ones included: HEAD is GET, unknown is 404, malformed is 400."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from fastapi.routing import APIRoute

from demo.actors import ACCOUNT, MACHINE
from fakes.images import png
from guildmark.api.app import described
from guildmark.api.pages import routes as pages
from guildmark.domain.builds.dsse import envelope_digest
from guildmark.domain.identifiers import to_hex
from guildmark.domain.identity.identity import key_id
from guildmark.ports.keys import KeyName
from guildmark.ports.store import DocumentKind
from guildmark.services.builds.builds import signing_key
from guildmark.settings import load
from stages import Played, published_plan, recalled, reconciliation

pytestmark = [pytest.mark.chain, pytest.mark.needs("anvil")]

# For each name in a path: well-formed values that nothing has, and values that nothing can have.
HEX_UNKNOWN = ["0x" + "12" * 32, "0x" + "00" * 32, "0x" + "ff" * 32]
HEX_MALFORMED = ["0x12", "12" * 32, "0x" + "AB" * 32, "0x" + "1g" * 32, "0x" + "12" * 33]
UNKNOWN = {
    "identity": HEX_UNKNOWN,
    "machine": HEX_UNKNOWN,
    "design": HEX_UNKNOWN,
    "license_id": HEX_UNKNOWN,
    "digest": HEX_UNKNOWN,
    "request_digest": HEX_UNKNOWN,
    "key": HEX_UNKNOWN,
    "recipe": HEX_UNKNOWN,
    "plan": HEX_UNKNOWN,
    "result": HEX_UNKNOWN,
    "recall": [f"{HEX_UNKNOWN[0]}.owner.1", f"{HEX_UNKNOWN[0]}.{HEX_UNKNOWN[2]}.999999999999"],
    "part": ["1.99999", "99.0", "999999999999.999999999999999999"],
    "log": ["99", "1099511627775"],
    "seq": ["99999", "1099511627775"],
    "cid": ["bafkrei" + "a" * 52, "bafybei" + "a" * 52],
    "upload": ["12" * 16, "0" * 32],
    "token": ["12" * 16, "0" * 32],
    "account": ["0x" + "12" * 20, "0x" + "00" * 20],
    "site": HEX_UNKNOWN,
    "level": ["7"],
    "tile": ["001", "000.p/200", "x001/234", "x999/x999/999"],
    "old": ["99999", "1099511627775"],
    "new": ["99999", "1099511627775"],
}
MALFORMED = {
    "identity": HEX_MALFORMED,
    "machine": HEX_MALFORMED,
    "design": HEX_MALFORMED,
    "license_id": HEX_MALFORMED,
    "digest": HEX_MALFORMED,
    "request_digest": HEX_MALFORMED,
    "key": HEX_MALFORMED,
    "recipe": HEX_MALFORMED,
    "plan": HEX_MALFORMED,
    "result": HEX_MALFORMED,
    "recall": [
        *HEX_MALFORMED,
        f"{HEX_UNKNOWN[0]}.1",
        f"{HEX_UNKNOWN[0]}.owner.0",
        f"{HEX_UNKNOWN[0]}.owner.01",
        f"{HEX_UNKNOWN[0]}.Owner.1",
    ],
    "part": ["1", "1.", ".1", "0.1", "01.1", "1.01", "1.1.1", "-1.0", "a.b", "1" * 13 + ".0"],
    "log": ["-1", "01", "1e3", "0x1", "1099511627776", "9" * 40, "a", "%2B1"],
    "seq": ["-1", "00", "1_0", "1099511627776", "9" * 40, "a", "%D9%A1"],
    "upload": ["12", "0x" + "12" * 16, "AB" * 16, "1g" * 16, "12" * 17],
    "token": ["12", "0x" + "12" * 16, "AB" * 16, "1g" * 16, "12" * 17],
    "account": ["0x12", "12" * 20, "0x" + "AB" * 20, "0x" + "1g" * 20, "0x" + "12" * 21],
    "site": HEX_MALFORMED,
    "level": ["-1", "8", "00", "a"],
    "tile": ["0", "0000", "001/000", "x000/001", "000.p/0", "000.p/256", "000.p/05", "x1/000"],
    "old": ["0", "-1", "01", "1099511627776", "a"],
    "new": ["0", "-1", "01", "1099511627776", "a"],
    "cid": ["Qm" + "a" * 44, "bafkrei", "BAFKREI" + "A" * 52, "bafkrei" + "1" * 52],
}
# What a route cannot do without, beside its path.
NEEDED = {
    "/v1/identities/{identity}/accredited": "?standard=ISO%209001",
    "/v1/machines/{machine}/brief": f"?key={HEX_UNKNOWN[0]}&lane=1&siteRecipe={HEX_UNKNOWN[0]}",
}


def operations(method: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the described paths of a method with the names in each."""
    paths: dict[str, Any] = described().openapi()["paths"]
    for path, found in sorted(paths.items()):
        if method in found:
            parameters = found[method].get("parameters", [])
            yield path, [each["name"] for each in parameters if each["in"] == "path"]


def good(played: Played) -> dict[str, str]:
    """Return a value that is there for each name."""
    workshop, revision = played.workshops[0], played.package.revision
    machine_key = signing_key(workshop.maker.machine_home.keys, MACHINE)
    found = played.node.build(envelope_digest(played.envelopes[1]))
    plan = published_plan(played)
    report = httpx.get(f"{played.node.url}/v1/equivalence/plans/{to_hex(plan)}/report").json()
    cid = httpx.get(f"{played.node.url}/v1/designs/{to_hex(revision.design)}").json()
    picture = played.scene.designer.home.pictures.publish(
        revision.design, png(), key=KeyName("account")
    )
    played.node.disclose(DocumentKind.DESIGN_PICTURE, revision.design, picture)
    return {
        "identity": to_hex(workshop.maker.site),
        "machine": to_hex(workshop.assignment.machine),
        "design": to_hex(revision.design),
        "license_id": to_hex(workshop.assignment.external.license),
        "license_": to_hex(workshop.assignment.external.license),
        "digest": found["digest"],
        "request_digest": to_hex(workshop.request),
        "recipe": to_hex(played.package.recipe.id()),
        "plan": to_hex(plan),
        "result": report["resultDigest"],
        "name": "intervals.svg",
        "recall": recalled(played),
        "part": played.parts[0].hint,
        "log": "1",
        "seq": "0",
        "cid": cid["revisions"][0]["cid"],
        "upload": httpx.post(f"{played.node.url}/v1/uploads?size=1").json()["upload"],
        "token": invited(played),
        "account": "0x" + "12" * 20,
        "site": to_hex(played.workshops[1].maker.site),
        "level": "0",
        "tile": "000.p/1",
        "old": "1",
        "new": "1",
        "?/v1/machines/{machine}/brief": "?"
        + urlencode(
            {
                "key": to_hex(key_id(workshop.assignment.machine, machine_key)),
                "lane": workshop.lane,
                "siteRecipe": to_hex(workshop.site_recipe),
            }
        ),
    }


def invited(played: Played) -> str:
    """Return the token of an invitation of the first operator."""
    home = played.scene.operators[0].party.home
    # Opened before its node table was written.
    home = replace(home, settings=load(home.settings.home))
    return home.inviting(ACCOUNT).invite(seconds=3600, coin=0)[0]


def filled(path: str, values: dict[str, str]) -> str:
    """Return an address: names in the path filled, and what a route always asks for."""
    query = values.get(f"?{path}", NEEDED.get(path, ""))
    for name, value in values.items():
        path = path.replace(f"{{{name}:path}}", value).replace(f"{{{name}}}", value)
    assert "{" not in path, path
    return path + query


def gets(played: Played) -> list[str]:
    """Return an address that is answered for each route with GET, pages included."""
    values = good(played)
    queries = {
        "/v1/parts": f"?label={played.parts[0].label}",
        "/v1/serials": f"?serial={played.parts[0].label.rsplit('/', 1)[-1]}",
        "/v1/identities": "?scheme=CAGE&value=1ABC2",
        "/search": "?q=1.0",
        "/names": "?q=nobody",
        "/licenses/{license_}/reconciliation": "?" + reconciliation(played).partition("?")[2],
    }
    described_paths = [path for path, _ in operations("get")]
    routes = [route for route in pages.router.routes if isinstance(route, APIRoute)]
    page_paths = [route.path for route in routes if "GET" in (route.methods or ())]
    paths = (*described_paths, *page_paths)
    addresses = [filled(path, values) + queries.get(path, "") for path in paths]
    return [*addresses, "/static/style.css"]


def test_head_is_get_without_a_body_on_every_route(web: httpx.Client, played: Played) -> None:
    addresses = gets(played)

    assert len(addresses) >= 25
    for address in addresses:
        got, head = web.get(address), web.head(address)

        assert got.status_code in {200, 303}, (address, got.text[:300])
        assert head.status_code == got.status_code, address
        assert head.content == b"", address
        assert head.headers.get("content-type") == got.headers.get("content-type"), address
        assert head.headers.get("etag") == got.headers.get("etag"), address


def test_head_of_what_is_not_there_is_the_same_refusal(web: httpx.Client) -> None:
    for path, names in operations("get"):
        if names:
            address = filled(path, {name: UNKNOWN[name][0] for name in names})
            head = web.head(address)

            assert (head.status_code, head.content) == (404, b""), address
            assert head.headers["content-type"] == "application/problem+json", address


def test_well_formed_and_unknown_is_not_found(web: httpx.Client, played: Played) -> None:
    values = good(played)
    for path, names in operations("get"):
        for name in names:
            for value in UNKNOWN[name]:
                # Each name in turn, the others naming what is there.
                address = filled(path, {**values, name: value})
                answer = web.get(address)

                document = answer.json()
                assert (answer.status_code, document.get("status")) == (404, 404), address
                assert answer.headers["content-type"] == "application/problem+json"
                assert document["code"] != "http.notFound", address
                assert document["nextStep"]


@pytest.mark.parametrize("method", ["get", "put"])
def test_malformed_is_refused(web: httpx.Client, played: Played, method: str) -> None:
    values = good(played)
    for path, names in operations(method):
        for name in names:
            for value in MALFORMED[name]:
                address = filled(path, {**values, name: value})
                answer = web.request(method, address, content=b"{}" if method == "put" else None)

                document = answer.json()
                assert (answer.status_code, document["code"]) == (
                    400,
                    "http.parameterInvalid",
                ), (address, document)


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/parts/1.99999", 404, "part.unknown"),
        ("/parts/1.01", 400, "id.malformedPart"),
        ("/id/abcdefgh23456777/9", 404, "part.labelUnknown"),
        ("/search?q=1.99999", 303, None),
        ("/search?q=nobody-has-this", 404, "part.labelUnknown"),
    ],
)
def test_pages_tell_unknown_from_malformed(
    web: httpx.Client, path: str, status: int, code: str | None
) -> None:
    answer = web.get(path)

    assert answer.status_code == status, answer.text[:500]
    assert code is None or code in answer.text
