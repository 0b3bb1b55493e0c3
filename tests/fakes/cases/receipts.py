"""A receipt of which tests change what they are about."""

from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import (
    Bytes32,
    DesignId,
    Digest,
    IdentityId,
    LaneNumber,
    LicenseId,
    LogNumber,
    RecipeId,
)
from guildmark.domain.rights.release import ReleaseReceipt


def some(name: str) -> Bytes32:
    return Bytes32(sha256(name.encode()))


RECEIPT = ReleaseReceipt(
    releaser=IdentityId(some("releaser")),
    log=LogNumber(3),
    license=LicenseId(some("license")),
    lane=LaneNumber(2),
    recipe=RecipeId(some("recipe")),
    design=DesignId(some("design")),
    revision=1,
    site=IdentityId(some("site")),
    maker=IdentityId(some("maker")),
    machine=IdentityId(some("machine")),
    recipient=Digest(some("recipient")),
    request=Digest(some("request")),
    block=9,
    block_hash=Digest(some("block")),
    at=1_700_000_000,
    files=2,
    salt=some("salt"),
)
