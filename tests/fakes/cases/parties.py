"""Cases for check (1): operator, site and machine."""

from dataclasses import replace

from fakes import simulator as sim
from fakes.cases.draft import Draft, breaks, on_account, word
from fakes.simulator import (
    BEGUN,
    GAUGE,
    LOG,
    LOGGED,
    MACHINE,
    MAKER,
    OPERATOR,
    SITE,
    Signer,
)
from guildmark.domain.chain import storage
from guildmark.domain.chain.contracts import AccountProof, ContractName
from guildmark.domain.identity.identity import IdentityKind


@breaks(1, "machineUnregistered", 16)
def unregistered_machine(draft: Draft) -> None:
    machine, signer = sim.identity("ghost"), Signer("ghost")
    link = draft.simulator.make_disclosures().site_link
    assert link is not None
    draft.simulator.run["machine"] = machine
    draft.simulator.signer, draft.simulator.key_owner = signer, machine
    draft.simulator.disclosed["site_link"] = replace(link, child=machine, count=0)


@breaks(1, "siteUnregistered", 16)
def unregistered_site(draft: Draft) -> None:
    word(storage.IDENTITIES.at(SITE), 0)(draft)


@breaks(1, "makerUnregistered", 16)
def unregistered_maker(draft: Draft) -> None:
    word(storage.IDENTITIES.at(MAKER), 0)(draft)


@breaks(1, "operatorUnregistered", 16)
def unregistered_operator(draft: Draft) -> None:
    word(storage.IDENTITIES.at(OPERATOR), 0)(draft)


@breaks(1, "kindMismatch", 16)
def site_that_is_an_organization(draft: Draft) -> None:
    value = sim.identity_word(IdentityKind.ORGANIZATION)
    word(storage.IDENTITIES.at(SITE), value)(draft)


@breaks(1, "registeredLater", 16)
def machine_registered_after_the_record(draft: Draft) -> None:
    value = sim.identity_word(IdentityKind.MACHINE, since=LOGGED + 1)
    word(storage.IDENTITIES.at(MACHINE), value)(draft)


@breaks(1, "registeredMeanwhile", 23)
def machine_registered_after_the_beacon(draft: Draft) -> None:
    value = sim.identity_word(IdentityKind.MACHINE, since=BEGUN + 1)
    word(storage.IDENTITIES.at(MACHINE), value)(draft)


@breaks(1, "linkMissing", 23)
def link_of_the_machine_not_shown(draft: Draft) -> None:
    draft.simulator.disclosed["site_link"] = None


@breaks(1, "linkMissing", 23)
def link_of_the_site_not_shown(draft: Draft) -> None:
    draft.simulator.disclosed["maker_link"] = None


@breaks(1, "linkMissing", 23)
def one_interval_of_two_shown(draft: Draft) -> None:
    word(storage.LINK_COUNTS.at(MACHINE, SITE), 2)(draft)


@breaks(1, "linkMismatch", 16)
def link_of_another_machine(draft: Draft) -> None:
    link = draft.simulator.make_disclosures().site_link
    assert link is not None
    draft.simulator.disclosed["site_link"] = replace(link, child=GAUGE)


@breaks(1, "linkMismatch", 16)
def link_of_another_site(draft: Draft) -> None:
    link = draft.simulator.make_disclosures().maker_link
    assert link is not None
    draft.simulator.disclosed["maker_link"] = replace(link, child=sim.identity("other site"))


@breaks(1, "machineUnlinked", 16)
def machine_never_linked(draft: Draft) -> None:
    word(storage.LINK_COUNTS.at(MACHINE, SITE), 0)(draft)


@breaks(1, "machineUnlinked", 16)
def machine_link_ended_before_the_beacon(draft: Draft) -> None:
    word(storage.LINKS.at(MACHINE, SITE, 1), sim.interval_word(1_000, BEGUN))(draft)


@breaks(1, "machineLinkedPartly", 23)
def machine_link_ended_at_the_record(draft: Draft) -> None:
    word(storage.LINKS.at(MACHINE, SITE, 1), sim.interval_word(1_000, LOGGED))(draft)


@breaks(1, "siteUnlinked", 16)
def site_linked_after_the_record(draft: Draft) -> None:
    word(storage.LINKS.at(SITE, MAKER, 1), sim.interval_word(LOGGED + 1))(draft)


@breaks(1, "siteLinkedPartly", 23)
def site_linked_at_the_record(draft: Draft) -> None:
    word(storage.LINKS.at(SITE, MAKER, 1), sim.interval_word(LOGGED))(draft)


@breaks(1, "logUnknown", 16)
def log_that_nobody_opened(draft: Draft) -> None:
    word(storage.OPERATORS.at(LOG), 0)(draft)


@breaks(1, "operatorMissing", 23)
def operator_not_shown(draft: Draft) -> None:
    draft.simulator.disclosed["operator"] = None


@breaks(1, "operatorMismatch", 16)
def log_of_another_operator(draft: Draft) -> None:
    word(storage.OPERATORS.at(LOG), sim.as_int(sim.DESIGNER))(draft)


@breaks(1, "proofMissing", 23)
def identity_without_proof(draft: Draft) -> None:
    draft.simulator.unproven.add(storage.IDENTITIES.at(MACHINE))


@breaks(1, "proofInvalid", 16)
def identity_with_another_value_than_proven(draft: Draft) -> None:
    slot = storage.IDENTITIES.at(MACHINE).slot

    def change(proof: AccountProof) -> AccountProof:
        slots = [replace(s, value=s.value ^ 1 << 160) if s.slot == slot else s for s in proof.slots]
        return replace(proof, slots=tuple(slots))

    on_account(ContractName.IDENTITIES, change)(draft)
