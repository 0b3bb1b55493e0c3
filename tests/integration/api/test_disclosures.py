"""Documents behind digests on chain, over HTTP: kept where they fit, refused by code."""

import json
from dataclasses import replace
from io import BytesIO

import httpx
import pytest

from demo.making import shown_by_site
from fakes.images import png
from guildmark.bootstrap import Home
from guildmark.domain.identifiers import to_hex
from guildmark.domain.recipes.approval import DESIGNER, KeptApprovals
from guildmark.domain.recipes.recipe import Recipe, Status
from guildmark.ports.keys import KeyName
from guildmark.ports.store import DocumentKind
from guildmark.services.recipes.disclosing import DISCLOSURE_LIMITS
from guildmark.services.rights.designs import SourceFile
from stages import Played, until

pytestmark = [pytest.mark.chain, pytest.mark.needs("anvil")]

JSON = {"Content-Type": "application/json"}
UNKNOWN = "0x" + "12" * 32
ACCOUNT = KeyName("account")
KINDS = ("terms", "recipe", "siteRecipe", "claim", "profile")


def _documents(played: Played) -> dict[str, tuple[str, bytes]]:
    """Return a document of each kind with the id of what it opens."""
    shown = shown_by_site(played.scene, played.workshops[0], played.package)
    return {kind.value: (to_hex(key), body) for kind, key, body in shown}


def test_a_document_that_fits_is_kept_however_often_it_comes(
    web: httpx.Client, played: Played
) -> None:
    documents = _documents(played)

    assert set(documents) == set(KINDS)
    for kind, (key, body) in documents.items():
        answer = web.put(f"/v1/disclosures/{kind}/{key}", content=body, headers=JSON)
        assert (answer.status_code, answer.content) == (204, b""), kind


@pytest.mark.parametrize("kind", KINDS)
def test_a_document_of_nothing_on_chain_is_refused(
    web: httpx.Client, played: Played, kind: str
) -> None:
    _, body = _documents(played)[kind]

    refused = web.put(f"/v1/disclosures/{kind}/{UNKNOWN}", content=body, headers=JSON)

    assert (refused.status_code, refused.json()["code"]) == (404, "disclosure.thingUnknown")


@pytest.mark.parametrize("kind", ["terms", "recipe", "siteRecipe", "profile"])
def test_a_document_of_another_thing_is_refused(
    web: httpx.Client, played: Played, kind: str
) -> None:
    key, body = _documents(played)[kind]
    salted = json.loads(body)
    if kind == "profile":
        salted["name"] = "Another Works"
    else:
        salted["leaves"][0] = UNKNOWN

    refused = web.put(f"/v1/disclosures/{kind}/{key}", content=json.dumps(salted), headers=JSON)

    assert refused.status_code == 422, refused.text


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "json.malformed"),
        (b"{", "json.malformed"),
        (b"\xff\xfe{\x00", "json.notUtf8"),
        (b'{"leaves":[],"leaves":[]}', "json.duplicateKey"),
        (b'{"leaves":NaN}', "json.notFinite"),
        (b'{"leaves":1e400}', "json.notFinite"),
        (b'{"leaves":"\\ud800"}', "json.loneSurrogate"),
        (b'{"leaves":9007199254740993}', "json.integerTooLarge"),
        (b'{"opened":[]}', "document.memberMissing"),
        (b"[]", "json.notObject"),
    ],
)
def test_a_document_outside_the_input_profile_is_refused(
    web: httpx.Client, played: Played, body: bytes, code: str
) -> None:
    key, _ = _documents(played)["terms"]

    refused = web.put(f"/v1/disclosures/terms/{key}", content=body, headers=JSON)

    assert (refused.status_code, refused.json()["code"]) == (400, code)


def test_a_document_has_bounds(web: httpx.Client, played: Played) -> None:
    key, _ = _documents(played)["terms"]
    body = b" " * (DISCLOSURE_LIMITS.size + 1)

    refused = web.put(f"/v1/disclosures/terms/{key}", content=body, headers=JSON)

    assert (refused.status_code, refused.json()["code"]) == (413, "http.bodyTooLarge")


def test_a_document_is_json(web: httpx.Client, played: Played) -> None:
    key, body = _documents(played)["terms"]

    refused = web.put(f"/v1/disclosures/terms/{key}", content=body)

    assert (refused.status_code, refused.json()["code"]) == (415, "http.mediaTypeUnsupported")


@pytest.mark.parametrize("kind", ["part", "package", "files", "label", "recipeDocument", "x"])
def test_other_kinds_are_no_doors(web: httpx.Client, kind: str) -> None:
    refused = web.put(f"/v1/disclosures/{kind}/{UNKNOWN}", content=b"{}", headers=JSON)

    assert (refused.status_code, refused.json()["code"]) == (404, "http.notFound")


def test_an_owner_alone_shows_a_picture_of_his_design_and_takes_it_back(
    web: httpx.Client, played: Played
) -> None:
    """A design of the test's own, so that no other test sees the picture."""
    designer, stranger = played.scene.designer.home, played.scene.makers[0].party.home
    source = SourceFile(name="part.txt", media_type="text/plain", content=BytesIO(b"part"))
    design = designer.designs(ACCOUNT).register([source])
    page = f"/designs/{to_hex(design)}"
    until(lambda: web.get(page).status_code == 200)

    def sent(home: Home, image: bytes) -> httpx.Response:
        body = home.pictures.publish(design, image, key=ACCOUNT)
        return web.put(
            f"/v1/disclosures/designPicture/{to_hex(design)}", content=body, headers=JSON
        )

    bare = web.get(f"{page}/picture.png")
    refused = sent(stranger, png(9))
    taken = sent(designer, png())
    shown, text = web.get(f"{page}/picture.png"), web.get(page).text
    again = web.get(f"{page}/picture.png", headers={"If-None-Match": shown.headers["etag"]})
    withdrawn = sent(designer, b"")
    stale = web.put(
        f"/v1/disclosures/designPicture/{to_hex(design)}",
        content=taken.request.content,
        headers=JSON,
    )

    assert (bare.status_code, refused.status_code, taken.status_code) == (404, 403, 204)
    assert refused.json()["code"] == "design.pictureNotOwners"
    assert (shown.content, shown.headers["content-type"]) == (png(), "image/png")
    assert f'src="{page}/picture.png"' in text
    assert again.status_code == 304
    assert (withdrawn.status_code, stale.status_code) == (204, 409)
    assert stale.json()["code"] == "design.pictureStale"
    assert web.get(f"{page}/picture.png").status_code == 404
    assert "picture.png" not in web.get(page).text


def test_approvals_are_shown_to_a_node_and_read_there(web: httpx.Client, played: Played) -> None:
    """A recipe of the test's own, so that no other test sees who approves it."""
    home, document = played.scene.designer.home, played.package.document
    source = SourceFile(name="own.txt", media_type="text/plain", content=BytesIO(b"own"))
    design = home.designs(ACCOUNT).register([source])
    recipe = Recipe(root=document.root(), design=design, revision=1)
    key = home.recipes(ACCOUNT).publish(recipe, document, status=Status.TRIAL)
    home.indexing.follow()
    signed = home.approving.approve_published(
        key, key=ACCOUNT, reason="as drawn", approver=DESIGNER, standard=""
    )
    path, body = (
        f"/v1/disclosures/approvals/{to_hex(key)}",
        home.disclosing.show(DocumentKind.APPROVALS, key),
    )
    until(lambda: web.get(f"/v1/recipes/{to_hex(key)}/approvals").status_code == 200)

    before = web.get(f"/v1/recipes/{to_hex(key)}/approvals").json()
    taken = [web.put(path, content=body, headers=JSON).status_code for _ in range(2)]
    after = web.get(f"/v1/recipes/{to_hex(key)}/approvals").json()
    false = KeptApprovals(approvals=(replace(signed, signature=bytes(65)),)).encode()
    refused = web.put(path, content=false, headers=JSON)
    nowhere = web.put(path.replace(to_hex(key), UNKNOWN), content=body, headers=JSON)

    assert before == {"recipe": to_hex(key), "approvals": [], "override": None}
    assert taken == [204, 204]
    (row,) = after["approvals"]
    assert (row["name"], row["reason"], row["lack"]) == ("The designer", "as drawn", None)
    assert (refused.status_code, refused.json()["code"]) == (422, "recipe.approvalRefused")
    assert nowhere.status_code == 404
