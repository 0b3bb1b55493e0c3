"""Whose a shared database is: a home that is pointed at another one's would spoil both."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine, select

from guildmark.adapters.store.engine import reading, writing
from guildmark.adapters.store.facts import DOCUMENTS
from guildmark.adapters.store.refusals import StoreForeignError, StoreKeysError
from guildmark.adapters.store.schema import upsert
from guildmark.domain.chain.contracts import ChainPin, ContractName
from guildmark.domain.identifiers import LogNumber, to_hex

_HOME, HOME_KEYS = "home", "home-keys"
_LOG = "log"


def belong(engine: Engine, pin: ChainPin, log: LogNumber | None) -> None:
    """Note whose a database is where nobody did, and let no other home use it.

    Args:
        engine: The database.
        pin: The home's chain and deployment.
        log: The log that its node runs; one that opened none yet may open one later.

    Raises:
        StoreForeignError: It is of another chain, deployment or log.
        StoreUnavailableError: The database does not answer.
    """
    own = {
        "chain": pin.chain_id,
        "genesis": to_hex(pin.genesis),
        "directory": to_hex(pin.contracts[ContractName.DIRECTORY].address),
        _LOG: log,
    }
    found = _noted(engine, _HOME)
    if found == own:
        return
    if found is not None and {**found, _LOG: log} != own:
        message = "The database is of a home on another chain or deployment."
        raise StoreForeignError(message, found=found)
    if found is not None and found[_LOG] is not None:
        message = f"The database is of the home that runs log {found[_LOG]}."
        raise StoreForeignError(message, found=found)
    with writing(engine) as connection:
        body = json.dumps(own).encode()
        noted = upsert(connection, DOCUMENTS).values(kind=_HOME, key=b"", body=body)
        connection.execute(
            noted.on_conflict_do_update(index_elements=["kind", "key"], set_={"body": body})
        )


def share_keys(engine: Engine, own: Mapping[str, str]) -> None:
    """Note the keys that every host of a home must have, and let none go on without them.

    Args:
        engine: The database.
        own: The public half of each of them as this host has it, by name.

    Raises:
        StoreKeysError: Another host began with others.
        StoreUnavailableError: The database does not answer.
    """
    with writing(engine) as connection:
        # Of two that begin together one is the first.
        connection.execute(
            upsert(connection, DOCUMENTS)
            .values(kind=HOME_KEYS, key=b"", body=json.dumps(own).encode())
            .on_conflict_do_nothing(index_elements=["kind", "key"])
        )
    check_keys(engine, own)


def check_keys(engine: Engine, own: Mapping[str, str]) -> None:
    """Compare the keys of this host with those that were noted, if any were.

    Raises:
        StoreKeysError: Another host began with others.
        StoreUnavailableError: The database does not answer.
    """
    noted = _noted(engine, HOME_KEYS) or {}
    differing = sorted(name for name, public in noted.items() if own.get(name) != public)
    if differing:
        message = f"The hosts of this database have another key {differing[0]} than this home."
        raise StoreKeysError(message, keys=differing)


def _noted(engine: Engine, kind: str) -> dict[str, Any] | None:
    place = (DOCUMENTS.c.kind == kind, DOCUMENTS.c.key == b"")
    with reading(engine) as connection:
        body = connection.execute(select(DOCUMENTS.c.body).where(*place)).scalar_one_or_none()
    return None if body is None else json.loads(body)
