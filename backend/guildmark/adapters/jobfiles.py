"""Job files, read once: their digest, and what they make a printer do where they are G-code."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from guildmark.domain.identifiers import Digest
from guildmark.domain.recipes.gcode import JobMalformedError, Observed, observe

_LINE_MAX = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFile:
    """A job file that was read.

    Args:
        digest: Its SHA-256.
        observed: What it makes a printer do; empty where it is no G-code that lays material.
    """

    digest: Digest
    observed: tuple[Observed, ...] = ()


def read_job(chunks: Iterable[bytes]) -> JobFile:
    """Return what a job file is and does, reading it to its end whatever it is."""
    digest = hashlib.sha256()
    lines = _lines(_hashed(chunks, digest.update))
    try:
        observed = observe(lines)
    except JobMalformedError:
        observed = ()
    for _ in lines:
        # Only the digest is wanted of the rest.
        continue
    return JobFile(digest=Digest(digest.digest()), observed=observed)


def _hashed(chunks: Iterable[bytes], update: Callable[[bytes], object]) -> Iterator[bytes]:
    for chunk in chunks:
        update(chunk)
        yield chunk


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """Yield lines; one that no printer reads comes in pieces, so that none fills the memory."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        if len(rest) > _LINE_MAX:
            whole, rest = [*whole, rest], b""
        for line in whole:
            yield line.decode(errors="replace")
    yield rest.decode(errors="replace")
