"""Job files: the digest of all their bytes, and what they do where they are G-code."""

import hashlib
from collections.abc import Iterator

import pytest

from guildmark.adapters.jobfiles import read_job

GCODE = b"M83\r\nM104 S235\nG1 Z0.36\nG1 X10 E1 F1200\r\nG1 Z0.72\nG1 X0 E1\n; filament_type = PETG"


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


@pytest.mark.parametrize("size", [1, 7, 1_000])
def test_g_code_is_read_alike_however_it_comes(size: int) -> None:
    found = read_job(pieces(GCODE, size))

    told = {str(one.path): (one.least, one.most) for one in found.observed}
    assert found.digest == hashlib.sha256(GCODE).digest()
    assert told["/process/layer_height"] == ("0.36", "0.36")
    assert told["/process/nozzle_temperature"] == ("235", "235")
    assert told["/material/polymer"] == ("PETG", "PETG")


@pytest.mark.parametrize(
    "data", [b"", b"G28\n", bytes(300_000), b"\xff\xfe" * 90_000 + b"\nG1 X1 E1\n"]
)
def test_what_is_no_g_code_has_its_digest_alone(data: bytes) -> None:
    found = read_job(pieces(data, 1 << 14))

    assert (found.digest, found.observed) == (hashlib.sha256(data).digest(), ())
