"""Under which hosts the labels of this node's parts may be."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from starlette.requests import Request

from guildmark.api.routes.parts import LabelUnknownError
from guildmark.api.serving import ServedNode
from guildmark.domain.chain.facts import LogFact
from guildmark.domain.identifiers import Index, LogNumber

# Enough to meet each host of a log whose makers log in turns.
_NEWEST = 20


def own_hosts(node: ServedNode, request: Request) -> tuple[str, ...]:
    """Return this node's own host, and the one that was asked for."""
    return node.judging.host, request.headers.get("host", "").lower()


def located(node: ServedNode, path: str, request: Request) -> tuple[LogNumber, Index]:
    """Return where the entry of a label with this path is.

    Labels are of this node's own host, of the host that was asked for, or of a maker's: those of
    the newest entries are tried.

    Raises:
        LabelUnknownError: No entry that this node knows carries the label.
    """
    for host in dict.fromkeys([*own_hosts(node, request), *_makers_hosts(node)]):
        found = node.bundles.locate(f"https://{host}{path}")
        if found is not None:
            return found
    message = "No entry of this node's log carries this label."
    raise LabelUnknownError(message)


def _makers_hosts(node: ServedNode) -> Iterator[str]:
    log = node.settings.log
    with node.store.reading() as view:
        head = view.facts.get(LogFact, log)
        size = 0 if head is None else head.size
        for index in range(size - 1, max(-1, size - 1 - _NEWEST), -1):
            found = view.log.logged(log, Index(index))
            if found is not None:
                yield urlsplit(found.queued.label).netloc
