"""Archives of which a byte differs, and nothing was sealed again."""

from collections.abc import Iterator

from fakes.corpus.case import Given
from fakes.simulator import Simulator
from guildmark.domain import bundle

_LOCAL_FIELDS = (0, 4, 6, 8, 10, 12, 14, 18, 22, 26, 28)
_CENTRAL_FIELDS = (0, 4, 6, 8, 10, 12, 14, 16, 20, 24, 28, 30, 32, 34, 36, 38, 42)
_END_FIELDS = (0, 4, 6, 8, 10, 12, 16, 20)


def changed_archives() -> Iterator[Given]:
    honest = Simulator()
    data, trust = bundle.write(honest.evidence()), honest.trust()
    central, end = data.index(b"PK\x01\x02"), data.rindex(b"PK\x05\x06")
    parts = (("local", 0, _LOCAL_FIELDS), ("central", central, _CENTRAL_FIELDS))
    for name, start, fields in (*parts, ("end", end, _END_FIELDS)):
        for at in fields:
            yield Given(f"byte.{name}+{at}", _flipped(data, start + at), trust)
    for each in range(16):
        at = len(data) * each // 16 + 40
        yield Given(f"byte.at-{each}-sixteenths", _flipped(data, at), trust)
    yield Given("byte.appended", data + b"\0", trust)
    yield Given("byte.missing", data[:-1], trust)
    yield Given("byte.none", b"", trust)


def _flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
