"""Keys in a TPM 2.0, by its handle, through the programs of tpm2-tools.

PINs and digests go to the programs by stdin and by files that only this user reads: what stands
in an argument is seen by everybody who lists processes.
"""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from guildmark.adapters.keys.devices import (
    AlgorithmUnsupportedError,
    DeviceFailedError,
    DeviceMissingError,
    DeviceSupportError,
    DeviceUri,
    DeviceUriError,
    PinFile,
    PinLockedError,
    PinWrongError,
    refused_again,
)
from guildmark.adapters.keys.signer import Signer, device_signer
from guildmark.domain.errors import GuildmarkError
from guildmark.ports.keys import KeyAlgorithm, KeyExistsError, KeyMissingError, PublicKey

_PATH = ("handle",)
_QUERY = ("tcti", "pin-source")

# Persistent handles of the owner (TPM 2.0 Library, part 2, table of handle ranges).
_HANDLE = re.compile(r"0x81[0-7][0-9a-fA-F]{5}", re.ASCII)
_PIN_MAX = 32
_SECONDS = 60

# Response codes (TPM 2.0 Library, part 2, 6.6) as the programs print them.
_RESPONSE = re.compile(r"\((0x[0-9A-Fa-f]{1,8})\)", re.ASCII)
_UNSUPPORTED_EXIT = 5
_LAYER = 0xFF0000
_TRANSPORT_LAYER = 0x0A0000

_LOOK = "List its keys with `tpm2_getcap handles-persistent`; make one with `guildmark keys new`."
_REFUSED = (PinWrongError, "The TPM refused the PIN of {uri}.", None)
_MEANINGS: Mapping[int | None, tuple[type[GuildmarkError], str, str | None]] = MappingProxyType(
    {
        0x98E: _REFUSED,
        0x9A2: _REFUSED,
        0x921: (PinLockedError, "The TPM of {uri} is locked after wrong PINs.", None),
        0x18B: (KeyMissingError, "The TPM has no key {uri}.", _LOOK),
        0x14C: (KeyExistsError, "There is a key {uri} already.", None),
    }
)

_COUNTS = re.compile(
    r"TPM2_PT_(?P<name>LOCKOUT_COUNTER|MAX_AUTH_FAIL): (?P<value>0x[0-9A-Fa-f]+)", re.ASCII
)
_ATTRIBUTES = "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign"


def open_tpm_key(text: str, default_pin: Path | None) -> Signer:
    """Return the signer of a key in a TPM; the PIN is asked when it signs.

    Raises:
        DeviceUriError: The URI is malformed.
        DeviceSupportError: tpm2-tools are not installed.
        DeviceMissingError: The TPM is not there.
        KeyMissingError: It has no key at the handle.
        AlgorithmUnsupportedError: The key is none on P-256.
    """
    key = _parse(text, default_pin)
    return device_signer(key.public_key(), key.sign)


def create_tpm_key(text: str, algorithm: KeyAlgorithm, default_pin: Path | None) -> PublicKey:
    """Make a key in a TPM, which it cannot leave, and keep it at the handle.

    Raises:
        KeyExistsError: The handle is taken.
        AlgorithmUnsupportedError: Another algorithm than P-256.
        PinMissingError: No PIN is named: every key has one.
    """
    key = _parse(text, default_pin)
    if algorithm is not KeyAlgorithm.P256:
        message = f"A TPM signs here on p256; {key.uri} asks for {algorithm} keys."
        raise AlgorithmUnsupportedError(message, uri=str(key.uri))
    return key.create()


@dataclass(slots=True, kw_only=True)
class TpmKey:
    """One key in one TPM.

    Args:
        pin: Asked at each signature.
    """

    uri: DeviceUri
    handle: str
    tcti: str | None
    pin: Callable[[], str] = field(repr=False)
    _refused: bytes | None = field(default=None, init=False, repr=False)

    def public_key(self) -> PublicKey:
        """Return the public half; it needs no PIN."""
        with _folder() as folder:
            shown = folder / "public.pem"
            self._run("tpm2_readpublic", "-Q", "-c", self.handle, "-f", "pem", "-o", str(shown))
            key = load_pem_public_key(shown.read_bytes())
        if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
            message = f"The key {self.uri} is none on p256."
            raise AlgorithmUnsupportedError(message, uri=str(self.uri))
        point = key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
        return PublicKey(algorithm=KeyAlgorithm.P256, value=point)

    def sign(self, digest: bytes) -> bytes:
        """Return r and s over 32 bytes, as the TPM gives them."""
        pin = self._auth()
        if pin == self._refused:
            raise refused_again(self.uri)
        self._refuse_spent()
        with _folder() as folder:
            asked, made = folder / "digest", folder / "signature"
            asked.write_bytes(digest)
            how = ("-g", "sha256", "-s", "ecdsa", "-d", "-f", "plain", "-p", "file:-")
            try:
                self._run(
                    *("tpm2_sign", "-Q", "-c", self.handle, *how, "-o", str(made), str(asked)),
                    stdin=pin,
                )
            except PinWrongError:
                self._refused = pin
                raise
            r, s = decode_dss_signature(made.read_bytes())
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def create(self) -> PublicKey:
        """Make the key below the owner's storage key."""
        pin = self._auth()
        if self._is_taken():
            message = f"There is a key {self.uri} already."
            raise KeyExistsError(message, uri=str(self.uri))
        with _folder() as folder:
            parent, public, private, loaded = (
                str(folder / name) for name in ("parent", "public", "private", "loaded")
            )
            self._load("tpm2_createprimary", "-Q", "-C", "o", "-G", "ecc256", "-c", parent)
            self._load(
                *("tpm2_create", "-Q", "-C", parent, "-G", "ecc256:ecdsa-sha256"),
                *("-a", _ATTRIBUTES, "-u", public, "-r", private, "-p", "file:-"),
                stdin=pin,
            )
            self._load("tpm2_load", "-Q", "-C", parent, "-u", public, "-r", private, "-c", loaded)
            self._load("tpm2_evictcontrol", "-Q", "-C", "o", "-c", loaded, self.handle)
        return self.public_key()

    def _auth(self) -> bytes:
        """Return the PIN as the programs read it: in hex, so that no form of it is a command."""
        pin = self.pin().encode()
        if len(pin) > _PIN_MAX:
            message = f"The PIN of {self.uri} is longer than the {_PIN_MAX} bytes that TPMs take."
            raise PinWrongError(message, next_step="Use a shorter PIN.")
        return b"hex:" + pin.hex().encode() + b"\n"

    def _is_taken(self) -> bool:
        found = self._run("tpm2_getcap", "handles-persistent").lower()
        return self.handle.lower() in found.split()

    def _refuse_spent(self) -> None:
        """Refuse a try that could lock the whole TPM."""
        shown = self._run("tpm2_getcap", "properties-variable")
        counts = {found["name"]: int(found["value"], 16) for found in _COUNTS.finditer(shown)}
        failed, most = counts.get("LOCKOUT_COUNTER", 0), counts.get("MAX_AUTH_FAIL", 0)
        # One try that fails must leave the TPM usable; it forgets failures with time.
        if failed and failed + 1 >= most:
            message = f"The TPM of {self.uri} counts {failed} wrong PINs, {most} lock it."
            raise PinLockedError(message, failed=failed, most=most)

    def _load(self, program: str, *arguments: str, stdin: bytes = b"") -> None:
        """Run a program that leaves an object in the TPM's memory, which has room for three."""
        self._run(program, *arguments, stdin=stdin)
        self._run("tpm2_flushcontext", "-t")

    def _run(self, program: str, *arguments: str, stdin: bytes = b"") -> str:
        path = shutil.which(program)
        if path is None:
            message = f"The program {program} is not installed."
            raise DeviceSupportError(message, program=program)
        reached = () if self.tcti is None else ("-T", self.tcti)
        try:
            done = subprocess.run(  # noqa: S603 - see above
                [path, *arguments, *reached],
                input=stdin,
                capture_output=True,
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as exc:
            message = f"The TPM of {self.uri} did not answer within {_SECONDS} seconds."
            raise DeviceFailedError(message, uri=str(self.uri)) from exc
        if done.returncode:
            raise _failure(self.uri, program, done.returncode, done.stderr.decode(errors="replace"))
        return done.stdout.decode(errors="replace")


def _parse(text: str, default_pin: Path | None) -> TpmKey:
    uri = DeviceUri.parse(text, path=_PATH, query=_QUERY)
    handle = uri.text("handle") or ""
    if not _HANDLE.fullmatch(handle):
        message = "The key's URI names no persistent handle of the owner: 0x81000000 to 0x817fffff."
        raise DeviceUriError(message, attribute="handle")
    return TpmKey(
        uri=uri,
        handle=handle,
        tcti=uri.text("tcti"),
        pin=PinFile.of(uri, default_pin).read,
    )


def _failure(uri: DeviceUri, program: str, code: int, said: str) -> GuildmarkError:
    """Return what a program's end means: by the TPM's last response code, where it gave one."""
    codes = [int(found, 16) for found in _RESPONSE.findall(said)]
    response, shown = codes[-1] if codes else None, str(uri)
    if response in _MEANINGS:
        error, sentence, step = _MEANINGS[response]
        return error(sentence.format(uri=uri), next_step=step, uri=shown)
    is_unreached = response is None and "tcti" in said.lower()
    if is_unreached or (response is not None and response & _LAYER == _TRANSPORT_LAYER):
        return DeviceMissingError(f"The TPM of {uri} cannot be reached.", uri=shown)
    if code == _UNSUPPORTED_EXIT:
        return AlgorithmUnsupportedError(f"The TPM of {uri} cannot do this.", uri=shown)
    why = f"exit {code}" if response is None else f"response {response:#x}"
    return DeviceFailedError(f"{program} failed for {uri}: {why}.", uri=shown, program=program)


@contextmanager
def _folder() -> Iterator[Path]:
    """Give a folder that only this user reads, gone afterwards."""
    with TemporaryDirectory(prefix="guildmark-tpm-") as made:
        yield Path(made)
