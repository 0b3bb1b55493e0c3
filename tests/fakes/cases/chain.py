"""Cases for check (0): chain and block."""

from dataclasses import replace
from typing import Any

from fakes.cases.draft import Draft, breaks, on_account, other
from fakes.notes import key, signature
from fakes.simulator import LOOKED
from guildmark.domain.chain.contracts import AccountProof, ContractName
from guildmark.domain.identifiers import ChainId
from guildmark.domain.log.note import Note
from guildmark.domain.log.witness import BlockNote
from guildmark.domain.trust import TrustedBlock, Witness
from guildmark.domain.verification.case import Question, Sighting
from guildmark.domain.verification.evidence import Evidence


@breaks(0, "trustMissing", 16)
def no_trust_file(draft: Draft) -> None:
    draft.without_trust = True


@breaks(0, "chainMismatch", 16)
def other_chain_id(draft: Draft) -> None:
    pin = replace(draft.simulator.pin, chain_id=ChainId(5))
    draft.tampers.append(lambda e: replace(e, chain=replace(e.chain, pin=pin)))


@breaks(0, "chainMismatch", 16)
def other_genesis_of_the_same_chain_id(draft: Draft) -> None:
    pin = replace(draft.simulator.pin, genesis=other("genesis"))
    draft.tampers.append(lambda e: replace(e, chain=replace(e.chain, pin=pin)))


@breaks(0, "headerMalformed", 16)
def header_is_no_header(draft: Draft) -> None:
    draft.tampers.append(lambda e: replace(e, chain=replace(e.chain, header=b"header")))


@breaks(0, "blockMismatch", 16)
def second_chain_with_the_same_id_and_addresses(draft: Draft) -> None:
    draft.trust["blocks"] = (TrustedBlock(number=77, hash=other("block"), time=LOOKED),)


@breaks(0, "blockMismatch", 16)
def believed_block_has_another_time(draft: Draft) -> None:
    block = draft.simulator.trust().blocks[0]
    draft.trust["blocks"] = (replace(block, time=LOOKED + 1),)


@breaks(0, "blockMismatch", 16)
def own_node_has_another_block(draft: Draft) -> None:
    draft.trust["blocks"] = ()
    sighting = Sighting(is_reached=True, hash=other("block"), is_final=True)
    draft.question = Question(sighting=sighting)


@breaks(0, "blockUnknown", 23)
def nobody_knows_the_block(draft: Draft) -> None:
    draft.trust["blocks"] = ()


@breaks(0, "blockUnknown", 23)
def own_node_does_not_have_the_block(draft: Draft) -> None:
    draft.trust["blocks"] = ()
    draft.question = Question(sighting=Sighting(is_reached=True))


def block_note(draft: Draft, *names: str, **changes: Any) -> bytes:
    """Return the note of witnesses about block b, or about another one."""
    block = draft.simulator.trust().blocks[0]
    said = BlockNote(
        chain_id=draft.simulator.pin.chain_id,
        number=block.number,
        hash=block.hash,
        time=block.time,
    )
    text = replace(said, **changes).text()
    return Note(text=text, signatures=tuple(signature(name, text) for name in names)).encode()


def watched(draft: Draft, note: bytes, *, quorum: int = 2, until: int = 0) -> None:
    """Let the reader know no block, and ask for two of three witnesses."""
    witnesses = [Witness(key=key(name).encode()) for name in ("w1", "w2", "w3")]
    witnesses[1] = replace(witnesses[1], until=until)
    draft.trust |= {"blocks": (), "witnesses": tuple(witnesses), "quorum": quorum}
    draft.tampers.append(lambda e: replace(e, chain=replace(e.chain, note=note)))


@breaks(0, "witnessesTooFew", 23)
def no_witness_signed_the_block(draft: Draft) -> None:
    watched(draft, b"")


@breaks(0, "witnessesTooFew", 23)
def one_witness_where_two_are_asked_for(draft: Draft) -> None:
    watched(draft, block_note(draft, "w1"))


@breaks(0, "witnessesTooFew", 23)
def one_witness_who_signed_twice(draft: Draft) -> None:
    watched(draft, block_note(draft, "w1", "w1"))


@breaks(0, "witnessesTooFew", 23)
def a_witness_whom_nobody_pinned(draft: Draft) -> None:
    watched(draft, block_note(draft, "w1", "stranger"))


@breaks(0, "witnessesTooFew", 23)
def a_witness_who_is_believed_no_more(draft: Draft) -> None:
    watched(draft, block_note(draft, "w1", "w2"), until=LOOKED)


@breaks(0, "noteMismatch", 16)
def witnesses_signed_a_block_of_another_chain(draft: Draft) -> None:
    watched(draft, block_note(draft, "w1", "w2", chain_id=ChainId(5)))


@breaks(0, "noteMismatch", 16)
def witnesses_signed_a_block_of_another_hash(draft: Draft) -> None:
    watched(draft, block_note(draft, "w1", "w2", hash=other("block")))


@breaks(0, "noteMismatch", 16)
def witnesses_signed_a_block_of_another_number(draft: Draft) -> None:
    watched(draft, block_note(draft, "w1", "w2", number=78))


@breaks(0, "noteMismatch", 16)
def witnesses_signed_a_block_of_another_time(draft: Draft) -> None:
    watched(draft, block_note(draft, "w1", "w2", time=LOOKED + 1))


@breaks(0, "noteInvalid", 16)
def a_signature_in_a_witnesses_name_is_made_up(draft: Draft) -> None:
    forged = replace(signature("stranger"), name="w2", key=key("w2").id)
    note = Note.parse(block_note(draft, "w1"))
    watched(draft, note.signed(forged).encode())


@breaks(0, "noteInvalid", 16)
def what_should_be_a_note_is_none(draft: Draft) -> None:
    watched(draft, b"trust me")


@breaks(0, "noteMismatch", 16)
def witnesses_of_another_chain_beside_the_own_node(draft: Draft) -> None:
    watched(draft, block_note(draft, "w1", "w2", chain_id=ChainId(5)))
    block = draft.simulator.trust().blocks[0]
    sighting = Sighting(is_reached=True, hash=block.hash, is_final=True)
    draft.question = Question(sighting=sighting)


@breaks(0, "blockMismatch", 16)
def own_node_contradicts_the_witnesses(draft: Draft) -> None:
    watched(draft, block_note(draft, "w1", "w2"))
    sighting = Sighting(is_reached=True, hash=other("block"), is_final=True)
    draft.question = Question(sighting=sighting)


@breaks(0, "nodeUnreachable", 3)
def own_node_is_down(draft: Draft) -> None:
    draft.trust["blocks"] = ()
    draft.question = Question(sighting=Sighting(is_reached=False))


@breaks(0, "nodeOnOtherChain", 23)
def own_node_is_of_another_chain(draft: Draft) -> None:
    draft.trust["blocks"] = ()
    pin = draft.simulator.pin
    chain = (pin.chain_id, other("genesis"))
    draft.question = Question(sighting=Sighting(is_reached=True, hash=other("b"), chain=chain))


@breaks(0, "contractMissing", 23)
def contract_without_proof(draft: Draft) -> None:
    def tamper(evidence: Evidence) -> Evidence:
        accounts = dict(evidence.chain.accounts)
        del accounts[ContractName.PARTS]
        return replace(evidence, chain=replace(evidence.chain, accounts=accounts))

    draft.tampers.append(tamper)


@breaks(0, "contractInvalid", 16)
def account_proof_of_another_account(draft: Draft) -> None:
    address = draft.simulator.pin.contracts[ContractName.DESIGNS].address
    on_account(ContractName.PARTS, lambda proof: replace(proof, address=address))(draft)


@breaks(0, "contractInvalid", 16)
def account_proof_with_another_storage_root(draft: Draft) -> None:
    on_account(ContractName.PARTS, lambda proof: replace(proof, storage_root=other("root")))(draft)


@breaks(0, "contractInvalid", 16)
def account_proof_with_a_changed_node(draft: Draft) -> None:
    def change(proof: AccountProof) -> AccountProof:
        return replace(proof, nodes=(proof.nodes[0][:-1] + b"\xff", *proof.nodes[1:]))

    on_account(ContractName.PARTS, change)(draft)


@breaks(0, "codeMismatch", 16)
def other_code_than_pinned(draft: Draft) -> None:
    contracts = dict(draft.simulator.pin.contracts)
    contracts[ContractName.PARTS] = replace(contracts[ContractName.PARTS], code_hash=other("code"))
    pinned = replace(draft.simulator.pin, contracts=contracts)
    draft.tampers.append(lambda e: replace(e, chain=replace(e.chain, pin=pinned)))
    draft.trust["chain"] = pinned
