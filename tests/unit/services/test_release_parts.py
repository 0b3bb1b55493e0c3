"""Around a release: deposits, what is held back, asking node after node, receipts and proofs."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from fakes.releases import (
    DEPOSITED,
    OPENER,
    SOME,
    URL,
    Releases,
    deposit,
    make_releases,
)
from fakes.store import MemoryNodeStore
from fakes.world import OPERATOR
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.strictjson import parse_object
from guildmark.domain.errors import GuildmarkError, MalformedError
from guildmark.domain.identifiers import Digest, IdentityId, LaneNumber, LogNumber, RecipeId
from guildmark.domain.rights.release import (
    ContentKeys,
    Released,
    ReleasePlace,
    ReleaseReceipt,
    receipt_in,
)
from guildmark.ports.keys import KeyName, SealBrokenError
from guildmark.ports.peers import PeerUnavailableError
from guildmark.ports.store import DocumentKind
from guildmark.services.release.blocking import REASON_MAX, BlockReasonError, NotBlockedError
from guildmark.services.release.deposits import DepositUnknownError
from guildmark.services.release.packages import PackageIncompleteError, PackageMismatchError
from guildmark.services.release.receipts import (
    ReceiptNotFinalError,
    ReceiptNotOnChainError,
    ReceiptUnknownError,
    verified,
)
from guildmark.services.release.releasing import LicenseNotFinalError
from guildmark.services.release.requesting import ReceiptMismatchError, ReleasersUnavailableError

ESCROW = ReleasePlace(operator=IdentityId(SOME), url="http://escrow.example")


@pytest.fixture
def releases() -> Releases:
    return make_releases()


def opened(releases: Releases, recipe: RecipeId | None = None) -> ContentKeys:
    world = releases.world
    with world.tools.store.reading() as view:
        return releases.deposits.opened(
            world.license, recipe or world.recipe.id(), releaser=world.operator, view=view
        ).keys


def sealed(releases: Releases, **changes: Any) -> bytes:
    world = releases.world
    recipient = world.tools.keys.public_key(DEPOSITED).value
    told = {"releaser": world.operator, "recipient": recipient, **changes}
    return releases.deposits.make(world.license, world.recipe.id(), **told)


def test_deposit_holds_the_keys_for_its_releaser(releases: Releases) -> None:
    assert opened(releases) == releases.keys


def test_deposit_is_kept_sealed(releases: Releases) -> None:
    documents = releases.world.tools.store._state.documents
    kept = [body for (kind, _), body in documents.items() if kind is DocumentKind.DEPOSIT]

    assert len(kept) == 1
    assert not any(key.hex().encode() in kept[0] for key in releases.keys.keys)


def test_nothing_is_deposited_for_another_recipe(releases: Releases) -> None:
    with pytest.raises(DepositUnknownError) as caught:
        opened(releases, RecipeId(SOME))

    assert caught.value.code == "release.depositUnknown"


def test_deposit_for_another_operator_does_not_open(releases: Releases) -> None:
    other = sealed(releases, releaser=IdentityId(SOME))

    with pytest.raises(SealBrokenError):
        releases.deposits.keep(other, releaser=releases.world.operator, key=DEPOSITED)


def test_deposit_is_not_sealed_to_a_key_that_is_none(releases: Releases) -> None:
    with pytest.raises(MalformedError):
        sealed(releases, recipient=bytes(32))


def test_home_without_the_files_deposits_nothing(releases: Releases) -> None:
    releases.world.tools.store.forget_documents(DocumentKind.FILES)

    with pytest.raises(PackageIncompleteError):
        deposit(releases)


def test_deposit_without_a_key_for_each_file_is_not_kept(releases: Releases) -> None:
    world = releases.world
    with world.tools.store.writing() as work:
        body = work.documents.get(DocumentKind.FILES, world.revision.design)
        assert body is not None
        files = {**parse_object(body), "keys": []}
        work.documents.put(DocumentKind.FILES, world.revision.design, canonical(files))

    with pytest.raises(PackageMismatchError) as caught:
        deposit(releases)

    assert caught.value.detail == {"what": "keys"}


@pytest.mark.parametrize("reason", ["x", "x" * REASON_MAX])
def test_what_is_blocked_is_held_back_until_it_is_unblocked(
    releases: Releases, reason: str
) -> None:
    blocking = releases.blocking

    held = blocking.block(SOME, reason)

    assert (held.reason, held.since, held.until) == (reason, releases.clock.time, 0)
    assert blocking.reason(bytes(32), SOME) == reason
    releases.clock.time += 9
    assert blocking.unblock(SOME).until == held.since + 9
    assert blocking.reason(SOME) is None
    assert blocking.held(SOME) is not None


@pytest.mark.parametrize("reason", ["", " ", "x" * (REASON_MAX + 1), "a\nb"])
def test_block_has_a_reason_of_one_line(releases: Releases, reason: str) -> None:
    with pytest.raises(BlockReasonError) as caught:
        releases.blocking.block(SOME, reason)

    assert caught.value.code == "release.blockReason"


def test_what_is_not_blocked_is_not_unblocked(releases: Releases) -> None:
    with pytest.raises(NotBlockedError):
        releases.blocking.unblock(SOME)
    releases.blocking.block(SOME, "x")
    releases.blocking.unblock(SOME)

    with pytest.raises(NotBlockedError) as caught:
        releases.blocking.unblock(SOME)

    assert caught.value.code == "release.notBlocked"


@dataclass
class Nodes:
    """Nodes by their address: some are away, one answers."""

    releases: Releases
    away: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    change: Callable[[Released], Released] = field(default=lambda released: released)

    def open_place(self, place: ReleasePlace) -> "Nodes":
        self.asked.append(place.url)
        return self

    def release(self, envelope: bytes) -> Released:
        if self.asked[-1] in self.away:
            message = "Away."
            raise PeerUnavailableError(message)
        return self.change(self.releases.node.release(envelope).released)


def obtain(releases: Releases, nodes: Nodes, *places: ReleasePlace) -> Any:
    return releases.requesting.obtain(
        releases.package, releases.machine, places=places, open_place=nodes.open_place
    )


def test_next_node_is_asked_where_the_first_is_away(releases: Releases) -> None:
    nodes = Nodes(releases, away={ESCROW.url})

    got = obtain(releases, nodes, ESCROW, releases.place)

    assert nodes.asked == [ESCROW.url, URL]
    assert (got.keys, got.place) == (releases.keys, releases.place)
    assert got.receipt.releaser == releases.world.operator


def test_nobody_answers(releases: Releases) -> None:
    nodes = Nodes(releases, away={ESCROW.url})

    with pytest.raises(ReleasersUnavailableError) as caught:
        obtain(releases, nodes, ESCROW)

    assert caught.value.code == "release.nobodyAnswers"
    assert caught.value.exit_code == 3


def test_refusal_ends_the_search(releases: Releases) -> None:
    nodes = Nodes(releases)
    asker = replace(releases.machine, lane=LaneNumber(99))

    with pytest.raises(LicenseNotFinalError):
        releases.requesting.obtain(
            releases.package,
            asker,
            places=(releases.place, ESCROW),
            open_place=nodes.open_place,
        )

    assert nodes.asked == [URL]


def resigned(releases: Releases, released: Released, **changes: Any) -> Released:
    """Return an answer with another receipt, signed by the log's writer all the same."""
    receipt: ReleaseReceipt = replace(receipt_in(released.receipt), **changes)
    return replace(released, receipt=releases.unsealed_receipt(receipt.encode()))


@pytest.mark.parametrize(
    "changes",
    [
        {"request": Digest(SOME)},
        {"license": Digest(SOME)},
        {"site": Digest(SOME)},
        {"machine": Digest(SOME)},
        {"lane": 99},
        {"releaser": Digest(SOME)},
        {"log": LogNumber(99)},
    ],
)
def test_receipt_about_something_else_is_refused(
    releases: Releases, changes: dict[str, Any]
) -> None:
    chain = releases.world.tools.chain
    chain.heads[99] = replace(chain.heads[releases.world.log], operator=SOME)
    nodes = Nodes(releases, change=lambda released: resigned(releases, released, **changes))

    with pytest.raises(ReceiptMismatchError) as caught:
        obtain(releases, nodes, releases.place)

    assert caught.value.code == "receipt.mismatch"


def test_answer_to_another_request_is_refused(releases: Releases) -> None:
    nodes = Nodes(releases, change=lambda released: replace(released, request=Digest(SOME)))

    with pytest.raises(ReceiptMismatchError):
        obtain(releases, nodes, releases.place)


def test_receipt_that_the_logs_writer_did_not_sign_is_refused(releases: Releases) -> None:
    tools = releases.world.tools
    tools.chain.heads[releases.world.log].writer = tools.keys.address(KeyName(OPERATOR))

    with pytest.raises(ReceiptMismatchError, match="not signed by the writer"):
        # The node goes on with the old writer's key.
        obtain(releases, Nodes(releases), releases.place)


def test_answer_that_is_sealed_to_another_key_does_not_open(releases: Releases) -> None:
    asker = replace(releases.machine, opener=DEPOSITED)
    request = releases.request(asker)
    released = releases.node.release(releases.requesting.sign(request, asker)).released

    with pytest.raises(SealBrokenError):
        releases.requesting.open(request, released, key=OPENER)


def test_answer_does_not_open_for_another_request(releases: Releases) -> None:
    first, second = (releases.request(releases.machine) for _ in range(2))
    released = releases.node.release(releases.requesting.sign(first, releases.machine)).released

    keys = releases.world.tools.keys
    with pytest.raises(SealBrokenError):
        keys.unseal(OPENER, released.sealed, info=second.keys_context())


def test_proof_waits_for_the_record(releases: Releases) -> None:
    request = releases.release(releases.machine).request

    with pytest.raises(ReceiptNotFinalError) as caught:
        releases.receipts.proof(request)
    assert caught.value.code == "receipt.notFinal"
    assert releases.receipts.waiting(releases.world.license) == 1
    releases.anchor()

    proof = releases.receipts.proof(request)

    assert verified(proof, releases.world.tools.chain).request == request
    assert releases.receipts.of_license(releases.world.license) == [proof]
    assert releases.receipts.waiting(releases.world.license) == 0


def test_waiting_receipts_are_not_proven(releases: Releases) -> None:
    releases.release(releases.machine)

    assert releases.receipts.of_license(releases.world.license) == []


def test_build_is_no_receipt(releases: Releases) -> None:
    world = releases.world
    world.tools.ingest(world.log).receive([world.envelope()])
    (queued,) = world.tools.store.queued()

    with pytest.raises(ReceiptUnknownError):
        releases.receipts.proof(queued.payload)


def test_unknown_request_has_no_receipt(releases: Releases) -> None:
    with pytest.raises(ReceiptUnknownError) as caught:
        releases.receipts.proof(Digest(SOME))

    assert caught.value.code == "receipt.unknown"


def test_proof_of_a_record_that_is_not_on_chain_is_refused(releases: Releases) -> None:
    request = releases.release(releases.machine).request
    releases.anchor()
    proof = releases.receipts.proof(request)
    forged = replace(proof, record=replace(proof.record, time=proof.record.time + 1))

    with pytest.raises(ReceiptNotOnChainError) as caught:
        verified(forged, releases.world.tools.chain)

    assert caught.value.code == "receipt.notOnChain"


def test_receipt_in_anothers_log_is_refused(releases: Releases) -> None:
    request = releases.release(releases.machine).request
    releases.anchor()
    proof = releases.receipts.proof(request)
    releases.world.tools.chain.heads[releases.world.log].operator = SOME

    with pytest.raises(ReceiptNotOnChainError):
        verified(proof, releases.world.tools.chain)


def test_home_that_asked_knows_no_proof(releases: Releases) -> None:
    got = obtain(releases, Nodes(releases), releases.place)
    elsewhere = replace(releases.receipts, store=MemoryNodeStore())

    with pytest.raises(GuildmarkError):
        elsewhere.proof(got.receipt.request)
