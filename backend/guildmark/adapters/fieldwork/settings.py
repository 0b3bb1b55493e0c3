"""An agent's one file: which node, which machines."""

import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from guildmark.adapters.files import write_durably
from guildmark.adapters.jobfiles import JobFile, read_job
from guildmark.domain.builds.delivery import ShownPathError, check_shown
from guildmark.domain.builds.predicate import Setting
from guildmark.domain.encoding.strictjson import parse_object
from guildmark.domain.errors import GuildmarkError, SettingsError
from guildmark.domain.identifiers import (
    UINT40_MAX,
    IdentityId,
    LaneNumber,
    SiteRecipeId,
    bytes32_from_hex,
    to_hex,
)
from guildmark.domain.recipes.clause import Clause, ClausePath
from guildmark.domain.recipes.recipe import RecipeDocument
from guildmark.domain.shopfloor.fieldwork import Post

FILE_NAME = "agent.toml"
RECIPE_NAME = "recipe.json"
"""The document of the site's recipe, where `init` or `join` put it."""

BY_HAND = "report:"
"""The source of a machine whose jobs people report."""

T = TypeVar("T")
_MISSING = object()


class AgentHomeMissingError(SettingsError):
    """The folder is no agent's home."""

    code = "agent.homeMissing"
    hint = "Make one with `guildmark agent init`, or name it with --home."


class AgentSettingError(SettingsError):
    """A value in the agent's file cannot work."""

    code = "agent.settingInvalid"
    hint = "Correct the value that is named in agent.toml."


class PostUnknownError(SettingsError):
    """The agent's file names no such machine."""

    code = "agent.machineUnknown"
    hint = "Name one of the machines of agent.toml."


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """A machine, and where its jobs are read.

    Args:
        source: The URI of what reports the jobs.
        measured: The URI of what reports the pieces of jobs that were measured.
    """

    post: Post
    source: str
    measured: str | None = None

    @property
    def gauge(self) -> "Watch | None":
        """Return the measuring machine beside it, where one reports what it measured."""
        if self.measured is None:
            return None
        return Watch(post=self.post.gauge, source=self.measured)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentSettings:
    """What an agent's owner set.

    Args:
        node: The address of the log's node.
        port: Where the page listens on this machine; 0 takes a free one.
        poll_seconds: Between two looks at the machines.
        ask_seconds: Between two questions to the node.
        shown: What everybody may see of the settings and measured values, which are then signed
            under salts: paths, and beginnings of paths. None: they are signed in clear.
    """

    home: Path
    node: str
    port: int = 0
    poll_seconds: float = 2.0
    ask_seconds: float = 15.0
    watches: tuple[Watch, ...] = ()
    shown: tuple[str, ...] | None = None

    @property
    def keys(self) -> Path:
        """Return the folder of the keys."""
        return self.home / "keys"

    @property
    def database(self) -> Path:
        """Return the agent's database."""
        return self.home / "agent.db"

    def watch(self, name: str | None) -> Watch:
        """Return a machine by its name; the only one where none is named.

        Raises:
            PostUnknownError: There is none of that name, or several.
        """
        found = [one for one in self.watches if name in {None, one.post.name}]
        if len(found) != 1:
            names = ", ".join(one.post.name for one in self.watches) or "none"
            message = f"Which machine? There are: {names}."
            raise PostUnknownError(message, machine=name)
        return found[0]


def read_agent(home: Path) -> AgentSettings:
    """Read an agent's file.

    Raises:
        AgentHomeMissingError: There is none.
        AgentSettingError: A value cannot work.
    """
    path = home / FILE_NAME
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as exc:
        message = f"{path} does not exist."
        raise AgentHomeMissingError(message, path=str(path)) from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        message = f"{path} is not TOML: {exc}."
        raise AgentSettingError(message, path=str(path)) from exc
    table = _Table(document, "the file")
    machines = table.take("machine", list, default=[])
    own = _Table(table.take("agent", dict), "[agent]")
    table.end()
    return _agent(own, home, tuple(_watch(one, home) for one in machines))


def _agent(own: "_Table", home: Path, watches: tuple[Watch, ...]) -> AgentSettings:
    node = own.take("node", str)
    if not node.startswith(("http://", "https://")):
        raise own.wrong("node", "an address that begins with http:// or https://")
    port = own.take("port", int, default=0)
    if not 0 <= port <= 65535:  # noqa: PLR2004 - the greatest port
        raise own.wrong("port", "0 to 65535")
    settings = AgentSettings(
        home=home,
        node=node.rstrip("/"),
        port=port,
        poll_seconds=own.seconds("poll_seconds", 2.0),
        ask_seconds=own.seconds("ask_seconds", 15.0),
        watches=watches,
        shown=own.shown("shown"),
    )
    own.end()
    names = [name for one in watches for name in (one.post.name, one.post.gauge.name)]
    if len(set(names)) != len(names):
        raise own.wrong("machine", "machines with different names")
    return settings


def _watch(members: object, home: Path) -> Watch:
    if not isinstance(members, dict):
        message = "Each [[machine]] is a table."
        raise AgentSettingError(message)
    table = _Table(members, f"[[machine]] {members.get('name', '')}".strip())
    job = table.take("job", str, default="")
    settings = table.take("settings", str, default="")
    recipe = table.take("recipe", str, default="")
    measured = table.take("measured", str, default="") or None
    own = _job(table, home, job) if job else None
    post = Post(
        name=table.take("name", str),
        machine=IdentityId(table.bytes32("id")),
        key=table.take("key", str),
        lane=LaneNumber(table.number("lane", most=UINT40_MAX)),
        site_recipe=SiteRecipeId(table.bytes32("site_recipe")),
        host=table.take("host", str),
        gtin=table.take("gtin", str, default="") or None,
        job=None if own is None else own.digest,
        observed=() if own is None else own.observed,
        settings=_settings(table, home, settings) if settings else (),
        clauses=_clauses(table, home, recipe) if recipe else (),
        firmware=table.take("firmware", str, default="") or None,
        # What is to be measured waits for its values.
        holds=table.take("hold", bool, default=False) or measured is not None,
        is_alone=table.take("alone", bool, default=True),
        delay=60 * table.number("delay_minutes", most=60 * 24 * 365, default=60),
    )
    source = table.take("source", str, default=BY_HAND)
    watch = Watch(post=post, source=source, measured=measured)
    table.end()
    return watch


def _clauses(table: "_Table", home: Path, name: str) -> tuple[Clause, ...]:
    try:
        return RecipeDocument.parse((home / name).read_bytes()).clauses
    except (OSError, GuildmarkError) as exc:
        raise table.wrong("recipe", "the document of the site's recipe") from exc


def _job(table: "_Table", home: Path, job: str) -> JobFile:
    try:
        return read_job([(home / job).read_bytes()])
    except OSError as exc:
        raise table.wrong("job", "a file that can be read") from exc


def _settings(table: "_Table", home: Path, name: str) -> tuple[Setting, ...]:
    try:
        document = parse_object((home / name).read_bytes())
    except OSError as exc:
        raise table.wrong("settings", "a file that can be read") from exc
    members = document.get("settings")
    if not isinstance(members, Mapping):
        raise table.wrong("settings", "a file with the member `settings`")
    return tuple(_setting(table, path, member) for path, member in sorted(members.items()))


def _setting(table: "_Table", path: str, member: object) -> Setting:
    found = member if isinstance(member, Mapping) else {}
    try:
        return Setting(path=ClausePath(path), value=found["value"], unit=found.get("unit"))
    except (GuildmarkError, KeyError, TypeError) as exc:
        raise table.wrong("settings", f"a value with its unit at {path}") from exc


def write_agent(settings: AgentSettings, watches: Sequence[Mapping[str, object]] = ()) -> None:
    """Write an agent's file, whole or not at all.

    Args:
        settings: What the table ``agent`` says.
        watches: Each machine's table.
    """
    own = {
        "node": settings.node,
        "port": settings.port,
        "poll_seconds": float(settings.poll_seconds),
        "ask_seconds": float(settings.ask_seconds),
    }
    tables = ["[agent]\n" + _toml(own), *("[[machine]]\n" + _toml(one) for one in watches)]
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_durably(settings.home / FILE_NAME, "\n".join(tables).encode())


def machine_table(post: Post, source: str) -> Mapping[str, object]:
    """Return a machine's table with what it cannot do without."""
    return {
        "name": post.name,
        "id": to_hex(post.machine),
        "key": post.key,
        "source": source,
        "lane": post.lane,
        "site_recipe": to_hex(post.site_recipe),
        "host": post.host,
        "hold": post.holds,
        "alone": post.is_alone,
        "delay_minutes": post.delay // 60,
    }


def _toml(values: Mapping[str, object]) -> str:
    # JSON's strings, numbers and truth values are TOML's too.
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())


class _Table:
    """A table that is read member by member; what nobody asked for is a mistake."""

    def __init__(self, values: Mapping[str, Any], name: str) -> None:
        self._values = dict(values)
        self._name = name

    def take(self, key: str, kind: type[T], default: Any = _MISSING) -> T:
        value = self._values.pop(key, default)
        if type(value) is not kind:
            raise self.wrong(key, f"a value of kind {kind.__name__}")
        return value

    def number(self, key: str, *, most: int, default: Any = _MISSING) -> int:
        value = self.take(key, int, default)
        if not 1 <= value <= most:
            raise self.wrong(key, f"1 to {most}")
        return value

    def seconds(self, key: str, default: float) -> float:
        value = self._values.pop(key, default)
        if not isinstance(value, int | float) or not 0 < value <= 3600:  # noqa: PLR2004 - an hour
            raise self.wrong(key, "seconds, an hour at most")
        return float(value)

    def shown(self, key: str) -> tuple[str, ...] | None:
        if key not in self._values:
            return None
        paths = tuple(str(one) for one in self.take(key, list))
        try:
            check_shown(paths)
        except ShownPathError as exc:
            raise self.wrong(key, "paths of values, or beginnings of paths") from exc
        return paths

    def bytes32(self, key: str) -> bytes:
        return self._parsed(key, bytes32_from_hex)

    def end(self) -> None:
        for key in self._values:
            raise self.wrong(key, "nothing: the name is not known")

    def wrong(self, key: str, expected: str) -> AgentSettingError:
        message = f"{key} in {self._name}: {expected} is expected."
        return AgentSettingError(message, setting=key)

    def _parsed(self, key: str, parse: Callable[[str], T]) -> T:
        try:
            return parse(self.take(key, str))
        except GuildmarkError as exc:
            raise self.wrong(key, "32 bytes as 0x and hex digits") from exc
