"""The ``Ledger`` and ``Transactions`` ports on every chain that we say we run on."""

import secrets
from typing import Any

import pytest

import chains
from guildmark.adapters.chain.ledger import RpcLedger
from guildmark.adapters.chain.outbox import Outbox
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.ethproof.header import decode_header
from guildmark.domain.chain.ethproof.trie import prove_account, prove_slot
from guildmark.domain.chain.refusals import CallerRefusedError, IdentityUnknownError
from guildmark.domain.chain.storage import IDENTITIES, PROFILES
from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.identifiers import IdentityId
from guildmark.ports.chain import (
    BlockUnknownError,
    Call,
    Capability,
    Finality,
    IdempotencyMismatchError,
    ProofRefusedError,
    TransactionState,
    TransactionUnknownError,
)
from guildmark.ports.keys import KeyName

pytestmark = pytest.mark.chain

OWNER = KeyName("owner")
ORGANIZATION = 1


def register(profile: bytes = bytes(31) + b"\x07", gas: int | None = None) -> Call:
    return Call(
        contract=ContractName.IDENTITIES,
        function="register",
        args=(ORGANIZATION, secrets.token_bytes(32), profile),
        gas=gas,
    )


def view(function: str, *args: Any) -> Call:
    return Call(contract=ContractName.IDENTITIES, function=function, args=args)


def registered(outbox: Outbox, call: Call | None = None) -> Any:
    """Register an organization and return the final status."""
    sent = outbox.submit(
        call or register(), key=OWNER, idempotency=f"register:{secrets.token_hex(8)}"
    )
    return outbox.wait(sent, finality=Finality.FINAL, timeout=30)


def test_a_call_lands_once_and_its_events_are_decoded(ledger: RpcLedger, outbox: Outbox) -> None:
    status = registered(outbox)

    event = status.event("IdentityRegistered")
    found = ledger.read(view("identity", event.args["id"]))
    assert found["controller"] == outbox.keys.address(OWNER)
    assert (found["kind"], found["controllers"]) == (ORGANIZATION, 1)
    assert found["since"] == status.block.time
    assert event.args["profile"] == bytes(31) + b"\x07"


def test_the_same_idempotency_gives_the_same_transaction(outbox: Outbox) -> None:
    call = register()
    first = outbox.submit(call, key=OWNER, idempotency=f"same:{call.args[1].hex()}")
    done = outbox.wait(first, finality=Finality.FINAL, timeout=30)

    again = outbox.submit(call, key=OWNER, idempotency=f"same:{call.args[1].hex()}")

    assert again == first
    assert outbox.status(again) == done


def test_a_name_of_an_earlier_release_is_known_to_its_sender_alone(outbox: Outbox) -> None:
    call, former = register(), f"former:{secrets.token_hex(8)}"
    first = outbox.submit(call, key=OWNER, idempotency=former)
    outbox.wait(first, finality=Finality.FINAL, timeout=30)

    again = outbox.submit(call, key=OWNER, idempotency=f"owner:{former}", former=former)
    others = outbox.submit(
        register(), key=KeyName("site"), idempotency=f"site:{former}", former=former
    )
    with pytest.raises(IdempotencyMismatchError):
        outbox.submit(register(), key=OWNER, idempotency=f"owner:{former}", former=former)

    assert again == first
    assert others != first
    assert outbox.wait(others, finality=Finality.FINAL, timeout=30).id == others


def test_the_same_idempotency_for_another_call_is_refused(outbox: Outbox) -> None:
    name = f"other:{secrets.token_hex(8)}"
    outbox.submit(register(), key=OWNER, idempotency=name)

    with pytest.raises(IdempotencyMismatchError):
        outbox.submit(register(), key=OWNER, idempotency=name)


def test_a_revert_is_raised_before_anything_is_stored(outbox: Outbox) -> None:
    unknown = secrets.token_bytes(32)

    with pytest.raises(IdentityUnknownError) as caught:
        outbox.submit(
            view("setProfile", unknown, bytes(32)), key=OWNER, idempotency="unknown-identity"
        )

    assert caught.value.detail["contractError"] == "IdentityUnknown"
    assert caught.value.detail["id"] == "0x" + unknown.hex()
    assert outbox.advance() == 0


def test_a_revert_on_chain_is_final_and_mapped(ledger: RpcLedger, outbox: Outbox) -> None:
    identity = registered(outbox).event("IdentityRegistered").args["id"]
    stranger = Call(
        contract=ContractName.IDENTITIES,
        function="setProfile",
        args=(identity, bytes(32)),
        gas=100_000,
    )

    sent = outbox.submit(stranger, key=KeyName("site"), idempotency=f"stranger:{identity.hex()}")

    with pytest.raises(CallerRefusedError):
        outbox.wait(sent, finality=Finality.FINAL, timeout=30)
    status = outbox.status(sent)
    assert (status.state, status.code) == (TransactionState.FAILED, "caller.notAllowed")
    assert status.events == ()


def test_an_unknown_transaction_is_named(outbox: Outbox) -> None:
    with pytest.raises(TransactionUnknownError):
        outbox.status("0x00")  # type: ignore[arg-type]  # what a user may type


def test_reads_see_the_block_that_is_asked_for(ledger: RpcLedger, outbox: Outbox) -> None:
    status = registered(outbox)
    identity = IdentityId(status.event("IdentityRegistered").args["id"])

    before = ledger.read(view("kindOf", identity), block=status.block.number - 1)
    after = ledger.read(view("kindOf", identity), block=status.block.number)

    assert (before, after) == (0, ORGANIZATION)


def test_several_reads_are_one_request_and_keep_their_order(
    ledger: RpcLedger, outbox: Outbox
) -> None:
    identity = registered(outbox).event("IdentityRegistered").args["id"]

    kind, controller = ledger.read_all([view("kindOf", identity), view("controllerOf", identity)])

    assert (kind, controller) == (ORGANIZATION, outbox.keys.address(OWNER))


def test_a_revert_of_a_read_is_mapped(ledger: RpcLedger) -> None:
    with pytest.raises(IdentityUnknownError):
        ledger.read(view("controllerOf", bytes(32)))


def test_contracts_are_told_from_accounts(ledger: RpcLedger, outbox: Outbox) -> None:
    contract = ledger.pin().contracts[ContractName.IDENTITIES].address

    assert ledger.has_code(contract)
    assert not ledger.has_code(outbox.keys.address(OWNER))


def test_events_of_a_range_come_in_order(ledger: RpcLedger, outbox: Outbox) -> None:
    first, second = registered(outbox), registered(outbox)

    events = ledger.events(first.block.number, second.block.number)

    found = [event for event in events if event.name == "IdentityRegistered"]
    assert [event.transaction for event in found] == [first.hash, second.hash]
    assert (found[0], found[1]) == (
        first.event("IdentityRegistered"),
        second.event("IdentityRegistered"),
    )
    places = [(event.block_number, event.log_index) for event in events]
    assert places == sorted(places)


def test_the_final_head_is_not_above_the_newest(ledger: RpcLedger, outbox: Outbox) -> None:
    status = registered(outbox)

    final, newest = ledger.head(final=True), ledger.head(final=False)

    assert status.block.number <= final.number <= newest.number
    assert ledger.block(newest.number) == newest


def test_a_block_that_is_not_there_is_named(ledger: RpcLedger) -> None:
    with pytest.raises(BlockUnknownError):
        ledger.block(ledger.head(final=False).number + 1_000)


def test_headers_hash_to_their_block(ledger: RpcLedger, outbox: Outbox) -> None:
    assert Capability.HEADERS in ledger.capabilities
    block = registered(outbox).block

    header = ledger.header(block.number)

    assert keccak256(header) == block.hash
    assert decode_header(header).time == block.time


def test_proofs_verify_against_the_header_of_their_block(ledger: RpcLedger, outbox: Outbox) -> None:
    assert Capability.PROOFS in ledger.capabilities
    status = registered(outbox)
    identity = status.event("IdentityRegistered").args["id"]
    absent = IDENTITIES.at(bytes(31) + b"\x01").slot
    slots = (PROFILES.at(identity).slot, absent)

    proofs = ledger.proof(status.block.number, {ContractName.IDENTITIES: slots})

    proof = proofs[ContractName.IDENTITIES]
    root = decode_header(ledger.header(status.block.number)).state_root
    account = prove_account(root, proof.address, proof.nodes)
    assert account is not None
    assert account.code_hash == ledger.pin().contracts[ContractName.IDENTITIES].code_hash
    assert account.storage_root == proof.storage_root
    words = [prove_slot(account.storage_root, found.slot, found.nodes) for found in proof.slots]
    assert words == [found.value for found in proof.slots] == [7, 0]


@pytest.mark.needs("geth")
def test_a_node_that_has_dropped_a_blocks_state_is_named(geth_deployed: chains.Deployed) -> None:
    """A node that is no archive keeps the states of its last 128 blocks."""
    found = geth_deployed.ledger()
    old = found.head(final=False).number
    slots = {ContractName.IDENTITIES: [bytes(32)]}
    assert found.proof(old, slots)

    for number in range(130):
        geth_deployed.chain.fund(KeyName(f"block {number}"))

    with pytest.raises(ProofRefusedError, match=f"Nothing of block {old} is proven"):
        found.proof(old, slots)
    assert found.proof(found.head(final=False).number, slots)
    found.rpc.close()


def test_many_transactions_of_one_key_take_one_nonce_each(outbox: Outbox) -> None:
    names = [f"many:{secrets.token_hex(8)}" for _ in range(10)]
    sent = [outbox.submit(register(gas=200_000), key=OWNER, idempotency=name) for name in names]

    done = [outbox.wait(found, finality=Finality.FINAL, timeout=30) for found in sent]

    ids = {status.event("IdentityRegistered").args["id"] for status in done}
    assert len(ids) == len(names)
    assert outbox.advance() == 0
    # What is settled is forgotten: a node that runs for years does not grow by it.
    assert outbox._sent == {}


def test_a_stretch_holds_the_logs_of_its_blocks_on_every_chain(
    ledger: RpcLedger, outbox: Outbox
) -> None:
    first, last = (registered(outbox).block.number for _ in range(2))

    read = ledger.stretch(first, last)

    events = [ledger.event(log, read.blocks[log.block_number - first]) for log in read.logs]
    assert [event for event in events if event is not None] == list(ledger.events(first, last))
    assert [block.number for block in read.blocks] == list(range(first, last + 1))
    assert read.parent == ledger.block(first - 1).hash
    with pytest.raises(BlockUnknownError):
        ledger.stretch(last, ledger.head(final=False).number + 1_000)
