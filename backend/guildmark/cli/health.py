"""Whether a home can work: each thing looked at, one after another, none stopping the others."""

import json
import os
import shutil
import ssl
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cryptography import x509

from guildmark.adapters.chain.opening import open_ledger
from guildmark.adapters.chain.rpc import Rpc, quantity, server_of
from guildmark.adapters.clock import SystemClock, SystemEntropy
from guildmark.adapters.content.stores import open_stores
from guildmark.adapters.keys.files import KEYSTORE, PKCS8
from guildmark.adapters.keys.keystore import PASSWORD_VARIABLE, open_signer, password_from
from guildmark.adapters.lean import httpx
from guildmark.adapters.store.belonging import check_keys
from guildmark.adapters.store.engine import open_database
from guildmark.bootstrap import shared_keys
from guildmark.cli.certificate import AUTHORITY, CERTIFICATE, FOLDER, files_of
from guildmark.cli.homes import KEYS, keys_of
from guildmark.cli.nodes import known_error
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.refusals import FundsMissingError
from guildmark.domain.errors import ConflictError, ForbiddenError, GuildmarkError, SettingsError
from guildmark.domain.identifiers import Address, to_hex
from guildmark.ports.chain import Call, Ledger
from guildmark.ports.keys import KeyAlgorithm, KeyMissingError
from guildmark.settings import NodeSettings, Settings, SettingsMissingError, load, with_environment

_DISK_LEAST = 1 << 30
_PATIENCE = 5.0
_DAYS_LEAST = 30
_GIB = 1 << 30
# A local chain that gets more than one block a second runs ahead of the clock by as much.
_AHEAD_MOST = 150
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class DiskFullError(ConflictError):
    """The disk has too little room left for a home."""

    code = "home.diskFull"
    hint = "Make room: a node needs at least 1 GiB."


class PasswordExposedError(ForbiddenError):
    """Others on this machine may read the password of the keys."""

    code = "key.passwordExposed"
    hint = "Run `chmod 600` on the file that is named."


class ClockWrongError(SettingsError):
    """This machine's clock is behind the chain's newest block."""

    code = "clock.behind"
    hint = "Set the clock, for example with NTP."


class WriterOtherError(ForbiddenError):
    """The log's writer on chain is not the key that this home's settings name."""

    code = "node.writerOther"
    hint = "Set it with `guildmark log writer LOG KEY`, or correct node.writer."


class NodeNotRunningError(ConflictError):
    """The home is an operator's, and its node does not run."""

    code = "node.notRunning"
    hint = "Start it with `guildmark up`; what waits goes on from where it was."


class CertificateEndsError(ConflictError):
    """The certificate by which phones reach the node holds for few more days, or none."""

    code = "certificate.ends"
    hint = "Make a new one with `guildmark certificate HOST... --renew`, and start the node again."


class ContentAloneError(ConflictError):
    """Nodes share a database, and content lies where only one machine has it."""

    code = "content.notShared"
    hint = (
        "Where nodes run on several machines, name a folder that all of them have: "
        '`stores = ["file:/FOLDER"]` under [content].'
    )


class AlarmRaisedError(ConflictError):
    """The node raised an alarm that this release does not know."""

    code = "node.alarm"
    hint = "Look at the node's log and its /readyz."


class State(StrEnum):
    """How a look at something ended; a note is no problem for everybody."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a look at something showed."""

    name: str
    state: State
    said: str
    error: GuildmarkError | None = None


def examine(folder: Path) -> Iterator[Finding]:
    """Yield what is found; what cannot be looked at without the thing before is left out."""
    yield _look("disk", lambda: _disk(folder))
    yield _look("keys", lambda: _keys(folder))
    yield _look("settings", lambda: _settings(folder))
    try:
        settings = with_environment(load(folder), os.environ)
    except GuildmarkError:
        return
    yield _look("database", lambda: _database(settings))
    yield _look("content", lambda: _content(settings))
    if settings.shared is not None:
        yield _look("hosts", lambda: _hosts(settings), failing=State.NOTE)
    yield from _chain(settings)


def _settings(folder: Path) -> str:
    return f"chain {with_environment(load(folder), os.environ).chain.chain_id}"


def _look(name: str, look: Callable[[], str], *, failing: State = State.PROBLEM) -> Finding:
    try:
        return Finding(name=name, state=State.OK, said=look())
    except GuildmarkError as error:
        return Finding(name=name, state=failing, said=error.message, error=error)


def _chain(settings: Settings) -> Iterator[Finding]:
    yield _look("chain", lambda: _chain_head(settings))
    try:
        ledger = _ledger(settings)
    except GuildmarkError:
        return
    yield _look("clock", lambda: _clock(ledger))
    yield _look("coin", lambda: _coin(settings), failing=State.NOTE)
    node = settings.node
    if node is not None:
        yield _look("log", lambda: _log(settings, node, ledger))
        yield _look("proofs", lambda: _proofs(ledger))
        if files_of(settings.home) is not None:
            yield _look("certificate", lambda: _certificate(settings.home))
        yield from _node(settings.home)


def _ledger(settings: Settings) -> Ledger:
    chain = settings.chain
    return open_ledger(
        chain.url,
        chain_id=chain.chain_id,
        genesis=chain.genesis,
        chain_class=chain.chain_class,
        directory=chain.directory,
        finality=chain.finality,
    )


def _chain_head(settings: Settings) -> str:
    final = _ledger(settings).head(final=True).number
    return f"{server_of(settings.chain.url)}, block {final} is final"


def _disk(folder: Path) -> str:
    if not folder.is_dir():
        message = f"There is no folder {folder}."
        raise SettingsMissingError(message, home=str(folder))
    free = shutil.disk_usage(folder).free
    if free < _DISK_LEAST:
        message = f"{free / _GIB:.1f} GiB are free at {folder}."
        raise DiskFullError(message, home=str(folder))
    return f"{free / _GIB:.1f} GiB free at {folder}"


def _keys(folder: Path) -> str:
    """Open every key: the password is the right one, and others cannot read it."""
    place = folder / KEYS
    named = os.environ.get(PASSWORD_VARIABLE)
    _check_private(Path(named) if named else place / "password")
    password = password_from(place, os.environ)
    paths = [path for path in sorted(place.glob("*")) if path.suffix in {KEYSTORE, PKCS8}]
    for path in paths:
        open_signer(f"file:{path}", password)
    if not paths:
        message = f"There is no key in {place}."
        raise KeyMissingError(message, folder=str(place))
    return f"{len(paths)} of {len(paths)} open"


def _check_private(password: Path) -> None:
    if password.exists() and stat.S_IMODE(password.stat().st_mode) & _OTHERS:
        message = f"Others may read the password file {password}."
        raise PasswordExposedError(message, path=str(password))


def _database(settings: Settings) -> str:
    """Open the database, and compare the keys that all hosts of a shared one must have."""
    engine = open_database(settings.database)
    try:
        if settings.shared is not None:
            check_keys(engine, shared_keys(keys_of(settings.home)))
    finally:
        engine.dispose()
    return f"{settings.database} is durable"


def _hosts(settings: Settings) -> str:
    """Look for a folder of content that all hosts of a shared database have."""
    if not any(address.startswith("file:") for address in settings.stores.stores):
        message = f"Only nodes on this machine have what is put into {settings.content}."
        raise ContentAloneError(message, path=str(settings.content))
    return "content is in a folder that hosts can share"


def _content(settings: Settings) -> str:
    named = settings.stores
    stores = open_stores(
        settings.content, named.stores, copies=named.copies, entropy=SystemEntropy()
    )
    stores.close()
    further = len(stores.blocks.replicas) + len(stores.blocks.sources)
    return f"{settings.content} and {further} further stores" if further else str(settings.content)


def _clock(ledger: Ledger) -> str:
    behind = ledger.head(final=False).time - SystemClock().now()
    if behind > _AHEAD_MOST:
        message = f"The clock is {behind} s behind the chain's newest block."
        raise ClockWrongError(message, seconds=behind)
    return "not behind the chain"


def _coin(settings: Settings) -> str:
    """Look for coin on the home's accounts; who sends no transactions needs none."""
    keys = keys_of(settings.home)
    names = [
        name for name in keys.names() if keys.public_key(name).algorithm is KeyAlgorithm.SECP256K1
    ]
    with Rpc(url=settings.chain.url) as rpc:
        empty = [name for name in names if _balance(rpc, keys.address(name)) == 0]
    if empty:
        account = to_hex(keys.address(empty[0]))
        message = f"The key {empty[0]}, account {account}, has no coin."
        raise FundsMissingError(message, account=account)
    return f"{len(names)} accounts with coin"


def _balance(rpc: Rpc, account: Address) -> int:
    return quantity(rpc.call("eth_getBalance", to_hex(account), "latest"))


def _log(settings: Settings, node: NodeSettings, ledger: Ledger) -> str:
    head = ledger.read(Call(contract=ContractName.LOG, function="head", args=(node.log,)))
    own = keys_of(settings.home).address(node.writer)
    if head["writer"] != own:
        message = f"The writer of log {node.log} is {to_hex(head['writer'])}, not {to_hex(own)}."
        raise WriterOtherError(message, log=node.log)
    return f"log {node.log}, {head['size']} entries"


def _proofs(ledger: Ledger) -> str:
    """Ask for a proof as every bundle and page needs it."""
    final = ledger.head(final=True).number
    ledger.proof(final, {ContractName.LOG: [bytes(32)]})
    return f"the chain's node proves what is in block {final}, which is final"


def _certificate(folder: Path) -> str:
    shown = x509.load_pem_x509_certificate((folder / FOLDER / CERTIFICATE).read_bytes())
    end = shown.not_valid_after_utc
    days = (int(end.timestamp()) - SystemClock().now()) // 86_400
    if days < _DAYS_LEAST:
        message = f"The certificate ends on {end:%Y-%m-%d}."
        raise CertificateEndsError(message, days=days)
    return f"holds until {end:%Y-%m-%d}"


def _trusting(folder: Path) -> ssl.SSLContext:
    """Return what takes the node's own certificate, by whatever name it is asked."""
    context, authority = ssl.create_default_context(), folder / FOLDER / AUTHORITY
    context.check_hostname = False
    if authority.exists():
        context.load_verify_locations(authority)
    return context


def _node(folder: Path) -> Iterator[Finding]:
    """Yield what the node of this home says of itself, where it runs."""
    try:
        url = str(json.loads((folder / "node.json").read_bytes())["url"])
        answer = httpx.get(f"{url}/readyz", timeout=_PATIENCE, verify=_trusting(folder)).json()
        alarms = [_told(one) for one in answer["alarms"]]
    except (OSError, ValueError, KeyError, TypeError, httpx.HTTPError):
        message = f"No node of {folder} answers."
        error = NodeNotRunningError(message, home=str(folder))
        yield Finding(name="node", state=State.NOTE, said=message, error=error)
        return
    if not alarms:
        yield Finding(name="node", state=State.OK, said=f"{url}, no alarm")
    for alarm in alarms:
        yield Finding(name="alarm", state=State.PROBLEM, said=alarm.message, error=alarm)


def _told(alarm: Mapping[str, str]) -> GuildmarkError:
    kind = known_error(alarm["code"]) or AlarmRaisedError
    return kind(alarm["reason"], next_step=alarm["nextStep"])
