"""The proven state: only what verifies under the header is known."""

from dataclasses import replace

from fakes.simulator import LOG, MACHINE, POSITION, Simulator
from guildmark.domain.chain import storage
from guildmark.domain.chain.contracts import AccountProof, ContractName
from guildmark.domain.chain.ethproof.header import decode_header
from guildmark.domain.verification.evidence import Evidence
from guildmark.domain.verification.state import AccountFault, ProvenState, Unproven, prove_state

MACHINE_SLOT = storage.IDENTITIES.at(MACHINE)
FATE = storage.FATES.at(LOG, 100 + POSITION)


def prove(evidence: Evidence) -> ProvenState:
    chain = evidence.chain
    return prove_state(decode_header(chain.header), chain.pin, chain.accounts)


def with_slot(evidence: Evidence, proof: AccountProof) -> Evidence:
    accounts = {**evidence.chain.accounts, ContractName.IDENTITIES: proof}
    return replace(evidence, chain=replace(evidence.chain, accounts=accounts))


def test_words_and_zeros_are_proven() -> None:
    state = prove(Simulator().evidence())

    assert isinstance(state.word(MACHINE_SLOT), int)
    assert state.word(FATE) == 0
    unasked = (ContractName.DIRECTORY, ContractName.EQUIVALENCE)
    assert state.faults == dict.fromkeys(unasked, AccountFault.MISSING)


def test_what_is_not_shown_is_missing() -> None:
    state = prove(Simulator().evidence())

    assert state.word(storage.IDENTITIES.at(b"\0" * 32)) is Unproven.MISSING


def test_a_wrong_node_proves_nothing() -> None:
    evidence = Simulator().evidence()
    proof = evidence.chain.accounts[ContractName.IDENTITIES]
    slots = [
        replace(shown, nodes=shown.nodes[:-1]) if shown.slot == MACHINE_SLOT.slot else shown
        for shown in proof.slots
    ]

    state = prove(with_slot(evidence, replace(proof, slots=tuple(slots))))

    assert state.word(MACHINE_SLOT) is Unproven.INVALID


def test_a_zero_that_is_no_zero_proves_nothing() -> None:
    evidence = Simulator().evidence()
    proof = evidence.chain.accounts[ContractName.IDENTITIES]
    slots = [replace(shown, value=0) for shown in proof.slots]

    state = prove(with_slot(evidence, replace(proof, slots=tuple(slots))))

    assert state.word(MACHINE_SLOT) is Unproven.INVALID
