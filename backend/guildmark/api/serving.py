"""What the routes serve: a node's parts, handed to each request."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Protocol

from fastapi import Depends
from starlette.requests import Request

from guildmark.api.computing import Computing
from guildmark.api.metrics import Metrics
from guildmark.api.tickets import Tickets
from guildmark.domain.identifiers import Address, Index, LogNumber
from guildmark.domain.verification.choice import ANYBODY, Choice
from guildmark.ports.chain import Ledger
from guildmark.ports.content import ContentStore, Uploads
from guildmark.ports.store import NodeStore, Requests
from guildmark.services.equivalence.results import Results
from guildmark.services.evidence.bundles import Gathered
from guildmark.services.evidence.judging import Judging
from guildmark.services.evidence.keeping import Round
from guildmark.services.identity.dids import Dids
from guildmark.services.identity.naming import Naming
from guildmark.services.labels.claiming import Claiming
from guildmark.services.labels.scanning import Scanning
from guildmark.services.log.ingest import Ingest
from guildmark.services.log.publishing import Publishing
from guildmark.services.recipes.approving import Approving
from guildmark.services.recipes.disclosing import Disclosing
from guildmark.services.release.receipts import Receipts
from guildmark.services.release.reconciling import Reconciling
from guildmark.services.release.releasing import Releasing
from guildmark.services.shops.inviting import Inviting
from guildmark.services.watch.alarms import Watch
from guildmark.settings import NodeSettings


class Bundles(Protocol):
    """Where evidence comes from: the node's own log, else its peers."""

    def bundle(
        self,
        log: LogNumber,
        index: Index,
        *,
        block: int | None = None,
        ask_peers: bool = True,
        choice: Choice = ANYBODY,
    ) -> bytes:
        """Return the bundle of a part, its chain proofs at ``block`` or at the newest final one.

        Raises:
            UnknownPartError: Neither this node nor a peer has the entry.
            NotFinalError: The entry is not final yet.
        """
        ...

    def gathered(
        self,
        log: LogNumber,
        index: Index,
        *,
        block: int | None = None,
        ask_peers: bool = True,
        choice: Choice = ANYBODY,
    ) -> Gathered:
        """Return the same bundle, and what this node knows of the label beside it.

        Raises:
            UnknownPartError: Neither this node nor a peer has the entry.
            NotFinalError: The entry is not final yet.
        """
        ...

    def positions(self, label: str) -> Sequence[tuple[LogNumber, Index]]:
        """Return where this node knows entries of a label."""
        ...

    def locate(self, label: str) -> tuple[LogNumber, Index] | None:
        """Return where a label's entry is in this node's log, None where it has none."""
        ...


class Gateway(Protocol):
    """The door to the chain for who joined."""

    def answer(self, body: bytes, account: Address) -> bytes:
        """Return the answers to JSON-RPC calls in the name of an account.

        Raises:
            MalformedError: The body is no JSON-RPC.
            LedgerUnavailableError: The chain's node cannot be reached.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedNode:
    """A node as the routes see it.

    Args:
        bundles: Where evidence comes from.
        publishing: The trees of logs' records.
        results: What was published of plans of equivalence.
        judging: Verifies bundles by this node's own trust file.
        dids: Describes identities as other systems of identity do.
        inviting: Gives the use cases around shops that join.
        scanning: Counts scans of labels.
        claiming: Takes first claims of parts.
        gateway: What these reach the chain by.
        stopping: Whether the process is about to end.
        challenged: What the newest round of challenges showed, None before the first one ended.
        watched: What the newest look at the node showed.
    """

    settings: NodeSettings
    store: NodeStore
    requests: Requests
    ledger: Ledger
    content: ContentStore
    uploads: Uploads
    ingest: Ingest
    releasing: Releasing
    receipts: Receipts
    reconciling: Reconciling
    tickets: Tickets
    disclosing: Disclosing
    approving: Approving
    naming: Naming
    bundles: Bundles
    publishing: Publishing
    results: Results
    judging: Judging
    dids: Dids
    inviting: Callable[[], Inviting]
    scanning: Scanning
    claiming: Claiming
    gateway: Gateway
    stopping: Callable[[], bool]
    challenged: Callable[[], Round | None]
    watched: Callable[[], Watch]
    metrics: Metrics = field(default_factory=Metrics)
    computing: Computing = field(default_factory=Computing)


def _served(request: Request) -> ServedNode:
    node: ServedNode = request.app.state.node
    return node


Node = Annotated[ServedNode, Depends(_served)]
