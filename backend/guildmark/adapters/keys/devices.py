"""What tokens and TPMs share: their URIs' grammar, their PINs, and how they fail.

A PIN comes from a file that is named, never from a URI, an argument or a variable's value, and it
goes nowhere but to the device.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Self
from urllib.parse import unquote_to_bytes

from guildmark.domain.errors import (
    ConflictError,
    ForbiddenError,
    MalformedError,
    NetworkError,
    NotFoundError,
    SettingsError,
    UsageError,
)

PIN_VARIABLE = "GUILDMARK_PIN_FILE"
PIN_SOURCE = "pin-source"
PIN_VALUE = "pin-value"

# RFC 7512, 2.3: what stands for itself in a path's and in a query's value.
_PATH_VALUE = re.compile(r"(?:[A-Za-z0-9._~:\[\]@!$'()*+,=&-]|%[0-9A-Fa-f]{2})*", re.ASCII)
_QUERY_VALUE = re.compile(r"(?:[A-Za-z0-9._~:\[\]@!$'()*+,=/?|-]|%[0-9A-Fa-f]{2})*", re.ASCII)
_FILE = "file:"


class DeviceUriError(MalformedError):
    """A URI of a token or TPM does not follow its grammar, or lacks what names a key."""

    code = "key.uriMalformed"
    hint = "Write pkcs11:token=...;object=...?module-path=... or tpm:handle=0x81010001."


class PinInUriError(MalformedError):
    """A PIN stands in a URI, where lists of processes and logs show it to everybody."""

    code = "key.pinInUri"
    hint = "Change the PIN, put it into a file and name that: pin-source=file:/path/of/file."


class PinMissingError(SettingsError):
    """No file with the PIN of a token or TPM is named, or it cannot be read."""

    code = "key.pinMissing"
    hint = "Name it in the URI as pin-source=file:/path/of/file, or in GUILDMARK_PIN_FILE."


class PinWrongError(ForbiddenError):
    """The token or TPM refused the PIN; it is not tried again, since tries are counted."""

    code = "key.pinWrong"
    hint = "Correct the file with the PIN before you try again: the device counts wrong ones."


class PinLockedError(ConflictError):
    """The PIN is locked, or the next wrong one would lock it: that one is not tried here."""

    code = "key.pinLocked"
    hint = "Unlock the PIN, or log in once, with the device's own tool."


class DeviceMissingError(NotFoundError):
    """No token or TPM answers to the URI."""

    code = "key.deviceMissing"
    hint = "Check that the device is there and that this user may use it."


class DeviceSupportError(SettingsError):
    """The software that speaks to the device is not there."""

    code = "key.deviceSupport"
    hint = "Install it: docs/how-to/manufacturer.md names the packages."


class DeviceFailedError(NetworkError):
    """The token or TPM was asked and did not do it."""

    code = "key.deviceFailed"
    hint = "Look at the device with its own tool, then try again."


class AlgorithmUnsupportedError(UsageError):
    """The token or TPM has no such algorithm."""

    code = "key.algorithmUnsupported"
    hint = "Use p256, which every TPM and most tokens have."


class KeyAmbiguousError(UsageError):
    """A URI fits several tokens or keys."""

    code = "key.ambiguous"
    hint = "Add id= (or serial= for the token), so that the URI names one."


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceUri:
    """A URI in the grammar of RFC 7512: attributes of the key, then how to reach it.

    Args:
        scheme: pkcs11 or tpm.
        path: The attributes that name the key.
        query: The attributes that say how to reach it.
    """

    scheme: str
    path: Mapping[str, bytes]
    query: Mapping[str, bytes]

    @classmethod
    def parse(cls, text: str, *, path: Collection[str], query: Collection[str]) -> Self:
        """Return what a URI says. No error repeats a value: one may be a PIN.

        Raises:
            DeviceUriError: It is malformed, or has an attribute that is not known.
            PinInUriError: It has a PIN in it.
        """
        scheme, _, rest = text.partition(":")
        named, _, asked = rest.partition("?")
        return cls(
            scheme=scheme,
            query=_attributes(asked.split("&") if asked else [], query, _QUERY_VALUE),
            path=_attributes(named.split(";") if named else [], path, _PATH_VALUE),
        )

    def text(self, name: str) -> str | None:
        """Return an attribute as text, None where it is not given.

        Raises:
            DeviceUriError: It is not UTF-8.
        """
        value = self.path.get(name, self.query.get(name))
        try:
            return None if value is None else value.decode()
        except UnicodeDecodeError as exc:
            message = f"The attribute {name} of the key's URI is not UTF-8."
            raise DeviceUriError(message, attribute=name) from exc

    def __str__(self) -> str:
        """Return the key's name alone, printable."""
        shown = (f"{name}={_shown(value)}" for name, value in self.path.items())
        return f"{self.scheme}:{';'.join(shown)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PinFile:
    """Where the PIN of a device is; it is read when it is needed, and not kept."""

    path: Path | None

    @classmethod
    def of(cls, uri: DeviceUri, default: Path | None) -> Self:
        """Return the file that the URI names, else the default one.

        Raises:
            DeviceUriError: The URI names something else than a file.
        """
        source = uri.text(PIN_SOURCE)
        if source is None:
            return cls(path=default)
        path = Path(source.removeprefix(_FILE))
        if not path.is_absolute():
            message = f"The attribute {PIN_SOURCE} of the key's URI names no file by its full path."
            raise DeviceUriError(message, attribute=PIN_SOURCE)
        return cls(path=path)

    def read(self) -> str:
        """Return the PIN.

        Raises:
            PinMissingError: No file is named, or it cannot be read, or is empty.
        """
        if self.path is None:
            message = "The key's device wants a PIN, and no file with one is named."
            raise PinMissingError(message)
        try:
            pin = self.path.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError):
            pin = ""
        if not pin:
            message = f"The PIN file {self.path} cannot be read, or is empty."
            raise PinMissingError(message, path=str(self.path))
        return pin


def pin_file(environment: Mapping[str, str]) -> Path | None:
    """Return the file that GUILDMARK_PIN_FILE names."""
    named = environment.get(PIN_VARIABLE)
    return Path(named) if named else None


def refused_again(uri: DeviceUri) -> PinWrongError:
    """Return the error for a PIN that the device refused before in this process."""
    return PinWrongError(f"The PIN of {uri} was refused before and is not tried again.")


def _attributes(
    pairs: Collection[str], known: Collection[str], value_form: re.Pattern[str]
) -> Mapping[str, bytes]:
    found: dict[str, bytes] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if name == PIN_VALUE:
            message = "A PIN must not stand in a key's URI."
            raise PinInUriError(message)
        if name not in known:
            message = f"A key's URI has an attribute that is not among {', '.join(sorted(known))}."
            raise DeviceUriError(message)
        if not equals or name in found or not value_form.fullmatch(value):
            message = f"The attribute {name} of the key's URI is malformed or given twice."
            raise DeviceUriError(message, attribute=name)
        found[name] = unquote_to_bytes(value)
    return MappingProxyType(found)


def _shown(value: bytes) -> str:
    text = value.decode("ascii", "replace")
    return text if text.isprintable() and text.isascii() else f"0x{value.hex()}"
