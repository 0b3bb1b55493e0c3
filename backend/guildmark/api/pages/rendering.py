"""Templates to bytes: one environment, everything escaped, nothing loaded from other hosts."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("guildmark.api.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(template: str, page: object, *, host: str) -> str:
    """Return a page as HTML.

    Args:
        template: The template's file name.
        page: What the template shows.
        host: The name of this node's host, for the header.
    """
    return _environment().get_template(template).render(page=page, host=host)
