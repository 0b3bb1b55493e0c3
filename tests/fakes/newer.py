"""A reader's own node of the simulator's chain: newer blocks, with proofs of what they hold."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fakes.simulator import Simulator
from guildmark.domain.chain.contracts import AccountProof, ChainPin, ContractName
from guildmark.domain.chain.ethproof import rlp
from guildmark.domain.chain.ethproof.header import HEADER_FIELDS
from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.errors import NetworkError
from guildmark.domain.identifiers import ChainId, Digest, to_hex
from guildmark.domain.verification.case import Sighting
from guildmark.domain.verification.slots import PROVEN_CONTRACTS


@dataclass
class OwnNode:
    """A node that holds the simulator's chain at two blocks.

    Args:
        latest: The chain at the newest block.
        final: The chain at the newest final block; the node has none by default.
    """

    latest: Simulator
    final: Simulator | None = None
    chain: tuple[ChainId, Digest] | None = None
    change: Callable[[Mapping[ContractName, AccountProof]], Mapping[ContractName, AccountProof]] = (
        dict
    )
    asked: list[tuple[int, int]] = field(default_factory=list)

    def identity(self) -> tuple[ChainId, Digest]:
        pin = self.latest.pin
        return self.chain or (pin.chain_id, pin.genesis)

    def header(self, tag: str) -> bytes | None:
        simulator = {"latest": self.latest, "finalized": self.final}[tag]
        return None if simulator is None else header(simulator)

    def proof(
        self, pin: ChainPin, number: int, slots: Mapping[ContractName, Sequence[bytes]]
    ) -> Mapping[ContractName, AccountProof]:
        self.asked.append((number, sum(map(len, slots.values()))))
        held = [one for one in (self.latest, self.final) if one is not None]
        simulator = next((one for one in held if one.block == number), None)
        if simulator is None:
            raise NetworkError(f"It has no state of block {number}.")
        wanted = {name: tuple(each) for name, each in slots.items()}
        return self.change(simulator._prove(wanted)[1])


class AnyNode(OwnNode):
    """A node that is asked for the block of the simulator's bundle, too."""

    def sighting(self, number: int) -> Sighting:
        old = Simulator()
        assert number == old.block
        return Sighting(is_reached=True, hash=Digest(keccak256(header(old))), is_final=True)


def header(simulator: Simulator) -> bytes:
    """Return the header of a simulator's block."""
    return simulator._prove(dict.fromkeys(PROVEN_CONTRACTS, ()))[0]


def rpc_header(simulator: Simulator) -> dict[str, str]:
    """Return a block as a node writes it."""
    encoded = header(simulator)
    items = rlp.decode(encoded)
    assert isinstance(items, list)
    named: dict[str, str] = {"hash": to_hex(keccak256(encoded))}
    for (name, is_number), item in zip(HEADER_FIELDS, items, strict=False):
        assert isinstance(item, bytes)
        named[name] = hex(int.from_bytes(item, "big")) if is_number else to_hex(item)
    return named


def rpc_proof(simulator: Simulator, address: str, slots: Sequence[str]) -> dict[str, Any]:
    """Return a contract's proof as a node writes it."""
    contracts = simulator.pin.contracts
    contract = next(name for name in PROVEN_CONTRACTS if to_hex(contracts[name].address) == address)
    wanted = dict.fromkeys(PROVEN_CONTRACTS, ()) | {
        contract: tuple(bytes.fromhex(slot[2:]) for slot in slots)
    }
    shown = simulator._prove(wanted)[1][contract]
    return {
        "address": address,
        "nonce": hex(shown.nonce),
        "balance": hex(shown.balance),
        "storageHash": to_hex(shown.storage_root),
        "codeHash": to_hex(shown.code_hash),
        "accountProof": [to_hex(node) for node in shown.nodes],
        "storageProof": [
            {
                "key": to_hex(one.slot),
                "value": hex(one.value),
                "proof": list(map(to_hex, one.nodes)),
            }
            for one in shown.slots
        ],
    }
