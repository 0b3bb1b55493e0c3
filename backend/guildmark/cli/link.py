"""``guildmark link``: machine to site, site to organization; each side agrees."""

from typing import Annotated

import typer

from guildmark.cli.answers import say
from guildmark.cli.arguments import ACCOUNT, AsJson, Folder, Signer, identity_id
from guildmark.cli.opening import enter
from guildmark.domain.identifiers import IdentityId, to_hex
from guildmark.ports.keys import KeyName

app = typer.Typer(
    help="Link a machine to its site, or a site to its organization.", no_args_is_help=True
)

_Child = Annotated[
    IdentityId,
    typer.Argument(metavar="CHILD", parser=identity_id, help="The machine, or the site."),
]
_Parent = Annotated[
    IdentityId,
    typer.Argument(metavar="PARENT", parser=identity_id, help="Its site, or its organization."),
]


@app.command()
def request(
    child: _Child,
    parent: _Parent,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Ask, in the child's name, to belong to the parent."""
    enter(home).identities(KeyName(account)).request_link(child, parent)
    _say(child, parent, "requested", as_json=as_json)


@app.command()
def accept(
    child: _Child,
    parent: _Parent,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Accept, in the parent's name, a child that asked; the link begins now."""
    enter(home).identities(KeyName(account)).accept_link(child, parent)
    _say(child, parent, "open", as_json=as_json)


@app.command()
def end(
    child: _Child,
    parent: _Parent,
    account: Signer = ACCOUNT,
    home: Folder = None,
    as_json: AsJson = False,
) -> None:
    """End a link, or withdraw a request, in the name of either side."""
    enter(home).identities(KeyName(account)).end_link(child, parent)
    _say(child, parent, "ended", as_json=as_json)


def _say(child: IdentityId, parent: IdentityId, state: str, *, as_json: bool) -> None:
    answer = {"child": to_hex(child), "parent": to_hex(parent), "state": state}
    say(answer, as_json=as_json)
