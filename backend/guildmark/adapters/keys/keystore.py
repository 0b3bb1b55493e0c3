"""The keys of a home, by name; and a signer by its URI."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from guildmark.adapters.keys import files, tpm
from guildmark.adapters.keys.devices import DeviceSupportError
from guildmark.adapters.keys.signer import Signer
from guildmark.domain.builds.predicate import KeyHolder
from guildmark.domain.errors import MalformedError, SettingsError
from guildmark.domain.identifiers import Address
from guildmark.domain.signatures import Algorithm, address_of
from guildmark.domain.signatures import PublicKey as SigningKey
from guildmark.ports.keys import (
    KeyAlgorithm,
    KeyExistsError,
    KeyMissingError,
    KeyName,
    KeyPurposeError,
    PublicKey,
)

PASSWORD_VARIABLE = "GUILDMARK_PASSWORD_FILE"  # noqa: S105 - the name of a variable, no password

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)


class KeyNameError(MalformedError):
    """The text cannot name a key."""

    code = "key.nameMalformed"
    hint = "Use up to 64 small letters, digits, dots, dashes and underscores."


class SignerUriError(SettingsError):
    """A signer's URI has a scheme that nothing opens."""

    code = "key.uriUnknown"
    hint = "Use file:<path of a key file>, pkcs11:token=...;object=... or tpm:handle=..."


class PasswordMissingError(SettingsError):
    """There is no file with the password of the keys."""

    code = "key.passwordMissing"
    hint = "Name the file in GUILDMARK_PASSWORD_FILE, or run `guildmark init`."


@dataclass(slots=True)
class FileKeyStore:
    """Key files in one folder, and keys elsewhere by their URIs.

    Opened keys stay in memory until the process ends; of keys in devices, their sessions do.

    Args:
        folder: Where the files are.
        password: Asked when the first key is opened or made.
        pin: The file with the PIN of tokens and TPMs whose URIs name none.
    """

    folder: Path
    password: Callable[[], str] = field(repr=False)
    pin: Path | None = None
    _opened: dict[KeyName, Signer] = field(default_factory=dict, init=False, repr=False)

    def names(self) -> Sequence[KeyName]:
        """Return all names, sorted."""
        found = (path for path in self.folder.glob("*") if path.suffix in _SUFFIXES)
        return sorted(KeyName(path.stem) for path in found)

    def create(self, name: KeyName, algorithm: KeyAlgorithm) -> PublicKey:
        """Make a new key and store it durably: in a file, or in the device that a URI names."""
        if is_uri(name):
            return _scheme(name).create(name, algorithm, self.pin)
        if not _NAME.fullmatch(name):
            message = f"{name[:80]!r} cannot name a key."
            raise KeyNameError(message, name=name[:80])
        if name in self.names():
            message = f"There is a key {name} already."
            raise KeyExistsError(message, name=name)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return files.create(self.folder, name, algorithm, self.password())

    def public_key(self, name: KeyName) -> PublicKey:
        """Return the public key; needs no password."""
        is_open = name in self._opened or is_uri(name)
        return self._open(name).public_key if is_open else files.public_key(self._path(name))

    def holder(self, name: KeyName) -> KeyHolder:
        """Return what holds a key."""
        return _scheme(name).holder if is_uri(name) else KeyHolder.FILE

    def address(self, name: KeyName) -> Address:
        """Return the account that a secp256k1 key controls; needs no password."""
        key = self.public_key(name)
        if key.algorithm is not KeyAlgorithm.SECP256K1:
            message = f"{name} is a {key.algorithm} key, which has no account."
            raise KeyPurposeError(message, name=name)
        return address_of(SigningKey(algorithm=Algorithm.SECP256K1, data=key.value))

    def sign_digest(self, name: KeyName, digest: bytes) -> bytes:
        """Return r, s and v (27 or 28) over 32 bytes, s low."""
        return self._open(name).sign_digest(digest)

    def sign_payload(self, name: KeyName, payload: bytes) -> bytes:
        """Return a machine's signature over ``payload``."""
        return self._open(name).sign_payload(payload)

    def unseal(self, name: KeyName, sealed: bytes, *, info: bytes) -> bytes:
        """Return what was sealed to a key under the context ``info``."""
        return self._open(name).unseal(sealed, info=info)

    def unwrap(self, name: KeyName, wrapped: bytes, *, mask: str, digest: str) -> bytes:
        """Return the content key of a printer's file that was wrapped for an RSA key."""
        return self._open(name).unwrap(wrapped, mask=mask, digest=digest)

    def open(self, name: KeyName) -> None:
        """Open a key now instead of when it first signs; it stays open.

        A key file is opened in 32 MiB of memory, which are free again then.
        """
        self._open(name)

    def _open(self, name: KeyName) -> Signer:
        if name not in self._opened:
            uri = name if is_uri(name) else f"file:{self._path(name)}"
            self._opened[name] = open_signer(uri, self.password, pin=self.pin)
        return self._opened[name]

    def _path(self, name: KeyName) -> Path:
        for suffix in _SUFFIXES:
            path = self.folder / f"{name}{suffix}"
            if _NAME.fullmatch(name) and path.is_file():
                return path
        message = f"There is no key {name[:80]!r} in {self.folder}."
        raise KeyMissingError(message, name=name[:80])


def is_uri(name: str) -> bool:
    """Return whether a key is named by its URI: no name of a key file has a colon."""
    return ":" in name


def names_signer(text: str) -> bool:
    """Return whether a text is a signer's URI, by its scheme."""
    return text.partition(":")[0] in _SCHEMES and is_uri(text)


def open_signer(uri: str, password: Callable[[], str], *, pin: Path | None = None) -> Signer:
    """Return the signer that a URI names; its scheme chooses how the key is reached.

    Raises:
        SignerUriError: The scheme is not known.
        KeyMissingError: There is no such file, or no such key in the device.
        PasswordWrongError: The password does not open it.
        KeyFileMalformedError: It is no key file.
        DeviceUriError: The device's URI is malformed.
        DeviceMissingError: The device is not there.
    """
    return _scheme(uri).open(uri, password, pin)


def password_file(folder: Path, environment: Mapping[str, str]) -> Path:
    """Return the file with the password of the keys in ``folder``, be it there or not."""
    named = environment.get(PASSWORD_VARIABLE)
    return Path(named) if named else folder / "password"


def password_from(folder: Path, environment: Mapping[str, str]) -> Callable[[], str]:
    """Return what reads the password of the keys in ``folder`` when it is needed.

    The file is the one that GUILDMARK_PASSWORD_FILE names, else ``password`` beside the keys.
    """
    path = password_file(folder, environment)

    def password() -> str:
        try:
            return path.read_text(encoding="utf-8").rstrip("\r\n")
        except OSError as exc:
            message = f"The password file {path} cannot be read."
            raise PasswordMissingError(message, path=str(path)) from exc

    return password


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scheme:
    """How keys of one scheme of URIs are reached."""

    holder: KeyHolder
    open: Callable[[str, Callable[[], str], Path | None], Signer]
    create: Callable[[str, KeyAlgorithm, Path | None], PublicKey]


def _scheme(uri: str) -> _Scheme:
    name = uri.partition(":")[0]
    scheme = _SCHEMES.get(name)
    if scheme is None:
        message = f"No signer is reached by {name[:40]!r}."
        raise SignerUriError(message, scheme=name[:40])
    return scheme


def _open_file(uri: str, password: Callable[[], str], _: Path | None) -> Signer:
    return files.open_key(Path(uri.removeprefix("file:")), password())


def _create_file(uri: str, _: KeyAlgorithm, __: Path | None) -> PublicKey:
    message = "A key file is made in a home, under a name, not under a URI."
    raise SignerUriError(message, scheme=uri.partition(":")[0])


def _open_token(uri: str, _: Callable[[], str], pin: Path | None) -> Signer:
    with _needing_binding():
        from guildmark.adapters.keys import tokens  # noqa: PLC0415 - needs an extra
    return tokens.open_token_key(uri, pin)


def _create_token(uri: str, algorithm: KeyAlgorithm, pin: Path | None) -> PublicKey:
    with _needing_binding():
        from guildmark.adapters.keys import tokens  # noqa: PLC0415 - needs an extra
    return tokens.create_token_key(uri, algorithm, pin)


@contextmanager
def _needing_binding() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as exc:
        message = "Keys in PKCS #11 tokens need the extra `hsm`, which is not installed."
        raise DeviceSupportError(message, next_step="pip install 'guildmark[hsm]'") from exc


def _open_tpm(uri: str, _: Callable[[], str], pin: Path | None) -> Signer:
    return tpm.open_tpm_key(uri, pin)


_SUFFIXES = (files.KEYSTORE, files.PKCS8)

_SCHEMES: Mapping[str, _Scheme] = MappingProxyType(
    {
        "file": _Scheme(holder=KeyHolder.FILE, open=_open_file, create=_create_file),
        "pkcs11": _Scheme(holder=KeyHolder.PKCS11, open=_open_token, create=_create_token),
        "tpm": _Scheme(holder=KeyHolder.TPM, open=_open_tpm, create=tpm.create_tpm_key),
    }
)
