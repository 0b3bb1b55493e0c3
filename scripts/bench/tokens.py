"""Peers: a token a part by OpenZeppelin's ERC-721 and by ERC721A, compiled as ours are."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Self

import solcx

from bench.sender import Sender
from compiler import REMAPPING, compiler_input
from environments import ROOT
from guildmark.adapters.chain.rpc import quantity
from guildmark.domain.encoding import abi
from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.identifiers import Address

_BATCH_REMAPPING = "erc721a/=hardhat-local/node_modules/erc721a/"
_MINT = keccak256(b"mint(address,uint256)")[:4]
_OWNER_OF = keccak256(b"ownerOf(uint256)")[:4]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mint:
    """A token minted, or several: what it cost, and whether their owner is who was meant."""

    gas: int
    same_answer: bool


@dataclass(slots=True, kw_only=True)
class _Token:
    """A deployed contract of tokens, and how many it minted."""

    SOURCE: ClassVar[str]

    sender: Sender
    address: Address
    minted: int = field(default=0, init=False)

    @classmethod
    def deploy(cls, sender: Sender) -> Self:
        """Compile and deploy it."""
        return cls(sender=sender, address=sender.create(_compiled(cls.SOURCE)))


class PlainToken(_Token):
    """OpenZeppelin's ERC-721 with an open mint; its ids count from 1."""

    __slots__ = ()

    SOURCE = "tests/contracts/support/PlainToken.sol"

    def mint(self, to: Address) -> Mint:
        """Mint the next token."""
        self.minted += 1
        return _minted(self.sender, self.address, to, given=self.minted, last=self.minted)


class BatchToken(_Token):
    """ERC721A with an open mint of several tokens at once; its ids count from 0."""

    __slots__ = ()

    SOURCE = "scripts/bench/BatchToken.sol"

    def mint(self, to: Address, count: int) -> Mint:
        """Mint the next tokens."""
        self.minted += count
        return _minted(self.sender, self.address, to, given=count, last=self.minted - 1)


def _minted(sender: Sender, token: Address, to: Address, *, given: int, last: int) -> Mint:
    receipt = sender.send(token, _MINT + abi.address(to) + abi.uint(given))
    owner = sender.read(token, _OWNER_OF + abi.uint(last))
    return Mint(gas=quantity(receipt["gasUsed"]), same_answer=owner == abi.address(to))


def _compiled(source: str) -> bytes:
    standard = compiler_input(remappings=[REMAPPING, _BATCH_REMAPPING])
    answer = solcx.compile_standard(
        {**standard, "sources": {source: {"content": (ROOT / source).read_text()}}},
        base_path=str(ROOT),
        solc_binary=ROOT / "scripts" / "solc",
    )
    code: str = answer["contracts"][source][Path(source).stem]["evm"]["bytecode"]["object"]
    return bytes.fromhex(code)
