"""The content stores, and what the newest challenges showed."""

from fastapi import APIRouter
from pydantic import BaseModel

from guildmark.api.description import refusals
from guildmark.api.serving import Node

router = APIRouter(prefix="/v1", tags=["run time"])


class StoreState(BaseModel):
    """How many files of a store were found how; of the good ones, how many had to be mended."""

    store: str
    ok: int
    unavailable: int
    invalid: int
    mended: int


class StoreStates(BaseModel):
    """The newest round of challenges; its time in seconds since 1970, null before the first one."""

    checkedAt: int | None  # noqa: N815 - the API's names
    stores: list[StoreState]


@router.get("/stores", summary="What content stores hold", responses=refusals(400))
def list_stores(node: Node) -> StoreStates:
    """Return, for each content store, what it answered when it was last asked for every file."""
    found = node.challenged()
    if found is None:
        return StoreStates(checkedAt=None, stores=[])
    stores = [
        StoreState(
            store=each.store,
            ok=each.ok,
            unavailable=each.unavailable,
            invalid=each.invalid,
            mended=each.mended,
        )
        for each in found.stores
    ]
    return StoreStates(checkedAt=found.at, stores=stores)
