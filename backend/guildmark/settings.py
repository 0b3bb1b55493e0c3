"""What a home is configured to do: ``guildmark.toml``, read once, never at import.

A home is one actor's folder: settings, keys, database, content, documents.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from guildmark.adapters.files import write_durably
from guildmark.adapters.store.places import DatabaseUrl, DatabaseUrlError, Place
from guildmark.domain.builds.delivery import ShownPathError, check_shown
from guildmark.domain.builds.granting import GrantPolicy, Role
from guildmark.domain.chain.contracts import ChainClass
from guildmark.domain.chain.finality import DEPTH_MAX, FinalityRule
from guildmark.domain.errors import MalformedError, SettingsError
from guildmark.domain.identifiers import (
    Address,
    ChainId,
    Digest,
    IdentityId,
    LogNumber,
    address_from_hex,
    digest_from_hex,
    to_hex,
)
from guildmark.domain.log.record import COUNT_MAX
from guildmark.ports.keys import KeyName

FILE_NAME = "guildmark.toml"
CONTENT_VARIABLE = "GUILDMARK_CONTENT"
DATABASE_VARIABLE = "GUILDMARK_DATABASE_URL"
DATABASE_FILE = "node.db"

_FINALIZED = "finalized"
_BATCH_ENTRIES = 1_000
_REPLAY_HOURS = 24.0
_PAGE_SECONDS, _PAGE_SECONDS_MAX = 1, 60
_SCAN_DAYS = 365
_SCAN_DAYS_MAX = 3_650
_LETTER_DAYS = 90
_LETTER_DAYS_MAX = 3_650
_COUNTRY_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)

T = TypeVar("T")


class SettingsMissingError(SettingsError):
    """A home without settings."""

    code = "settings.missing"
    hint = "Make a home with `guildmark init`, or name one with --home or GUILDMARK_HOME."


class SettingsMalformedError(SettingsError):
    """A settings file that cannot be read."""

    code = "settings.malformed"


class SettingMissingError(SettingsError):
    """A setting that is needed and absent."""

    code = "settings.valueMissing"
    hint = "Add the setting to guildmark.toml."


class SettingInvalidError(SettingsError):
    """A setting with a value that cannot be."""

    code = "settings.valueInvalid"
    hint = "Correct the setting in guildmark.toml."


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainSettings:
    """Which chain, and which deployment on it.

    Args:
        finality: When a block is final; None: as the table says.
    """

    url: str
    chain_id: ChainId
    genesis: Digest
    chain_class: ChainClass
    directory: Address
    finality: FinalityRule | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSettings:
    """What an operator's node needs to know of itself.

    Args:
        batch_seconds: How long the node rests between two steps of its work.
        latency_seconds: The latency target: how long an entry waits at most until its batch closes.
        batch_entries: The cost target: how many entries close a batch earlier.
        replay_hours: How long the node waits before it compares its index with the chain, again
            and again; 0: it never does.
        page_seconds: For how long the page of a part is kept for who asks for it next.
        peers: Addresses of other operators' nodes.
        witnesses: Witnesses that are asked, each its key, a space and its address.
        mirrors: Logs that are mirrored, each its number, key, node's address and, where content is
            kept too, how much of it at most in MiB.
        scan_days: For how many days a scan of a label is kept, without who scanned; 0: none is
            counted.
        letter_days: For how many days a letter about a recall is kept that was delivered.
        country_header: The header in which a proxy in front of the node states a visitor's country;
            empty: none does.
    """

    operator: IdentityId
    log: LogNumber
    writer: KeyName
    host: str = "127.0.0.1"
    port: int = 8480
    public_url: str
    batch_seconds: float = 1.0
    latency_seconds: float = 0.0
    batch_entries: int = _BATCH_ENTRIES
    replay_hours: float = _REPLAY_HOURS
    page_seconds: int = _PAGE_SECONDS
    peers: tuple[str, ...] = ()
    witnesses: tuple[str, ...] = ()
    mirrors: tuple[str, ...] = ()
    scan_days: int = _SCAN_DAYS
    letter_days: int = _LETTER_DAYS
    country_header: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentSettings:
    """Where content is kept beside the home's own folder.

    Args:
        stores: Addresses of further stores.
        copies: How many stores, the own one included, must give a file back before it counts as
            stored; None: two where there are two.
        challenge_hours: How long a node waits between two rounds of challenges.
    """

    stores: tuple[str, ...] = ()
    copies: int | None = None
    challenge_hours: float = 24.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one home.

    Args:
        shared: The database on a server; None: a file of the home's own.
        shown: What everybody may see of the settings and measured values that this home's machines
            sign under salts: paths, and beginnings of paths. None: they sign them in clear.
        grants: Which other values this home grants, to whom.
    """

    home: Path
    chain: ChainSettings
    node: NodeSettings | None = None
    stores: ContentSettings = ContentSettings()
    shared: DatabaseUrl | None = None
    shown: tuple[str, ...] | None = None
    grants: GrantPolicy = field(default_factory=GrantPolicy)

    @property
    def own_log(self) -> LogNumber | None:
        """Return the log that this home's node runs, None where it runs none."""
        return None if self.node is None else self.node.log

    @property
    def database(self) -> Place:
        """Return where the database is."""
        return self.shared or self.home / DATABASE_FILE

    @property
    def keys(self) -> Path:
        """Return the folder of the key files."""
        return self.home / "keys"

    @property
    def content(self) -> Path:
        """Return the folder of the block store."""
        return self.home / "content"

    @property
    def documents(self) -> Path:
        """Return the folder of the documents that people keep beside the home."""
        return self.home / "documents"

    def own_node(self) -> NodeSettings:
        """Return the node's settings.

        Raises:
            SettingMissingError: This home is no operator's.
        """
        if self.node is None:
            message = f"{self.home / FILE_NAME} has no [node] table: this home is no operator's."
            raise SettingMissingError(message, setting="node")
        return self.node


def with_environment(settings: Settings, environment: Mapping[str, str]) -> Settings:
    """Return the settings with the content stores and the database that the environment names.

    Raises:
        DatabaseUrlError: It names none.
    """
    named, url = environment.get(CONTENT_VARIABLE), environment.get(DATABASE_VARIABLE)
    if named is not None:
        stores = replace(settings.stores, stores=tuple(named.split()))
        settings = replace(settings, stores=stores)
    return replace(settings, shared=DatabaseUrl(url, is_kept=False)) if url else settings


def load(home: Path) -> Settings:
    """Read the settings of a home.

    Raises:
        SettingsMissingError: The home has none.
        SettingsMalformedError: The file is not TOML.
        SettingMissingError: A value is absent.
        SettingInvalidError: A value cannot be.
    """
    path = home / FILE_NAME
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as exc:
        message = f"{path} does not exist."
        raise SettingsMissingError(message, path=str(path)) from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        message = f"{path} is not TOML: {exc}."
        raise SettingsMalformedError(message, path=str(path)) from exc
    node = _table(document, "node") if "node" in document else None
    values = _table({"values": {}, **document}, "values")
    return Settings(
        home=home,
        chain=_chain(_table(document, "chain")),
        node=_node(node) if node is not None else None,
        stores=_stores(_table(document, "content")) if "content" in document else ContentSettings(),
        shared=_shared(_table(document, "database")) if "database" in document else None,
        shown=_shown(values),
        grants=_grants(values),
    )


def save(settings: Settings) -> None:
    """Write the settings of a home, whole or not at all."""
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_durably(settings.home / FILE_NAME, _written(settings).encode())


def with_node(settings: Settings, node: NodeSettings) -> Settings:
    """Return the settings with another node table."""
    return replace(settings, node=node)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    name: str
    values: Mapping[str, Any]

    def get(self, key: str, kind: type[T]) -> T:
        value = self.values.get(key)
        if value is None:
            message = f"The setting {self.name}.{key} is missing."
            raise SettingMissingError(message, setting=f"{self.name}.{key}")
        # bool is an int in Python, and never meant as a number here.
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self.invalid(key, value)
        return value

    def text(self, key: str) -> str:
        return self.get(key, str)

    def number(self, key: str, *, low: int, high: int) -> int:
        value = self.get(key, int)
        if not low <= value <= high:
            raise self.invalid(key, value)
        return value

    def bytes32(self, key: str) -> Digest:
        try:
            return digest_from_hex(self.text(key))
        except MalformedError as exc:
            raise self.invalid(key, self.values[key]) from exc

    def address(self, key: str) -> Address:
        try:
            return address_from_hex(self.text(key))
        except MalformedError as exc:
            raise self.invalid(key, self.values[key]) from exc

    def url(self, key: str) -> str:
        value = self.text(key)
        if not value.startswith(("http://", "https://")):
            raise self.invalid(key, value)
        return value.rstrip("/")

    def invalid(self, key: str, value: object) -> SettingInvalidError:
        message = f"The setting {self.name}.{key} cannot be {str(value)[:80]!r}."
        return SettingInvalidError(message, setting=f"{self.name}.{key}")


def _table(document: Mapping[str, Any], name: str) -> _Table:
    values = document.get(name)
    if values is None:
        message = f"The table [{name}] is missing."
        raise SettingMissingError(message, setting=name)
    if not isinstance(values, dict):
        message = f"[{name}] is no table."
        raise SettingInvalidError(message, setting=name)
    return _Table(name=name, values=values)


def _chain(table: _Table) -> ChainSettings:
    name = table.text("class")
    if name not in set(ChainClass):
        raise table.invalid("class", name)
    return ChainSettings(
        url=table.url("url"),
        chain_id=ChainId(table.number("chain_id", low=1, high=2**53 - 1)),
        genesis=table.bytes32("genesis"),
        chain_class=ChainClass(name),
        directory=table.address("directory"),
        finality=_finality(table) if "finality" in table.values else None,
    )


def _finality(table: _Table) -> FinalityRule:
    """Return when a block is final: the word of the chain's node, or a depth."""
    if table.values["finality"] == _FINALIZED:
        return FinalityRule()
    return FinalityRule(depth=table.number("finality", low=0, high=DEPTH_MAX))


def _node(table: _Table) -> NodeSettings:
    peers = table.get("peers", list)
    if not all(isinstance(peer, str) for peer in peers):
        raise table.invalid("peers", peers)
    seconds = table.get("batch_seconds", float)
    if not 0 <= seconds <= 3600:  # noqa: PLR2004 - an hour
        raise table.invalid("batch_seconds", seconds)
    return NodeSettings(
        operator=IdentityId(table.bytes32("operator")),
        log=LogNumber(table.number("log", low=1, high=2**40 - 1)),
        writer=KeyName(table.text("writer")),
        host=table.text("host"),
        port=table.number("port", low=0, high=65535),
        public_url=table.url("public_url"),
        batch_seconds=seconds,
        latency_seconds=_bounded(table, "latency_seconds", 0.0, most=24 * 3600),
        replay_hours=_bounded(table, "replay_hours", _REPLAY_HOURS, most=24 * 365),
        batch_entries=(
            table.number("batch_entries", low=1, high=COUNT_MAX)
            if "batch_entries" in table.values
            else _BATCH_ENTRIES
        ),
        page_seconds=(
            table.number("page_seconds", low=0, high=_PAGE_SECONDS_MAX)
            if "page_seconds" in table.values
            else _PAGE_SECONDS
        ),
        peers=tuple(peer.rstrip("/") for peer in peers),
        witnesses=_witnesses(table) if "witnesses" in table.values else (),
        mirrors=_mirrors(table) if "mirrors" in table.values else (),
        scan_days=(
            table.number("scan_days", low=0, high=_SCAN_DAYS_MAX)
            if "scan_days" in table.values
            else _SCAN_DAYS
        ),
        letter_days=(
            table.number("letter_days", low=1, high=_LETTER_DAYS_MAX)
            if "letter_days" in table.values
            else _LETTER_DAYS
        ),
        country_header=_header(table) if "country_header" in table.values else "",
    )


def _header(table: _Table) -> str:
    name = table.text("country_header")
    if not _COUNTRY_HEADER.fullmatch(name):
        raise table.invalid("country_header", name)
    return name


def _bounded(table: _Table, key: str, usual: float, *, most: float) -> float:
    if key not in table.values:
        return usual
    found = table.get(key, float)
    if not 0 <= found <= most:
        raise table.invalid(key, found)
    return found


def _mirrors(table: _Table) -> tuple[str, ...]:
    named = table.get("mirrors", list)
    for one in named:
        words = str(one).split(" ")
        # Log, key, address; how much content where it is kept.
        is_sound = len(words) in {3, 4} and all(map(str.isdecimal, (words[0], *words[3:])))
        if not is_sound or not words[2].startswith(("http://", "https://")):
            raise table.invalid("mirrors", one)
    return tuple(str(one).rstrip("/") for one in named)


def _witnesses(table: _Table) -> tuple[str, ...]:
    named = table.get("witnesses", list)
    for one in named:
        key, _, url = str(one).partition(" ")
        if not key or not url.startswith(("http://", "https://")):
            raise table.invalid("witnesses", one)
    return tuple(str(one).rstrip("/") for one in named)


def _shared(table: _Table) -> DatabaseUrl:
    try:
        return DatabaseUrl(table.text("url"))
    except DatabaseUrlError as exc:
        # Unlike other values it is not shown: it may hold a password.
        raise SettingInvalidError(exc.message, setting="database.url") from None


def _stores(table: _Table) -> ContentSettings:
    stores = table.get("stores", list)
    if not all(isinstance(store, str) for store in stores):
        raise table.invalid("stores", stores)
    copies = (
        table.number("copies", low=1, high=1 + len(stores)) if "copies" in table.values else None
    )
    hours = ContentSettings().challenge_hours
    if "challenge_hours" in table.values:
        hours = table.get("challenge_hours", float)
    if not 0 < hours <= 24 * 7:
        raise table.invalid("challenge_hours", hours)
    return ContentSettings(stores=tuple(stores), copies=copies, challenge_hours=hours)


def _shown(table: _Table) -> tuple[str, ...] | None:
    return _paths(table, "shown") if "shown" in table.values else None


def _grants(table: _Table) -> GrantPolicy:
    found = {role: _paths(table, role.value) for role in Role if role.value in table.values}
    return GrantPolicy(designer=found.get(Role.DESIGNER, ()), auditor=found.get(Role.AUDITOR, ()))


def _paths(table: _Table, key: str) -> tuple[str, ...]:
    paths = table.get(key, list)
    try:
        check_shown([str(one) for one in paths])
    except ShownPathError as exc:
        raise table.invalid(key, paths) from exc
    return tuple(str(one) for one in paths)


def _written(settings: Settings) -> str:
    chain = settings.chain
    tables: dict[str, dict[str, object]] = {
        "chain": {
            "url": chain.url,
            "chain_id": chain.chain_id,
            "genesis": to_hex(chain.genesis),
            "class": chain.chain_class.value,
            "directory": to_hex(chain.directory),
            **_written_finality(chain.finality),
        }
    }
    if settings.node is not None:
        node = settings.node
        tables["node"] = {
            "operator": to_hex(node.operator),
            "log": node.log,
            "writer": node.writer,
            "host": node.host,
            "port": node.port,
            "public_url": node.public_url,
            "batch_seconds": float(node.batch_seconds),
            "peers": list(node.peers),
            **_written_batching(node),
            **({"witnesses": list(node.witnesses)} if node.witnesses else {}),
            **({"mirrors": list(node.mirrors)} if node.mirrors else {}),
        }
    if settings.stores != ContentSettings():
        stores = settings.stores
        tables["content"] = {
            "stores": list(stores.stores),
            **({} if stores.copies is None else {"copies": stores.copies}),
            "challenge_hours": float(stores.challenge_hours),
        }
    if settings.shared is not None and settings.shared.is_kept:
        tables["database"] = {"url": settings.shared.reveal()}
    values = _written_values(settings)
    if values:
        tables["values"] = values
    return "\n".join(_toml(name, values) for name, values in tables.items())


def _written_values(settings: Settings) -> dict[str, object]:
    shown = {} if settings.shown is None else {"shown": list(settings.shown)}
    granted = {role.value: list(settings.grants.of(role)) for role in Role}
    return {**shown, **{role: paths for role, paths in granted.items() if paths}}


def _written_batching(node: NodeSettings) -> Mapping[str, object]:
    wanted: dict[str, object] = {}
    if node.latency_seconds:
        wanted["latency_seconds"] = float(node.latency_seconds)
    if node.batch_entries != _BATCH_ENTRIES:
        wanted["batch_entries"] = node.batch_entries
    if node.replay_hours != _REPLAY_HOURS:
        wanted["replay_hours"] = float(node.replay_hours)
    if node.page_seconds != _PAGE_SECONDS:
        wanted["page_seconds"] = node.page_seconds
    if node.scan_days != _SCAN_DAYS:
        wanted["scan_days"] = node.scan_days
    if node.letter_days != _LETTER_DAYS:
        wanted["letter_days"] = node.letter_days
    if node.country_header:
        wanted["country_header"] = node.country_header
    return wanted


def _written_finality(rule: FinalityRule | None) -> Mapping[str, object]:
    if rule is None:
        return {}
    return {"finality": _FINALIZED if rule.depth is None else rule.depth}


def _toml(name: str, values: Mapping[str, object]) -> str:
    # JSON's strings, numbers and arrays of strings are TOML's too.
    lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    return f"[{name}]\n" + "\n".join(lines) + "\n"
