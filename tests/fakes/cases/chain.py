"""Cases for check (0): chain and block."""

from dataclasses import replace

from fakes.cases.draft import Draft, breaks, on_account, other
from fakes.simulator import (
    LOOKED,
)
from guildmark.domain.contracts import AccountProof, ContractName
from guildmark.domain.identifiers import (
    ChainId,
)
from guildmark.domain.trust import TrustedBlock
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
