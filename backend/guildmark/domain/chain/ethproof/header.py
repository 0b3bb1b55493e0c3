"""Block headers: the hash that a reader trusts, and the state root that it binds."""

from collections.abc import Mapping
from dataclasses import dataclass

from guildmark.domain.chain.ethproof import rlp
from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import Digest

_SIZE_MAX = 1 << 16
_FIELDS_MIN = 15
_FIELDS_MAX = 32
_STATE_ROOT = 3
_NUMBER = 8
_TIME = 11
_WORD = 8
# Yellow paper 4.4.3: the fields of fixed size, by position. Later forks append; none reorders.
_FIXED = {0: 32, 1: 32, 2: 20, 3: 32, 4: 32, 5: 32, 6: 256, 13: 32, 14: 8}

# Yellow paper 4.4.3, then EIP-1559, EIP-4895, EIP-4844 (two), EIP-4788 and EIP-7685.
HEADER_FIELDS: tuple[tuple[str, bool], ...] = (
    ("parentHash", False),
    ("sha3Uncles", False),
    ("miner", False),
    ("stateRoot", False),
    ("transactionsRoot", False),
    ("receiptsRoot", False),
    ("logsBloom", False),
    ("difficulty", True),
    ("number", True),
    ("gasLimit", True),
    ("gasUsed", True),
    ("timestamp", True),
    ("extraData", False),
    ("mixHash", False),
    ("nonce", False),
    ("baseFeePerGas", True),
    ("withdrawalsRoot", False),
    ("blobGasUsed", True),
    ("excessBlobGas", True),
    ("parentBeaconBlockRoot", False),
    ("requestsHash", False),
)
"""The fields of a header in order, by their names in JSON-RPC, and whether each is a number."""


class HeaderError(MalformedError):
    """Bytes are no block header."""

    code = "header.malformed"
    hint = "Fetch the header again from another node."


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a verifier needs of a block's header."""

    hash: Digest
    number: int
    time: int
    state_root: Digest


def decode_header(data: bytes) -> Header:
    """Return the header that ``data`` encodes; its hash is Keccak-256 of the same bytes.

    Raises:
        HeaderError: Not RLP, too large, or fields of another number, kind or size.
    """
    if len(data) > _SIZE_MAX:
        message = f"The header has {len(data)} bytes, the limit is {_SIZE_MAX}."
        raise HeaderError(message, size=len(data), limit=_SIZE_MAX)
    try:
        return _header(keccak256(data), _fields(data))
    except rlp.RlpError as error:
        message = f"The header is malformed. {error.message}"
        raise HeaderError(message) from error


def encode_header(fields: Mapping[str, bytes | int]) -> bytes:
    """Return the RLP of a header whose fields are given by name; forks leave later ones out."""
    present = (fields[name] for name, _ in HEADER_FIELDS if name in fields)
    encoded: list[rlp.Item] = [
        rlp.encode_integer(each) if isinstance(each, int) else each for each in present
    ]
    return rlp.encode(encoded)


def _header(block: Digest, fields: list[bytes]) -> Header:
    return Header(
        hash=block,
        number=rlp.integer(fields[_NUMBER], _WORD),
        time=rlp.integer(fields[_TIME], _WORD),
        state_root=Digest(fields[_STATE_ROOT]),
    )


def _fields(data: bytes) -> list[bytes]:
    items = rlp.decode(data)
    if not (isinstance(items, list) and _FIELDS_MIN <= len(items) <= _FIELDS_MAX):
        message = "A header is a list of 15 to 32 fields."
        raise HeaderError(message)
    fields = [item for item in items if isinstance(item, bytes)]
    if len(fields) != len(items) or any(len(fields[at]) != size for at, size in _FIXED.items()):
        message = "A field of the header has another kind or size than the standard says."
        raise HeaderError(message)
    return fields
