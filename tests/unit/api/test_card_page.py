"""Cards as pages: what is said of a claim, whoever trusts whom."""

from typing import cast

import pytest

from guildmark.api.pages.card import _standing
from guildmark.api.serving import ServedNode
from guildmark.domain.chain.facts import ClaimFact
from guildmark.domain.identifiers import ZERO32, ClaimId, Digest, IdentityId
from guildmark.domain.identity.identity import scheme_bytes
from guildmark.services.identity.cards import Stated


@pytest.mark.parametrize(
    ("value", "until", "said"),
    [
        (None, 0, ("not shown", "none")),
        ("529900T8BM49AURSDO56", 0, ("no such identifier", "bad")),
        ("529900T8BM49AURSDO56", 9, ("revoked", "none")),
    ],
)
def test_a_claim_that_counts_for_nobody_is_told_without_a_trust_list(
    value: str | None, until: int, said: tuple[str, str]
) -> None:
    fact = ClaimFact(
        id=ClaimId(ZERO32),
        issuer=IdentityId(ZERO32),
        subject=IdentityId(ZERO32),
        scheme=scheme_bytes("LEI"),
        digest=Digest(ZERO32),
        since=1,
        until=until,
    )

    assert _standing(Stated(fact=fact, scheme="LEI", value=value), cast("ServedNode", None)) == said
