"""Protobuf's wire format as far as dag-pb and UnixFS need it, canonical forms only."""

from guildmark_ipfs.errors import MalformedError

VARINT = 0
BYTES = 2
_UINT64_MAX = 2**64 - 1
_SEVEN_BITS = 0x7F
_MORE = 0x80
# Ten groups of seven bits hold 64.
_VARINT_BITS = 70


def tag(field: int, kind: int) -> int:
    """Return the byte that announces ``field``; fields above 15 do not occur here."""
    return field << 3 | kind


def varint(value: int) -> bytes:
    """Return ``value`` in base 128, lowest group first."""
    out = bytearray()
    while value > _SEVEN_BITS:
        out.append(value & _SEVEN_BITS | _MORE)
        value >>= 7
    out.append(value)
    return bytes(out)


def number_field(field: int, value: int) -> bytes:
    """Return a numeric field with its tag."""
    return bytes([tag(field, VARINT)]) + varint(value)


def bytes_field(field: int, value: bytes) -> bytes:
    """Return a byte field with tag and length."""
    return bytes([tag(field, BYTES)]) + varint(len(value)) + value


class WireReader:
    """Reads one message from its first byte to its last; refuses what is not canonical."""

    __slots__ = ("_data", "_end", "_offset")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._offset = 0
        self._end = len(data)

    @property
    def at_end(self) -> bool:
        """Return whether every byte was read."""
        return self._offset == self._end

    def begins(self, field: int, kind: int) -> bool:
        """Return whether ``field`` comes next."""
        return not self.at_end and self._data[self._offset] == tag(field, kind)

    def number(self, field: int) -> int:
        """Read a numeric field that must come next."""
        self._expect(field, VARINT)
        return self._varint()

    def blob(self, field: int) -> bytes:
        """Read a byte field that must come next."""
        self._expect(field, BYTES)
        size = self._varint()
        start = self._offset
        if size > self._end - start:
            message = f"A field announces {size} bytes, {self._end - start} are left."
            raise MalformedError(message, offset=start)
        self._offset = start + size
        return self._data[start : self._offset]

    def finish(self) -> None:
        """Refuse bytes behind the last expected field.

        Raises:
            MalformedError: Something follows.
        """
        if not self.at_end:
            message = f"Unexpected bytes at offset {self._offset}."
            raise MalformedError(message, offset=self._offset)

    def _expect(self, field: int, kind: int) -> None:
        if not self.begins(field, kind):
            message = f"Expected field {field} at offset {self._offset}, found something else."
            raise MalformedError(message, offset=self._offset, field=field)
        self._offset += 1

    def _varint(self) -> int:
        start = self._offset
        value = 0
        for shift in range(0, _VARINT_BITS, 7):
            byte = self._byte()
            value |= (byte & _SEVEN_BITS) << shift
            if byte < _MORE:
                break
        # The shortest form only, so that one value has one encoding.
        if varint(value) != self._data[start : self._offset] or value > _UINT64_MAX:
            message = f"The number at offset {start} is not in its shortest form or too large."
            raise MalformedError(message, offset=start)
        return value

    def _byte(self) -> int:
        if self.at_end:
            message = "The message ends inside a number."
            raise MalformedError(message, offset=self._offset)
        self._offset += 1
        return self._data[self._offset - 1]
