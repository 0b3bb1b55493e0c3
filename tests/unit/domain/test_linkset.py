"""Linksets: both forms, which link a request asks for, and in which form it wants them all."""

from typing import cast

import pytest

from guildmark.domain.labels import linkset
from guildmark.domain.labels.linkset import Form, Item, Link, LinkType

PAGE = Link(type=LinkType.PAGE, href="https://n.example/page/01/1/21/2", title="Proven")
ZIP = Link(
    type=LinkType.TRACEABILITY, href="https://n.example/e/1.0", title="Kept", media_type="a/zip"
)
DESIGN = Link(type=LinkType.PAGE, href="https://n.example/designs/9", title="Design")
PART = Item(anchor="https://n.example/01/1/21/2", description="One", links=(PAGE, ZIP))
KIND = Item(anchor="https://n.example/01/1", description="All", links=(DESIGN,))


def test_json_has_each_item_with_its_default_and_its_links() -> None:
    part, kind = cast("list[dict[str, object]]", linkset.as_json([PART, KIND])["linkset"])

    assert part == {
        "anchor": "https://n.example/01/1/21/2",
        "description": "One",
        "https://ref.gs1.org/voc/defaultLink": [
            {"href": "https://n.example/page/01/1/21/2", "title": "Proven"}
        ],
        "https://ref.gs1.org/voc/pip": [
            {
                "href": "https://n.example/page/01/1/21/2",
                "title": "Proven",
                "type": "text/html",
                "hreflang": ["en"],
            }
        ],
        "https://ref.gs1.org/voc/traceability": [
            {
                "href": "https://n.example/e/1.0",
                "title": "Kept",
                "type": "a/zip",
                "hreflang": ["en"],
            }
        ],
    }
    assert kind["anchor"] == "https://n.example/01/1"


def test_text_has_a_line_for_each_link() -> None:
    lines = linkset.as_text([KIND]).splitlines()

    assert lines == [
        '<https://n.example/designs/9>; rel="https://ref.gs1.org/voc/defaultLink"; '
        'anchor="https://n.example/01/1"; title="Design",',
        '<https://n.example/designs/9>; rel="https://ref.gs1.org/voc/pip"; '
        'anchor="https://n.example/01/1"; title="Design"; type="text/html"; hreflang="en"',
    ]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("gs1:pip", PAGE),
        ("https://ref.gs1.org/voc/pip", PAGE),
        ("https://gs1.org/voc/traceability", ZIP),
        ("gs1:defaultLink", PAGE),
    ],
)
def test_the_closest_link_of_a_type_is_chosen(name: str, found: Link) -> None:
    assert linkset.chosen(name, [PART, KIND]) == found


def test_a_default_may_be_that_of_the_kind() -> None:
    assert linkset.chosen("gs1:defaultLink", [KIND]) == DESIGN


@pytest.mark.parametrize("name", ["pip", "gs1:recipeInfo", "", "https://x.example/pip"])
def test_a_type_that_is_not_there_is_missing(name: str) -> None:
    with pytest.raises(linkset.LinkTypeMissingError):
        linkset.chosen(name, [PART, KIND])


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", None),
        ("*/*", None),
        ("text/html,application/xhtml+xml,*/*;q=0.8", None),
        ("application/linkset+json", Form.LINKSET_JSON),
        ("Application/JSON", Form.JSON),
        ("application/linkset", Form.TEXT),
        ("text/html;q=0.5, application/linkset+json;q=0.6", Form.LINKSET_JSON),
        ("text/html, application/linkset+json", None),
        ("application/linkset;q=0.9, application/json; q=0.2", Form.TEXT),
        ("application/json;q=0", None),
        ("application/json;q=much", None),
        ("application/json; charset=utf-8", Form.JSON),
    ],
)
def test_a_form_is_sent_where_it_is_wanted_more_than_a_page(accept: str, form: Form | None) -> None:
    assert linkset.form_asked_for(accept) == form


@pytest.mark.parametrize(
    ("name", "is_all"), [("linkset", True), ("all", True), ("gs1:pip", False), (None, False)]
)
def test_all_links_are_asked_for_by_two_names(name: str | None, is_all: bool) -> None:
    assert linkset.is_linkset(name) == is_all
