"""One name for every kind of machine: ``folder:PATH``, ``octoprint:URL`` and so on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from urllib.parse import parse_qsl

from guildmark.adapters.machines.folder import Folder
from guildmark.adapters.machines.mtconnect import Items, MTConnect
from guildmark.adapters.machines.octoprint import KEY_HEADER, OctoPrint
from guildmark.adapters.machines.secrets import SecretFiles
from guildmark.adapters.machines.web import MachineAddressError, Site
from guildmark.domain.errors import UsageError
from guildmark.ports import Machine

_OPTION = "secret"


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


def _mtconnect(source: Source) -> Machine:
    return MTConnect(site=Site(url=source.place), items=Items(**source.options))


_KINDS: Mapping[str, _Kind] = MappingProxyType(
    {
        "folder": _Kind(open=_folder),
        "octoprint": _Kind(open=_octoprint, options=frozenset({_OPTION})),
        "mtconnect": _Kind(open=_mtconnect, options=frozenset({"execution", "count", "program"})),
    }
)
