"""Whose a shared database is: a home that is pointed at another one's would spoil both."""

import json

from sqlalchemy import Engine, select

from guildmark.adapters.store.engine import reading, writing
from guildmark.adapters.store.facts import DOCUMENTS
from guildmark.adapters.store.refusals import StoreForeignError
from guildmark.adapters.store.schema import upsert
from guildmark.domain.chain.contracts import ChainPin, ContractName
from guildmark.domain.identifiers import LogNumber, to_hex

_PLACE = {"kind": "home", "key": b""}
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
    found = _noted(engine)
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
        noted = upsert(connection, DOCUMENTS).values(**_PLACE, body=body)
        connection.execute(
            noted.on_conflict_do_update(index_elements=["kind", "key"], set_={"body": body})
        )


def _noted(engine: Engine) -> dict[str, int | str | None] | None:
    place = [DOCUMENTS.c[name] == value for name, value in _PLACE.items()]
    with reading(engine) as connection:
        body = connection.execute(select(DOCUMENTS.c.body).where(*place)).scalar_one_or_none()
    return None if body is None else json.loads(body)
