"""How a local chain begins: drawn once at random, kept for ever, so that no two are alike.

anvil gives every chain one id, and two chains that start in one second one genesis hash: a
signature of the one would count on the other.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from coincurve import PrivateKey

from guildmark.adapters.chain.head import FILE_NAME as HEAD
from guildmark.adapters.chain.head import HeadFile
from guildmark.adapters.files import create_durably
from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.errors import ContentError, MalformedError
from guildmark.domain.identifiers import Address, ChainId, address_from_hex, to_hex
from guildmark.ports.clock import Clock, Entropy

FILE_NAME = "genesis.json"
KEY_NAME = "keeper.key"

_ID_MIN = 2**32
_ID_MAX = 2**53 - 1
_BACK_MAX = 2**25
_GAS_MIN = 60_000_000
_GAS_SPAN = 2**20
_COIN = 10**18
_SUPPLY = 10**9 * _COIN
# What is in the folder of a chain that made blocks.
_OF_BLOCKS = ("journal.jsonl", "state.json", "deployment.json")
_FIELDS = {"chainId", "time", "gasLimit", "keeper"}


class GenesisMalformedError(ContentError):
    """The file that says how the local chain began is damaged or missing."""

    code = "chain.genesisMalformed"
    hint = "Restore the chain's folder from a backup; nothing was changed."


@dataclass(frozen=True, slots=True, kw_only=True)
class Genesis:
    """What makes a local chain one of its own.

    Args:
        time: The genesis block's time.
        gas_limit: The gas that a block may use, the same for all blocks.
        keeper: The account that holds all coin at the beginning; it is worth nothing elsewhere.
    """

    chain_id: ChainId
    time: int
    gas_limit: int
    keeper: Address

    def init_file(self) -> bytes:
        """Return the genesis file that anvil reads."""
        return orjson.dumps(
            {
                "config": {"chainId": self.chain_id},
                "timestamp": hex(self.time),
                "gasLimit": hex(self.gas_limit),
                "difficulty": "0x0",
                "alloc": {to_hex(self.keeper): {"balance": hex(_SUPPLY)}},
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """A local chain's genesis with the key of its keeper."""

    genesis: Genesis
    key: PrivateKey


def load_or_draw(folder: Path, *, clock: Clock, entropy: Entropy) -> Beginning:
    """Return how the chain in ``folder`` began; the first time, draw and keep it.

    Raises:
        GenesisMalformedError: The file is damaged, or gone while the chain has blocks.
        HeadUnreadableError: It is gone, and the file that tells whether it had blocks is damaged.
    """
    path = folder / FILE_NAME
    if not path.exists():
        if _had_blocks(folder):
            message = f"{path} is gone, but the chain had blocks."
            raise GenesisMalformedError(message, path=str(path))
        _draw(folder, clock=clock, entropy=entropy)
    return _load(folder)


def _had_blocks(folder: Path) -> bool:
    if any((folder / name).exists() for name in _OF_BLOCKS):
        return True
    head = HeadFile(folder / HEAD)
    return head.path.exists() and head.read().number > 0


def _draw(folder: Path, *, clock: Clock, entropy: Entropy) -> None:
    # The genesis file, written last, says that the beginning is complete.
    HeadFile(folder / HEAD).create()
    secret = entropy.token(32)
    (folder / KEY_NAME).unlink(missing_ok=True)
    create_durably(folder / KEY_NAME, to_hex(secret).encode() + b"\n", mode=0o600)
    genesis = Genesis(
        chain_id=ChainId(_ID_MIN + _drawn(entropy, _ID_MAX - _ID_MIN + 1)),
        time=clock.now() - 1 - _drawn(entropy, _BACK_MAX),
        gas_limit=_GAS_MIN + _drawn(entropy, _GAS_SPAN),
        keeper=_address(PrivateKey(secret)),
    )
    document = {
        "chainId": genesis.chain_id,
        "time": genesis.time,
        "gasLimit": genesis.gas_limit,
        "keeper": to_hex(genesis.keeper),
    }
    create_durably(folder / FILE_NAME, orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")


def _drawn(entropy: Entropy, bound: int) -> int:
    # 16 bytes over a bound of at most 53 bits: the bias is below 2^-75.
    return int.from_bytes(entropy.token(16), "big") % bound


def _load(folder: Path) -> Beginning:
    path = folder / FILE_NAME
    try:
        genesis = _parsed(orjson.loads(path.read_bytes()))
        key = PrivateKey.from_hex((folder / KEY_NAME).read_text().strip().removeprefix("0x"))
    except (OSError, ValueError, TypeError, KeyError, MalformedError) as exc:
        message = f"{path} or its key is damaged: {exc}."
        raise GenesisMalformedError(message, path=str(path)) from exc
    if _address(key) != genesis.keeper:
        message = f"{folder / KEY_NAME} is not the key of the keeper in {path}."
        raise GenesisMalformedError(message, path=str(path))
    return Beginning(genesis=genesis, key=key)


def _parsed(document: Any) -> Genesis:
    if not isinstance(document, dict) or set(document) != _FIELDS:
        raise MalformedError("it has other fields")
    numbers = [document[name] for name in ("chainId", "time", "gasLimit")]
    if not all(isinstance(number, int) and number > 0 for number in numbers):
        raise MalformedError("a number is none")
    return Genesis(
        chain_id=ChainId(numbers[0]),
        time=numbers[1],
        gas_limit=numbers[2],
        keeper=address_from_hex(document["keeper"]),
    )


def _address(key: PrivateKey) -> Address:
    return Address(keccak256(key.public_key.format(compressed=False)[1:])[12:])
