"""The peer of P3, as tutorials build it: FastAPI, eth-account's typed data, a commit a record.

Run by its path it is the peer's process: `naive_door.py PORT DATABASE`.
"""

import sqlite3
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import uvicorn
from eth_account import Account
from eth_account.messages import encode_typed_data
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

DIGESTS = ("machine", "license", "recipe", "settings")
_SIGNED = ("label", "measurements", *DIGESTS, "counter")


class Attestation(BaseModel):
    """A build as the peer takes it."""

    label: str
    machine: str
    license: str
    recipe: str
    settings: str
    measurements: str
    counter: int
    signature: str


def typed_data(said: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a machine signs, for eth-account."""
    members = [{"name": name, "type": _kind(name)} for name in _SIGNED]
    return {
        "types": {
            "EIP712Domain": [{"name": "name", "type": "string"}],
            "Attestation": members,
        },
        "primaryType": "Attestation",
        "domain": {"name": "naive"},
        "message": {name: said[name] for name in _SIGNED},
    }


def make_app(database: Path) -> FastAPI:
    """Return the app; a machine is known when it signed before."""
    app = FastAPI()
    connection = sqlite3.connect(database, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute(
        "CREATE TABLE builds (label TEXT PRIMARY KEY, signer TEXT, counter INTEGER, body TEXT)"
    )

    @app.post("/builds")
    async def build(attestation: Attestation) -> dict[str, str]:
        said = attestation.model_dump()
        signable = encode_typed_data(full_message=typed_data(said))
        signer = Account.recover_message(signable, signature=attestation.signature)
        row = (attestation.label, signer, attestation.counter, attestation.model_dump_json())
        try:
            connection.execute("INSERT INTO builds VALUES (?, ?, ?, ?)", row)
        except sqlite3.IntegrityError as exc:
            raise HTTPException(409, "label taken") from exc
        connection.commit()
        return {"signer": signer}

    return app


def _kind(name: str) -> str:
    if name == "counter":
        return "uint256"
    return "bytes32" if name in DIGESTS else "string"


if __name__ == "__main__":
    app = make_app(Path(sys.argv[2]))
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error")
