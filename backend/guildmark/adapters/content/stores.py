"""The content stores that a home's settings name, opened: the own one and its replicas."""

import importlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from guildmark.adapters.content.failures import translated
from guildmark.domain.errors import SettingsError
from guildmark.domain.identifiers import Cid
from guildmark.ports.clock import Entropy
from guildmark.ports.content import (
    Availability,
    ContentMismatchError,
    ContentMissingError,
    StoreAnswer,
)
from guildmark_ipfs.blocks import BlockSource
from guildmark_ipfs.blockstore import LocalBlockStore
from guildmark_ipfs.gateway import Gateway
from guildmark_ipfs.kubo import KuboBlockStore
from guildmark_ipfs.pinning import PinningService
from guildmark_ipfs.replicas import (
    BlockReplica,
    Challenge,
    KuboReplica,
    PinnedReplica,
    Replica,
    ReplicatedBlockStore,
)
from guildmark_ipfs.store import ContentStore as BlockContent

# Each step of an answer: longer than a busy store takes, shorter than people wait.
_TIMEOUT = 20.0


class StoreAddressError(SettingsError):
    """The address of a content store is of no known kind, or lacks a part."""

    code = "content.storeAddress"
    hint = (
        "Write file:/folder, kubo+http://host:port, ipfshttp:/ip4/…, gateway+https://host or "
        "pin+https://host?token_file=/file&gateway=https://host."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """The own block store and what was opened beside it.

    Args:
        blocks: All of them as one.
        close: Ends the connections.
    """

    blocks: ReplicatedBlockStore
    entropy: Entropy
    close: Callable[[], None]

    def round(self) -> Iterator[StoreAnswer]:
        """Challenge every store for every file; what failed is mended where that is possible."""
        with translated():
            for found in self.blocks.challenge(entropy=self.entropy.token):
                yield self._settled(found)

    def differences(self) -> Iterator[ContentMissingError | ContentMismatchError]:
        """Yield what the own store lacks, or holds in another form, of the files put there."""
        own = self.blocks.own
        for address in sorted(own.pins(), key=str):
            try:
                with translated():
                    for _ in BlockContent(own).read(address):
                        pass
            except (ContentMissingError, ContentMismatchError) as error:
                yield error

    def _settled(self, found: Challenge) -> StoreAnswer:
        if found.code is None:
            return _answer(found, mended=False)
        after = self.blocks.mend(found)
        mended = after.code is None
        return _answer(after if mended else found, mended=mended)


def open_stores(
    folder: Path, addresses: Sequence[str], *, copies: int | None, entropy: Entropy
) -> Stores:
    """Open the own store in a folder and the further ones; none of these is asked anything yet.

    Args:
        folder: Where the own blocks are; made where it is not there.
        addresses: The further stores.
        copies: How many stores must give a file back; None: two where there are two.
        entropy: Chooses what is asked in challenges.

    Raises:
        StoreAddressError: An address is of no known kind, or lacks a part.
        StoreUnavailableError: The own folder cannot be used.
    """
    opening = _Opening()
    for address in addresses:
        opening.add(address)
    wanted = copies or min(2, 1 + len(opening.replicas))
    with translated():
        own = LocalBlockStore.open(folder)
    blocks = ReplicatedBlockStore(
        own=own,
        replicas=opening.replicas,
        sources=opening.sources,
        folders=opening.folders,
        copies=wanted,
    )
    return Stores(blocks=blocks, entropy=entropy, close=partial(_close, opening.closing))


@dataclass
class _Opening:
    """Stores, as their addresses are read one after another."""

    replicas: list[Replica] = field(default_factory=list)
    sources: list[BlockSource] = field(default_factory=list)
    folders: list[LocalBlockStore] = field(default_factory=list)
    closing: list[Callable[[], None]] = field(default_factory=list)

    def add(self, address: str) -> None:
        kind, _, rest = address.partition("+" if "+http" in address else ":")
        kinds = {
            "file": self._folder,
            "gateway": self._gateway,
            "ipfshttp": self._ipfshttp,
            "kubo": self._kubo,
            "pin": self._pins,
        }
        if kind not in kinds or not rest:
            raise _refused(address, "it is of no known kind")
        kinds[kind](rest, f"{kind} {len(self.replicas) + 1}")

    def _folder(self, rest: str, name: str) -> None:
        with translated():
            folder = LocalBlockStore.open(Path(rest.removeprefix("//")))
        self.folders.append(folder)
        self.replicas.append(BlockReplica(name=name, blocks=folder))

    def _kubo(self, rest: str, name: str) -> None:
        node = KuboBlockStore(_url(rest), timeout=_TIMEOUT)
        self.closing.append(node.close)
        self.replicas.append(KuboReplica(name=name, node=node))

    def _ipfshttp(self, rest: str, name: str) -> None:
        try:
            module = importlib.import_module("guildmark_ipfs.ipfshttp")
        except ImportError as exc:
            raise _refused(f"ipfshttp:{rest}", "the extra `ipfshttp` is not installed") from exc
        node = module.IpfsHttpBlockStore(rest, timeout=_TIMEOUT)
        self.closing.append(node.close)
        self.replicas.append(BlockReplica(name=name, blocks=node))

    def _gateway(self, rest: str, name: str) -> None:  # noqa: ARG002 - it keeps nothing
        self.sources.append(self._opened_gateway(_url(rest)))

    def _pins(self, rest: str, name: str) -> None:
        url, _, _ = rest.partition("?")
        query = parse_qs(urlsplit(rest).query)
        if not {"token_file", "gateway"} <= set(query):
            raise _refused(f"pin+{url}", "it needs token_file and gateway")
        token = _token(Path(query["token_file"][0]))
        service = PinningService(_url(url), token, timeout=_TIMEOUT)
        self.closing.append(service.close)
        gateway = self._opened_gateway(_url(query["gateway"][0]))
        origins = tuple(query.get("origin", ()))
        self.replicas.append(
            PinnedReplica(name=name, service=service, gateway=gateway, origins=origins)
        )

    def _opened_gateway(self, url: str) -> Gateway:
        gateway = Gateway(url, timeout=_TIMEOUT)
        self.closing.append(gateway.close)
        return gateway


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        whole = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        whole = None
    if not whole:
        raise _refused(text.rpartition("@")[2], "it is no http address")
    return text


def _token(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise _refused(str(file), "the token file cannot be read") from exc


def _refused(address: str, reason: str) -> StoreAddressError:
    message = f"The content store {address[:200]!r} cannot be used: {reason}."
    return StoreAddressError(message, reason=reason)


def _close(closing: Sequence[Callable[[], None]]) -> None:
    for close in closing:
        close()


def _answer(found: Challenge, *, mended: bool) -> StoreAnswer:
    return StoreAnswer(
        store=found.store,
        cid=Cid(str(found.cid)),
        state=Availability(found.state.value),
        code=found.code,
        mended=mended,
    )
