"""Keys in PKCS #11 tokens (HSMs, smart cards), by the URIs of RFC 7512.

Imported only where such a URI is given: the binding is an extra of its own.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, MechanismFlag, ObjectClass, TokenFlag

from guildmark.adapters.keys.devices import (
    AlgorithmUnsupportedError,
    DeviceFailedError,
    DeviceMissingError,
    DeviceSupportError,
    DeviceUri,
    DeviceUriError,
    KeyAmbiguousError,
    PinFile,
    PinLockedError,
    PinMissingError,
    PinWrongError,
    refused_again,
)
from guildmark.adapters.keys.signer import Signer, device_signer
from guildmark.domain.errors import GuildmarkError
from guildmark.ports.keys import KeyAlgorithm, KeyExistsError, KeyMissingError, PublicKey

if TYPE_CHECKING:
    from pkcs11._pkcs11 import lib as Library  # noqa: N812 - its class, named as one

_PATH = ("token", "serial", "manufacturer", "model", "slot-id", "object", "id", "type")
_QUERY = ("module-path", "pin-source")

# DER of the curves' names (SEC 2, A.2; RFC 5480, 2.1.1.1): what CKA_EC_PARAMS holds.
_CURVES: Mapping[KeyAlgorithm, bytes] = MappingProxyType(
    {
        KeyAlgorithm.SECP256K1: bytes.fromhex("06052b8104000a"),
        KeyAlgorithm.P256: bytes.fromhex("06082a8648ce3d030107"),
    }
)
_POINT_SIZE = 65
_OCTETS = b"\x04\x41"
_UNCOMPRESSED = 4
_ID_SIZE = 8

_LOST = (
    pkcs11.SessionClosed,
    pkcs11.SessionHandleInvalid,
    pkcs11.KeyHandleInvalid,
    pkcs11.ObjectHandleInvalid,
    pkcs11.UserNotLoggedIn,
    pkcs11.DeviceRemoved,
    pkcs11.TokenNotPresent,
    pkcs11.DeviceError,
)
"""How a session ends without our doing; the key is then looked up once more."""


def open_token_key(text: str, default_pin: Path | None) -> Signer:
    """Return the signer of a key in a token; the PIN is asked when it first signs.

    Raises:
        DeviceUriError: The URI is malformed.
        DeviceSupportError: The token's module cannot be loaded.
        DeviceMissingError: The token is not there.
        KeyMissingError: It has no such key.
        AlgorithmUnsupportedError: The key is on no curve that machines sign on.
    """
    uri = _parse(text)
    key = TokenKey(uri=uri, pin=PinFile.of(uri, default_pin).read)
    return device_signer(key.public_key(), key.sign)


def create_token_key(text: str, algorithm: KeyAlgorithm, default_pin: Path | None) -> PublicKey:
    """Make a key in a token, which it cannot leave.

    Raises:
        KeyExistsError: The token has a key of that name or id.
        AlgorithmUnsupportedError: The token cannot make such keys.
        PinWrongError: The PIN was refused.
    """
    uri = _parse(text)
    key = TokenKey(uri=uri, pin=PinFile.of(uri, default_pin).read)
    return key.create(algorithm)


@dataclass(slots=True, kw_only=True)
class TokenKey:
    """One key in one token; its session stays open until the process ends, or it is lost.

    Args:
        pin: Asked at the first login.
    """

    uri: DeviceUri
    pin: Callable[[], str] = field(repr=False)
    # The binding adds what a key can do when it reads the object: its types do not say so.
    _private: Any = field(default=None, init=False, repr=False)
    _refused: str | None = field(default=None, init=False, repr=False)

    def public_key(self) -> PublicKey:
        """Return the public half; most tokens show it without a PIN."""
        with _asking(self.uri):
            session = self._token().open()
            try:
                found = self._find(session, ObjectClass.PUBLIC_KEY)
                if found is not None:
                    return self._read(found)
            finally:
                session.close()
            return self._read(self._opened_to_show())

    def sign(self, digest: bytes) -> bytes:
        """Return r and s over 32 bytes, as the token gives them."""
        with _asking(self.uri):
            try:
                return self._sign(digest)
            except _LOST:
                self._private = None
                return self._sign(digest)

    def create(self, algorithm: KeyAlgorithm) -> PublicKey:
        """Make the key."""
        curve = _CURVES.get(algorithm)
        if curve is None:
            raise self._unsupported(algorithm)
        with _asking(self.uri):
            session = self._login(for_writing=True)
            try:
                return self._create(session, curve)
            finally:
                session.close()

    def _create(self, session: pkcs11.Session, curve: bytes) -> PublicKey:
        for kind in (ObjectClass.PRIVATE_KEY, ObjectClass.PUBLIC_KEY):
            if self._find(session, kind) is not None:
                message = f"There is a key {self.uri} already."
                raise KeyExistsError(message, uri=str(self.uri))
        label = self.uri.text("object")
        if label is None:
            message = "A new key in a token needs a name: object=..."
            raise DeviceUriError(message, attribute="object")
        domain = session.create_domain_parameters(
            KeyType.EC, {Attribute.EC_PARAMS: curve}, local=True
        )
        public, _ = domain.generate_keypair(
            id=self.uri.path.get("id", sha256(label.encode()).digest()[:_ID_SIZE]),
            label=label,
            store=True,
            capabilities=MechanismFlag.SIGN | MechanismFlag.VERIFY,
            public_template={Attribute.PRIVATE: False},
            private_template={Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False},
        )
        return self._read(public)

    def _sign(self, digest: bytes) -> bytes:
        return bytes(self._opened().sign(digest, mechanism=Mechanism.ECDSA))

    def _opened(self) -> Any:
        if self._private is None:
            found = self._find(self._login(), ObjectClass.PRIVATE_KEY)
            if found is None:
                message = f"The token has no private key {self.uri}."
                raise KeyMissingError(message, next_step=_LOOK, uri=str(self.uri))
            self._private = found
        return self._private

    def _opened_to_show(self) -> Any:
        try:
            return self._opened()
        except PinMissingError as exc:
            message = f"The token shows no key {self.uri} without a PIN."
            raise KeyMissingError(message, next_step=_LOOK, uri=str(self.uri)) from exc

    def _login(self, *, for_writing: bool = False) -> pkcs11.Session:
        pin = self.pin()
        if pin == self._refused:
            raise refused_again(self.uri)
        token = self._token()
        refuse_spent(token.flags, self.uri)
        try:
            return token.open(rw=for_writing, user_pin=pin)
        except pkcs11.UserAlreadyLoggedIn:
            # Another key of this process did: the login is the application's, not the session's.
            return token.open(rw=for_writing)
        except _PIN_WRONG:
            self._refused = pin
            raise

    def _token(self) -> pkcs11.Token:
        found = [token for token in _module(self.uri).get_tokens() if _fits(self.uri, token)]
        if not found:
            message = f"No token fits {self.uri}."
            raise DeviceMissingError(message, uri=str(self.uri))
        if len(found) > 1:
            message = f"{len(found)} tokens fit {self.uri}."
            raise KeyAmbiguousError(message, uri=str(self.uri))
        return found[0]

    def _find(self, session: pkcs11.Session, kind: ObjectClass) -> Any:
        label, name = self.uri.text("object"), self.uri.path.get("id")
        asked = {Attribute.CLASS: kind, Attribute.LABEL: label, Attribute.ID: name}
        wanted = {key: value for key, value in asked.items() if value is not None}
        found = list(session.get_objects(wanted))
        if len(found) > 1:
            message = f"{len(found)} keys fit {self.uri}."
            raise KeyAmbiguousError(message, uri=str(self.uri))
        return found[0] if found else None

    def _read(self, key: Any) -> PublicKey:
        """Return the point of a key object: uncompressed, plain or as an octet string."""
        try:
            curve, point = bytes(key[Attribute.EC_PARAMS]), bytes(key[Attribute.EC_POINT])
        except pkcs11.AttributeTypeInvalid as exc:
            message = f"The token does not show the public half of {self.uri}."
            raise KeyMissingError(message, next_step=_LOOK, uri=str(self.uri)) from exc
        algorithm = next((one for one, name in _CURVES.items() if name == curve), None)
        point = point.removeprefix(_OCTETS) if len(point) > _POINT_SIZE else point
        if algorithm is None or len(point) != _POINT_SIZE or point[0] != _UNCOMPRESSED:
            raise self._unsupported(None)
        return PublicKey(
            algorithm=algorithm, value=bytes((2 + (point[-1] & 1),)) + point[1 : 1 + 32]
        )

    def _unsupported(self, algorithm: KeyAlgorithm | None) -> AlgorithmUnsupportedError:
        what = "a key of another kind" if algorithm is None else f"{algorithm} keys"
        message = f"Tokens sign here on secp256k1 and p256; {self.uri} asks for {what}."
        return AlgorithmUnsupportedError(message, uri=str(self.uri))


def refuse_spent(flags: TokenFlag, uri: DeviceUri) -> None:
    """Refuse a login that could lock the PIN.

    Raises:
        PinLockedError: The PIN is locked, or one wrong try would lock it.
    """
    if flags & (TokenFlag.USER_PIN_LOCKED | TokenFlag.USER_PIN_FINAL_TRY):
        message = f"The PIN of {uri} is locked or has one try left."
        raise PinLockedError(message, uri=str(uri))


def _parse(text: str) -> DeviceUri:
    uri = DeviceUri.parse(text, path=_PATH, query=_QUERY)
    if uri.path.get("type", b"private") not in {b"private", b"public"}:
        message = "The attribute type of the key's URI is private or public."
        raise DeviceUriError(message, attribute="type")
    if not {"object", "id"} & set(uri.path):
        message = "The key's URI names no key: it needs object= or id=."
        raise DeviceUriError(message)
    return uri


def _module(uri: DeviceUri) -> "Library":
    path = uri.text("module-path")
    if path is None:
        message = f"{uri} does not say which module reaches the token."
        raise DeviceSupportError(message, next_step="Add ?module-path=/path/of/module.so.")
    try:
        return pkcs11.lib(path)
    except pkcs11.PKCS11Error as exc:
        message = f"The PKCS #11 module {path} cannot be loaded."
        raise DeviceSupportError(message, path=path) from exc


def _fits(uri: DeviceUri, token: pkcs11.Token) -> bool:
    shown = {
        "token": token.label,
        "serial": token.serial.decode("ascii", "replace"),
        "manufacturer": token.manufacturer_id,
        "model": token.model,
        "slot-id": str(token.slot.slot_id),
    }
    is_ready = bool(token.flags & TokenFlag.TOKEN_INITIALIZED)
    return is_ready and all(uri.text(name) in {None, value} for name, value in shown.items())


@contextmanager
def _asking(uri: DeviceUri) -> Iterator[None]:
    """Translate what the module says; its words carry no PIN, ours neither."""
    try:
        yield
    except pkcs11.PKCS11Error as exc:
        for kinds, error, said in _TRANSLATED:
            if isinstance(exc, kinds):
                raise error(said.format(uri=uri), uri=str(uri)) from exc
        message = f"The token of {uri} failed: {type(exc).__name__}."
        raise DeviceFailedError(message, uri=str(uri), failure=type(exc).__name__) from exc


_Kinds: TypeAlias = tuple[type[pkcs11.PKCS11Error], ...]

_LOOK = (
    "List the token's keys with `pkcs11-tool --list-objects`, or make one: `guildmark keys new`."
)
_PIN_WRONG: _Kinds = (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange)
_TRANSLATED: Sequence[tuple[_Kinds, type[GuildmarkError], str]] = (
    (_PIN_WRONG, PinWrongError, "The token refused the PIN of {uri}."),
    (
        (pkcs11.PinLocked, pkcs11.PinExpired, pkcs11.UserPinNotInitialized),
        PinLockedError,
        "The PIN of {uri} is locked, expired or not set.",
    ),
    (
        (pkcs11.TokenNotPresent, pkcs11.TokenNotRecognised, pkcs11.SlotIDInvalid),
        DeviceMissingError,
        "The token of {uri} is not there.",
    ),
    (
        (
            pkcs11.MechanismInvalid,
            pkcs11.FunctionNotSupported,
            pkcs11.DomainParamsInvalid,
            pkcs11.AttributeValueInvalid,
            pkcs11.KeyTypeInconsistent,
        ),
        AlgorithmUnsupportedError,
        "The token of {uri} does not support this algorithm.",
    ),
)
