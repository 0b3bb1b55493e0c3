"""The links behind a label as a linkset (RFC 9264), and which of them a request asks for.

GS1-Conformant Resolver Standard 1.2; sections are named where they are followed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from guildmark.domain.encoding.strictjson import JsonObject, JsonValue
from guildmark.domain.errors import NotFoundError

VOCABULARY = "https://ref.gs1.org/voc/"
PREFIX = "gs1:"
CONTEXT = "https://ref.gs1.org/standards/resolver/linkset-context"
"""Makes JSON-LD of a linkset in JSON."""

# Section 2.14; the second is the vocabulary's older address.
_NAMESPACES = (VOCABULARY, "https://gs1.org/voc/", PREFIX)
_DEFAULT = VOCABULARY + "defaultLink"
_LANGUAGE = "en"
_LINKSETS = frozenset({"linkset", "all"})
_HTML = "text/html"


class LinkType(StrEnum):
    """What is behind a link, by the GS1 Web Vocabulary."""

    PAGE = "pip"
    TRACEABILITY = "traceability"
    CERTIFICATION = "certificationInfo"


class Form(StrEnum):
    """How a linkset is written."""

    LINKSET_JSON = "application/linkset+json"
    JSON = "application/json"
    TEXT = "application/linkset"


class LinkTypeMissingError(NotFoundError):
    """There is no link of the type that was asked for."""

    code = "resolver.linkTypeMissing"
    hint = "Ask with linkType=linkset for the links that there are."


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One link.

    Args:
        type: What is behind it.
        href: Its address.
        title: What it is called, in English.
        media_type: What is sent there.
    """

    type: LinkType
    href: str
    title: str
    media_type: str = _HTML


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A thing with its links; the first one is the default.

    Args:
        anchor: The Digital Link that names it.
        description: What it is, in English.
    """

    anchor: str
    description: str
    links: tuple[Link, ...]

    @property
    def default(self) -> Link:
        """Return where a request goes that asks for nothing else (section 2.5.8)."""
        return self.links[0]


def as_json(items: Sequence[Item]) -> JsonObject:
    """Return a linkset as JSON (RFC 9264, 4.2)."""
    return {"linkset": [_context(item) for item in items]}


def as_text(items: Sequence[Item]) -> str:
    """Return a linkset in the form of a Link header field (RFC 9264, 4.1)."""
    lines = [
        f'<{href}>; rel="{relation}"; anchor="{item.anchor}"; title="{title}"{more}'
        for item in items
        for relation, href, title, more in _lines(item)
    ]
    return ",\n".join(lines) + "\n"


def is_linkset(link_type: str | None) -> bool:
    """Return whether a link type asks for all links (sections 2.2 and 2.9)."""
    return link_type in _LINKSETS


def chosen(link_type: str, items: Sequence[Item]) -> Link:
    """Return the link of a type, of the item that is named most closely.

    Args:
        link_type: The name with its prefix, or the full address of the type.
        items: From the most closely named one on.

    Raises:
        LinkTypeMissingError: No item has such a link.
    """
    for item in items:
        for link in item.links:
            if link_type in {space + link.type for space in _NAMESPACES}:
                return link
        if link_type in {space + "defaultLink" for space in _NAMESPACES}:
            return item.default
    message = f"There is no link of the type {link_type[:100]!r}."
    raise LinkTypeMissingError(message)


def form_asked_for(accept: str) -> Form | None:
    """Return the form in which a request wants a linkset, None where it wants a page.

    RFC 9110, 12.5.1; of what is wanted as much as a page, the page is sent, and a form counts only
    where it is named.
    """
    wishes = _wishes(accept)
    page = max(wishes.get(each, 0.0) for each in (_HTML, "application/xhtml+xml"))
    best = max(Form, key=lambda form: wishes.get(form.value, 0.0))
    return best if wishes.get(best.value, 0.0) > page else None


def _wishes(accept: str) -> Mapping[str, float]:
    named = (part.split(";") for part in accept.lower().split(","))
    return MappingProxyType({name.strip(): _weight(rest) for name, *rest in named})


def _weight(parameters: Sequence[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.strip().partition("=")
        if name == "q":
            # What is no number is no wish.
            return float(value) if value.replace(".", "", 1).isdecimal() else 0.0
    return 1.0


def _context(item: Item) -> JsonObject:
    context: dict[str, JsonValue] = {"anchor": item.anchor, "description": item.description}
    context[_DEFAULT] = [{"href": item.default.href, "title": item.default.title}]
    for link in item.links:
        target: JsonObject = {
            "href": link.href,
            "title": link.title,
            "type": link.media_type,
            "hreflang": [_LANGUAGE],
        }
        context[VOCABULARY + link.type] = [target]
    return context


def _lines(item: Item) -> Sequence[tuple[str, str, str, str]]:
    first = (_DEFAULT, item.default.href, item.default.title, "")
    rest = [
        (
            VOCABULARY + link.type,
            link.href,
            link.title,
            f'; type="{link.media_type}"; hreflang="{_LANGUAGE}"',
        )
        for link in item.links
    ]
    return [first, *rest]
