"""What a backup holds, name by name; the same home gives the same manifest."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from guildmark.adapters.backups.refusals import BackupMalformedError, BackupNewerError
from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import (
    Address,
    ChainId,
    Digest,
    address_from_hex,
    digest_from_hex,
    to_hex,
)

FORMAT = "guildmark-backup/1"
_FAMILY = "guildmark-backup/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A file in a backup."""

    path: str
    size: int
    digest: Digest
    mode: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup holds.

    Args:
        databases: The version of the schema of each database, by its path.
        journal: The newest block of the local chain that the home keeps, None where it keeps none.
        has_keys: Whether the keys are there, sealed.
    """

    chain_id: ChainId
    genesis: Digest
    directory: Address
    databases: Mapping[str, str]
    journal: int | None
    has_keys: bool
    files: Sequence[Kept]

    def encode(self) -> bytes:
        """Return the manifest as JSON."""
        document = {
            "format": FORMAT,
            "chain": {
                "chainId": self.chain_id,
                "genesis": to_hex(self.genesis),
                "directory": to_hex(self.directory),
            },
            "databases": dict(sorted(self.databases.items())),
            "journal": self.journal,
            "keys": self.has_keys,
            "files": [
                {
                    "path": kept.path,
                    "size": kept.size,
                    "sha256": to_hex(kept.digest),
                    "mode": kept.mode,
                }
                for kept in sorted(self.files, key=lambda kept: kept.path)
            ],
        }
        return json.dumps(document, indent=1).encode() + b"\n"


def parse(content: bytes) -> Manifest:
    """Return the manifest that ``encode`` wrote.

    Raises:
        BackupNewerError: A later release wrote it.
        BackupMalformedError: It is none, or names places outside a home.
    """
    try:
        document: Any = json.loads(content)
        _check_format(document["format"])
        return _manifest(document)
    except (ValueError, KeyError, TypeError, AttributeError, MalformedError) as exc:
        message = f"The backup's manifest is malformed: {type(exc).__name__}."
        raise BackupMalformedError(message) from exc


def check_inside(path: str) -> str:
    """Return a path that stays below the home that it is restored in.

    Raises:
        BackupMalformedError: It leads elsewhere.
    """
    parts = PurePosixPath(path).parts
    if not parts or path != "/".join(parts) or {"..", "/"} & set(parts) or "\0" in path:
        message = f"The backup names {path[:80]!r}, which is no place in a home."
        raise BackupMalformedError(message, path=path[:80])
    return path


def _check_format(found: str) -> None:
    if found != FORMAT and found.startswith(_FAMILY):
        message = f"The backup has the format {found[:40]!r}; this release reads {FORMAT!r}."
        raise BackupNewerError(message, found=found[:40])
    if found != FORMAT:
        raise MalformedError("another format")


def _manifest(document: Mapping[str, Any]) -> Manifest:
    chain, journal = document["chain"], document["journal"]
    return Manifest(
        chain_id=ChainId(int(chain["chainId"])),
        genesis=digest_from_hex(chain["genesis"]),
        directory=address_from_hex(chain["directory"]),
        databases={str(name): str(value) for name, value in document["databases"].items()},
        journal=None if journal is None else int(journal),
        has_keys=bool(document["keys"]),
        files=tuple(
            Kept(
                path=check_inside(row["path"]),
                size=int(row["size"]),
                digest=digest_from_hex(row["sha256"]),
                mode=int(row["mode"]) & 0o777,
            )
            for row in document["files"]
        ),
    )
