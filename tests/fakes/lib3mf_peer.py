"""lib3mf, another reader and writer of 3MF, as a printer's software would use it.

Its binding declares two callbacks with fewer arguments than the library gives them; they are
declared again here (lib3mf_types.h).
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import lib3mf
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

CONSUMER = "printer-1"

_Callback = ctypes.CFUNCTYPE(
    None,
    *(ctypes.c_void_p, ctypes.c_uint64, ctypes.c_void_p, ctypes.c_uint64),
    *(ctypes.POINTER(ctypes.c_uint64), ctypes.c_void_p, ctypes.c_void_p),
    ctypes.POINTER(ctypes.c_uint64),
)
_HASHES = {160: hashes.SHA1, 256: hashes.SHA256}
_TAG_SIZE = 16


@dataclass
class Peer:
    """lib3mf with one private key."""

    key: rsa.RSAPrivateKey
    wrapper: Any = field(default_factory=lib3mf.get_wrapper)
    _ciphers: dict[int, Any] = field(default_factory=dict)

    def read(self, data: bytes) -> tuple[int, int, list[str]]:
        """Return triangles and corners of the build, all decrypted, and the reader's warnings."""
        model = self.wrapper.CreateModel()
        reader = model.QueryReader("3mf")
        wrapping = self._callback(lib3mf.AccessRight, self._unwrap)
        content = self._callback(lib3mf.ContentEncryptionParams, self._decrypt)
        reader.AddKeyWrappingCallback(CONSUMER, *_cast(wrapping, lib3mf.KeyWrappingCallback))
        reader.SetContentEncryptionCallback(*_cast(content, lib3mf.ContentEncryptionCallback))
        reader.ReadFromBuffer(data)
        found = [0, 0]
        items = model.GetBuildItems()
        while items.MoveNext():
            mesh = items.GetCurrent().GetObjectResource()
            found[0] += mesh.GetTriangleCount()
            found[1] += mesh.GetVertexCount()
        warnings = [reader.GetWarning(at)[1] for at in range(reader.GetWarningCount())]
        return found[0], found[1], warnings

    def write(self, data: bytes, *, bits: int, compress: bool) -> bytes:
        """Return a package whose one object is in an encrypted part; ``data`` is a plain one."""
        model = self.wrapper.CreateModel()
        model.QueryReader("3mf").ReadFromBuffer(data)
        part = model.FindOrCreatePackagePart("/3D/secret.model")
        objects = model.GetObjects()
        while objects.MoveNext():
            objects.GetCurrentObject().SetPackagePart(part)
        store = model.GetKeyStore()
        consumer = store.AddConsumer(CONSUMER, "key-1", "")
        group = store.AddResourceDataGroup()
        mgf = lib3mf.MgfAlgorithm.MGF1_SHA1 if bits == 160 else lib3mf.MgfAlgorithm.MGF1_SHA256
        digest = lib3mf.DigestMethod.SHA1 if bits == 160 else lib3mf.DigestMethod.SHA256
        group.AddAccessRight(consumer, lib3mf.WrappingAlgorithm.RSA_OAEP, mgf, digest)
        kind = lib3mf.Compression.Deflate if compress else lib3mf.Compression.NoCompression
        aes = lib3mf.EncryptionAlgorithm.AES256_GCM
        store.AddResourceData(group, part, aes, kind, list(b"more that is authentic"))
        writer = model.QueryWriter("3mf")
        wrapping = self._callback(lib3mf.AccessRight, self._wrap)
        content = self._callback(lib3mf.ContentEncryptionParams, self._encrypt)
        writer.AddKeyWrappingCallback(CONSUMER, *_cast(wrapping, lib3mf.KeyWrappingCallback))
        writer.SetContentEncryptionCallback(*_cast(content, lib3mf.ContentEncryptionCallback))
        return bytes(writer.WriteToBuffer())

    def _callback(self, kind: Any, work: Any) -> Any:
        # The arguments are those of the library's C header.
        def called(*given: Any) -> None:
            handle, size, source, room, needed, sink, _, done = given
            data = ctypes.string_at(source, size) if source and size else b""
            with _borrowed(kind, handle, self.wrapper) as subject:
                result = work(subject, data, bool(sink and room))
            if isinstance(result, int):
                done[0] = result
                return
            if needed:
                needed[0] = len(result)
            if sink and room:
                ctypes.memmove(sink, result, len(result))
            done[0] = len(result)

        return _Callback(called)

    def _wrap(self, right: Any, data: bytes, _: bool) -> bytes:
        return self.key.public_key().encrypt(data, _padding(right))

    def _unwrap(self, right: Any, data: bytes, _: bool) -> bytes:
        return self.key.decrypt(data, _padding(right))

    def _encrypt(self, params: Any, data: bytes, has_room: bool) -> bytes | int:
        context = self._context(params, encrypts=True)
        if not data:
            context.finalize()
            params.SetAuthenticationTag(list(context.tag))
            return _TAG_SIZE
        result: bytes = context.update(data) if has_room else data
        return result

    def _decrypt(self, params: Any, data: bytes, has_room: bool) -> bytes | int:
        context = self._context(params, encrypts=False)
        if not data:
            context.finalize_with_tag(bytes(params.GetAuthenticationTag()))
            return _TAG_SIZE
        result: bytes = context.update(data) if has_room else data
        return result

    def _context(self, params: Any, *, encrypts: bool) -> Any:
        at = params.GetDescriptor()
        if at not in self._ciphers:
            mode = modes.GCM(bytes(params.GetInitializationVector()))
            cipher = Cipher(algorithms.AES(bytes(params.GetKey())), mode)
            context = cipher.encryptor() if encrypts else cipher.decryptor()
            context.authenticate_additional_data(bytes(params.GetAdditionalAuthenticationData()))
            self._ciphers[at] = context
        return self._ciphers[at]


def _cast(callback: Any, kind: Any) -> tuple[Any, None]:
    return ctypes.cast(callback, kind), None


@contextmanager
def _borrowed(kind: Any, handle: int, wrapper: Any) -> Iterator[Any]:
    """Lend what the library owns: the binding would release it with its own object."""
    subject = kind(handle, wrapper)
    wrapper.Acquire(subject)
    yield subject


def _padding(right: Any) -> padding.OAEP:
    digest = _HASHES[int(right.GetDigestMethod())]()
    return padding.OAEP(
        mgf=padding.MGF1(_HASHES[int(right.GetMgfAlgorithm())]()), algorithm=digest, label=None
    )
