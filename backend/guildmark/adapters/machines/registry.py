"""One name for every kind of machine: ``folder:PATH``, ``octoprint:URL`` and so on."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from guildmark.adapters.lean import httpx
from guildmark.adapters.machines.folder import KIND, Folder
from guildmark.adapters.machines.moonraker import KEY_HEADER as MOONRAKER_KEY
from guildmark.adapters.machines.moonraker import Moonraker
from guildmark.adapters.machines.mtconnect import Items, MTConnect
from guildmark.adapters.machines.octoprint import KEY_HEADER, OctoPrint
from guildmark.adapters.machines.prusalink import KEY_HEADER as PRUSALINK_KEY
from guildmark.adapters.machines.prusalink import PrusaLink
from guildmark.adapters.machines.secrets import SecretFiles
from guildmark.adapters.machines.web import MachineAddressError, Site
from guildmark.domain.errors import SettingsError, UsageError
from guildmark.domain.shopfloor.jobs import RefusedReports
from guildmark.ports.shopfloor import Machine

if TYPE_CHECKING:
    from guildmark.adapters.machines.mqtt import Broker

_OPTION = "secret"


class MachineExtraError(SettingsError):
    """A kind of machine whose packages are not installed."""

    code = "machine.extraMissing"
    hint = "Install the extra that is named."


class MachineKindError(UsageError):
    """A kind of machine that nobody knows."""

    code = "machine.unknownKind"
    hint = "Begin the address with one of the kinds that are listed, then a colon."


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A machine's address, taken apart.

    Args:
        kind: What speaks for the machine.
        place: A path, or an address.
        options: What stands after the last ``?``.
        secrets: Where the machine's secret is.
    """

    kind: str
    place: str
    options: Mapping[str, str]
    secrets: SecretFiles

    def secret(self) -> str:
        """Return the machine's secret: the file that ``?secret=`` names, or that of its kind."""
        return self.secrets.read(self.options.get(_OPTION, self.kind))

    def maybe_secret(self) -> str | None:
        """Return the machine's secret where ``?secret=`` names one."""
        return self.secret() if _OPTION in self.options else None


def machine_source(uri: str, secrets: SecretFiles) -> Machine:
    """Return the machine that an address names.

    Raises:
        MachineKindError: Nobody knows its kind.
        MachineAddressError: The rest of the address cannot be one.
        MachineSecretError: Its secret cannot be read.
    """
    kind, separator, rest = uri.partition(":")
    known = _KINDS.get(kind)
    if known is None or not separator:
        message = f"{kind[:40]!r} is no kind of machine; there are: {', '.join(_KINDS)}."
        raise MachineKindError(message, kinds=list(_KINDS))
    place, _, query = rest.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    unknown = sorted(options.keys() - known.options)
    if unknown:
        message = f"Machines of the kind {kind} have no option {unknown[0][:40]!r}."
        raise MachineAddressError(message, options=sorted(known.options))
    return known.open(Source(kind=kind, place=place, options=options, secrets=secrets))


def refused_reports(uri: str) -> RefusedReports | None:
    """Return what lies refused of the reports of an address, None where nothing can.

    Raises:
        MachineUnavailableError: The folder that it names cannot be read.
    """
    kind, _, rest = uri.partition(":")
    path = Path(rest.partition("?")[0])
    return Folder(path=path).refused() if kind == KIND and path.is_absolute() else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    open: Callable[[Source], Machine]
    options: frozenset[str] = frozenset()


def _folder(source: Source) -> Machine:
    path = Path(source.place)
    if not path.is_absolute():
        message = "A folder is named by its whole path."
        raise MachineAddressError(message, found=source.place[:200])
    return Folder(path=path)


def _octoprint(source: Source) -> Machine:
    return OctoPrint(site=Site(url=source.place, headers={KEY_HEADER: source.secret()}))


def _moonraker(source: Source) -> Machine:
    key = source.maybe_secret()
    headers = {} if key is None else {MOONRAKER_KEY: key}
    return Moonraker(site=Site(url=source.place, headers=headers))


def _prusalink(source: Source) -> Machine:
    user, secret = source.options.get("user"), source.secret()
    if user is None:
        return PrusaLink(site=Site(url=source.place, headers={PRUSALINK_KEY: secret}))
    return PrusaLink(site=Site(url=source.place, auth=httpx.DigestAuth(user, secret)))


def _mtconnect(source: Source) -> Machine:
    return MTConnect(site=Site(url=source.place), items=Items(**source.options))


def _sparkplug(source: Source) -> Machine:
    _check_mqtt()
    # The extra's package is imported where it is used alone.
    from guildmark.adapters.machines.mqtt import Inbox  # noqa: PLC0415
    from guildmark.adapters.machines.sparkplug import NAMESPACE, Metrics, Sparkplug  # noqa: PLC0415

    broker, names = _broker(source), _levels(source)
    if len(names) != len(_SPARKPLUG):
        message = "A Sparkplug device is named as mqtt://HOST[:PORT]/GROUP/NODE/DEVICE."
        raise MachineAddressError(message, found=ascii(source.place[:80]))
    group, node, device = names
    if {"+", "#"} & set(group + node + device):
        message = "A Sparkplug address has no + or # in its names."
        raise MachineAddressError(message)
    chosen = {name: source.options[name] for name in _METRICS & source.options.keys()}
    inbox = Inbox(broker=broker, topic=f"{NAMESPACE}/{group}/+/{node}/#")
    return Sparkplug(inbox=inbox, node=node, device=device, names=Metrics(**chosen))


def _mqtt(source: Source) -> Machine:
    _check_mqtt()
    from guildmark.adapters.machines.messages import Messages, Topic  # noqa: PLC0415 - see above
    from guildmark.adapters.machines.mqtt import Inbox  # noqa: PLC0415 - see above

    topic = Topic("/".join(_levels(source)))
    if not topic.is_sound:
        message = "Reports are at mqtt://HOST[:PORT]/TOPIC; a level is a name, +, {job} or {phase}."
        raise MachineAddressError(message, found=ascii(source.place[:80]))
    return Messages(inbox=Inbox(broker=_broker(source), topic=topic.filter), topic=topic)


def _opcua(source: Source) -> Machine:
    _check_extra("asyncua", "OPC UA", "opcua")
    from guildmark.adapters.machines.opcua import (  # noqa: PLC0415 - see above
        Nodes,
        OpcUa,
        Server,
        Subscription,
    )

    parts, options = urlsplit(source.place), source.options
    if parts.scheme != "opc.tcp" or not parts.hostname or parts.username or parts.password:
        message = "An OPC UA server is named as opc.tcp://HOST[:PORT][/PATH], without user."
        raise MachineAddressError(message, found=ascii(source.place[:80]))
    if "execution" not in options:
        message = "Nobody says which variable of the server tells what the machine does."
        next_step = "Name it by its id: ?execution=ns=2;s=Execution."
        raise MachineAddressError(message, next_step=next_step)
    nodes = Nodes(**{name: options[name] for name in _METRICS & options.keys()})
    user, secret = options.get("user"), source.maybe_secret()
    server = Server(url=source.place, nodes=nodes, user=user, password=secret)
    return OpcUa(subscription=Subscription(server=server))


def _check_mqtt() -> None:
    _check_extra("paho", "MQTT", "mqtt")


def _check_extra(package: str, language: str, extra: str) -> None:
    if find_spec(package) is None:
        message = f"The package that speaks {language} is not installed."
        next_step = f"Install it: `pip install guildmark[{extra}]`."
        raise MachineExtraError(message, next_step=next_step)


def _broker(source: Source) -> "Broker":
    from guildmark.adapters.machines.mqtt import Broker  # noqa: PLC0415 - see above

    parts = urlsplit(source.place)
    if parts.scheme not in _MQTT_PORTS or not parts.hostname or parts.fragment:
        message = "A broker is named as mqtt://HOST[:PORT]/ and what is read there."
        raise MachineAddressError(message, found=ascii(source.place[:80]))
    if parts.username or parts.password:
        message = "A broker's address has neither user nor password."
        raise MachineAddressError(message)
    mark = hashlib.sha256(source.place.encode()).hexdigest()[:12]
    return Broker(
        host=parts.hostname,
        port=parts.port or _MQTT_PORTS[parts.scheme],
        client=source.options.get("client", f"guildmark-{mark}"),
        is_secure=parts.scheme == "mqtts",
        user=source.options.get("user"),
        password=source.maybe_secret(),
    )


def _levels(source: Source) -> Sequence[str]:
    """Return the levels of a topic, as the path of a broker's address has them."""
    return [unquote(level) for level in urlsplit(source.place).path.split("/")[1:]]


_METRICS = frozenset({"execution", "count", "program"})
_SESSION = frozenset({_OPTION, "user", "client"})
_MQTT_PORTS = MappingProxyType({"mqtt": 1883, "mqtts": 8883})
_SPARKPLUG = ("group", "node", "device")
_KINDS: Mapping[str, _Kind] = MappingProxyType(
    {
        "folder": _Kind(open=_folder),
        "octoprint": _Kind(open=_octoprint, options=frozenset({_OPTION})),
        "moonraker": _Kind(open=_moonraker, options=frozenset({_OPTION})),
        "prusalink": _Kind(open=_prusalink, options=frozenset({_OPTION, "user"})),
        "mtconnect": _Kind(open=_mtconnect, options=_METRICS),
        "sparkplug": _Kind(open=_sparkplug, options=_METRICS | _SESSION),
        "opcua": _Kind(open=_opcua, options=_METRICS | {_OPTION, "user"}),
        "mqtt": _Kind(open=_mqtt, options=_SESSION),
    }
)
