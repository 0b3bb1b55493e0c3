"""Operators' nodes, as commands ask them."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pkgutil import walk_packages

from guildmark import domain, services
from guildmark.adapters.peers.client import NodeClient, PeerRefusedError
from guildmark.domain.errors import GuildmarkError, UsageError, error_of
from guildmark.ports.store import DocumentKind
from guildmark.services.recipes.disclosing import DisclosedThingUnknownError

_WAITS = (0.2, 0.5, 1, 2, 4, 8, 16)


class NodeAddressError(UsageError):
    """A node's address does not begin with http:// or https://."""

    code = "cli.nodeAddressMalformed"
    hint = "Write the node's address as http://HOST:PORT."


@contextmanager
def asking(url: str) -> Iterator[NodeClient]:
    """Open a node's client; what the node refuses is raised as the error that it names.

    Raises:
        NodeAddressError: The address is none.
        PeerUnavailableError: The node does not answer.
        GuildmarkError: The node refuses.
    """
    check_address(url)
    with NodeClient(url.rstrip("/")) as client:
        try:
            yield client
        except PeerRefusedError as refused:
            kind = known_error(str(refused.detail.get("reason", "")))
            raise (refused if kind is None else kind(refused.message)) from refused


def check_address(url: str) -> None:
    """Check that text is a node's address, before anything is done that it is for.

    Raises:
        NodeAddressError: It is none.
    """
    if not url.startswith(("http://", "https://")):
        message = f"{url[:80]!r} is no address of a node."
        raise NodeAddressError(message, found=url[:80])


def show_to(nodes: Iterable[str], kind: DocumentKind, thing: bytes, body: bytes) -> None:
    """Disclose a document to nodes, one after the other.

    Raises:
        NodeAddressError: An address is none.
        PeerUnavailableError: A node does not answer.
        GuildmarkError: A node refuses.
    """
    for url in nodes:
        with asking(url) as client:
            client.disclose(kind, thing, body)


def show_new(nodes: Iterable[str], kind: DocumentKind, thing: bytes, body: bytes) -> None:
    """Disclose what was just put on chain to nodes, which may not have read that block yet.

    Raises:
        GuildmarkError: As ``show_to``, after a while where a node does not know the thing.
    """
    for url in nodes:
        for wait in (*_WAITS, None):
            try:
                show_to([url], kind, thing, body)
            except DisclosedThingUnknownError:
                if wait is None:
                    raise
                time.sleep(wait)
            else:
                break


def known_error(code: str) -> type[GuildmarkError] | None:
    """Return the error that a code stands for, None where this release has no such code."""
    found = error_of(code)
    if found is None:
        # What a node refuses by may be defined where no command of this process has been.
        for package in (domain, services):
            for module in walk_packages(package.__path__, f"{package.__name__}."):
                # Not every extra is installed where commands run.
                with suppress(ModuleNotFoundError):
                    import_module(module.name)
        found = error_of(code)
    return found
