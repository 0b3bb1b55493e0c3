"""A licensor, and nobody else, is shown what was released under his license."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from fakes.releases import SOME, Releases, licensed_again, make_releases, releasing_tools
from fakes.store import MemoryNodeStore
from fakes.world import DESIGNER, MAKER, World, make_world
from guildmark.domain.builds.dsse import Envelope
from guildmark.domain.chain.refusals import LicenseUnknownError
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import IdentityId, LicenseId
from guildmark.domain.rights.reconciliation import Difference, ReconciliationQuery
from guildmark.domain.rights.terms import TermsKind
from guildmark.ports.keys import KeyName
from guildmark.services.release.receipts import ReceiptNotOnChainError, Receipts
from guildmark.services.release.reconciling import (
    LicensorOnlyError,
    QueryTypeError,
    ReceiptOfOtherLicenseError,
    Reconciling,
)


@pytest.fixture
def releases() -> Releases:
    return make_releases()


def reconciling(releases: Releases, store: MemoryNodeStore | None = None) -> Reconciling:
    tools = releases.world.tools
    kept = store or tools.store
    return Reconciling(
        ledger=tools.chain,
        keys=tools.keys,
        entropy=tools.entropy,
        store=kept,
        receipts=Receipts(store=kept),
    )


def query(releases: Releases, name: str = DESIGNER, releaser: IdentityId | None = None) -> bytes:
    world = releases.world
    return reconciling(releases).query(
        world.license, releaser=releaser or world.operator, key=KeyName(name)
    )


def answer(releases: Releases, data: bytes) -> Any:
    return reconciling(releases).answer(data, operator=releases.world.operator)


def test_licensor_is_shown_what_is_on_record(releases: Releases) -> None:
    request = releases.release(releases.machine).request
    before = answer(releases, query(releases))[1].proofs
    releases.anchor()

    license_id, kept = answer(releases, query(releases))

    assert before == ()
    assert license_id == releases.world.license
    assert [proof.verify().request for proof in kept.proofs] == [request]


@pytest.mark.parametrize("name", [MAKER, "site", "operator"])
def test_nobody_else_is_shown_anything(releases: Releases, name: str) -> None:
    with pytest.raises(LicensorOnlyError) as caught:
        answer(releases, query(releases, name))

    assert caught.value.code == "reconciliation.licensorOnly"
    assert caught.value.exit_code == 5


def test_who_licensed_on_sees_what_he_licensed() -> None:
    world = make_world(releasing_tools())
    above = licensed_again(world, {TermsKind.TEXT: ["upper"]})
    below = licensed_again(above, {TermsKind.TEXT: ["lower"]}, under=True)
    releases = make_releases(below)

    shown, _ = answer(releases, query(releases, MAKER))

    assert shown == below.license
    with pytest.raises(LicensorOnlyError):
        answer(releases, query(releases, DESIGNER))


def test_request_for_keys_is_no_query(releases: Releases) -> None:
    with pytest.raises(QueryTypeError) as caught:
        answer(releases, releases.envelope(releases.site))

    assert caught.value.code == "reconciliation.payloadType"


def test_query_is_for_one_node(releases: Releases) -> None:
    with pytest.raises(GuildmarkError) as caught:
        answer(releases, query(releases, releaser=IdentityId(SOME)))

    assert caught.value.code == "release.otherReleaser"


def test_old_query_is_refused(releases: Releases) -> None:
    data, chain = query(releases), releases.world.tools.chain
    block = chain.mine()
    chain.blocks[-1] = replace(block, time=block.time + 3600)

    with pytest.raises(GuildmarkError) as caught:
        answer(releases, data)

    assert caught.value.code == "release.requestStale"


def test_query_is_read_as_it_was_signed(releases: Releases) -> None:
    payload = Envelope.parse(query(releases)).payload

    assert ReconciliationQuery.parse(payload).encode() == payload


def test_license_that_is_none_has_no_reconciliation(releases: Releases) -> None:
    with pytest.raises(LicenseUnknownError):
        reconciling(releases).of(LicenseId(SOME))


def elsewhere(releases: Releases) -> Reconciling:
    """Return a licensor's home that is not the releaser's."""
    store = MemoryNodeStore()
    replace(releases.world.tools.indexing(), store=store).follow()
    return reconciling(releases, store)


def draw(world: World) -> None:
    (built,) = world.tools.ingest(world.log).receive([world.envelope()])
    assert built.error is None


def test_draw_without_a_known_release_alerts_until_its_receipt_is_kept(releases: Releases) -> None:
    releases.release(releases.machine)
    draw(releases.world)
    releases.anchor()
    home, license_id = elsewhere(releases), releases.world.license
    before = home.of(license_id)
    proofs = releases.receipts.of_license(license_id)

    counts = [home.keep(license_id, proofs) for _ in range(2)]

    assert before.alerts == (Difference.UNRELEASED,)
    assert counts == [1, 1]
    (row,) = home.of(license_id).rows
    assert (row.released, row.drawn, row.differences) == (1, 1, ())
    assert reconciling(releases).of(license_id).alerts == ()


def test_release_behind_a_stop_alerts(releases: Releases) -> None:
    """A node that does not look is found by its own receipt."""
    request = releases.request(releases.machine)
    signed = releases.requesting.sign(request, releases.machine)
    world = releases.world
    world.tools.licenses(DESIGNER).stop(world.license, at=2**39)
    stops, world.tools.chain.stops = world.tools.chain.stops, {}
    assert stops
    releases.node.release(signed)
    releases.anchor()

    found = reconciling(releases).of(world.license)

    assert found.stopped_at
    assert Difference.AFTER_STOP in found.alerts


def test_receipt_of_another_license_is_not_kept(releases: Releases) -> None:
    releases.release(releases.machine)
    releases.anchor()
    proofs = releases.receipts.of_license(releases.world.license)

    with pytest.raises(ReceiptOfOtherLicenseError) as caught:
        elsewhere(releases).keep(LicenseId(SOME), proofs)

    assert caught.value.code == "reconciliation.otherLicense"


def test_receipt_that_is_not_on_chain_is_not_kept(releases: Releases) -> None:
    releases.release(releases.machine)
    releases.anchor()
    (proof,) = releases.receipts.of_license(releases.world.license)
    forged = replace(proof, record=replace(proof.record, time=1))
    home: Reconciling = elsewhere(releases)
    keep: Callable[..., int] = home.keep

    with pytest.raises(ReceiptNotOnChainError):
        keep(releases.world.license, [forged])

    assert home.of(releases.world.license).rows == ()
