"""A ledger opened: its chain and contracts checked before anything is read, signed or sent."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from guildmark.adapters.chain import deployment
from guildmark.adapters.chain.ledger import RpcLedger
from guildmark.adapters.chain.look import Looker
from guildmark.adapters.chain.outbox import Outbox
from guildmark.adapters.chain.rpc import Rpc
from guildmark.adapters.chain.signing import Signing
from guildmark.adapters.store.outbox import OutboxTable
from guildmark.domain.chain.contracts import ChainClass, ChainPin
from guildmark.domain.chain.finality import FinalityRule, finality_of
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import Address, ChainId, Digest
from guildmark.ports.chain import Capability
from guildmark.ports.clock import Clock
from guildmark.ports.keys import KeyStore

# A thousand times what a unit of gas costs on a busy public chain: a guard against a lying node.
FEE_LIMIT = 10**13

ALL_CAPABILITIES = frozenset(Capability)


def open_ledger(
    url: str,
    *,
    chain_id: ChainId,
    genesis: Digest,
    chain_class: ChainClass,
    directory: Address,
    finality: FinalityRule | None = None,
) -> RpcLedger:
    """Return the ledger that the settings name.

    Args:
        url: The chain's node.
        chain_id: Its id.
        genesis: Its first block.
        chain_class: Who can rewrite it.
        directory: The contracts' directory.
        finality: When a block is final, where the operator chose that.

    Raises:
        LedgerUnavailableError: The node cannot be reached in time.
        WrongChainError: The node is on another chain id.
        GenesisMismatchError: The chain has another beginning.
        CodeMissingError: An address has no code.
        CodeMismatchError: An address has another code than ours.
    """
    with _closed_on_error(url) as rpc:
        pin = deployment.discover(
            rpc, chain_id=chain_id, genesis=genesis, chain_class=chain_class, directory=directory
        )
        return _ledger(rpc, pin, finality)


def open_pinned(url: str, pin: ChainPin) -> RpcLedger:
    """Return the ledger that a pin names.

    Raises:
        LedgerUnavailableError: The node cannot be reached in time.
        WrongChainError: The node is on another chain id.
        GenesisMismatchError: The chain has another beginning.
        CodeMissingError: An address has no code.
        CodeMismatchError: An address has another code.
    """
    with _closed_on_error(url) as rpc:
        deployment.check_pin(rpc, pin)
        return _ledger(rpc, pin)


def open_outbox(
    engine: Engine,
    *,
    ledger: RpcLedger,
    keys: KeyStore,
    clock: Clock,
    fee_limit: int = FEE_LIMIT,
) -> Outbox:
    """Return the outbox of a home over the ledger's node."""
    table = OutboxTable(engine)
    looker = Looker(rpc=ledger.rpc, chain=ledger.chain, finality=ledger.finality)
    return Outbox(
        table=table,
        looker=looker,
        signing=Signing(table=table, looker=looker, keys=keys, clock=clock, fee_limit=fee_limit),
        keys=keys,
        clock=clock,
    )


@contextmanager
def _closed_on_error(url: str) -> Iterator[Rpc]:
    rpc = Rpc(url=url)
    try:
        yield rpc
    except GuildmarkError:
        rpc.close()
        raise


def _ledger(rpc: Rpc, pin: ChainPin, chosen: FinalityRule | None = None) -> RpcLedger:
    return RpcLedger(
        rpc=rpc,
        chain=pin,
        finality=finality_of(pin.chain_id, pin.chain_class, chosen).rule,
        capabilities=ALL_CAPABILITIES,
    )
