"""Cases for check (2): a recipe that asks for a second signature."""

from collections.abc import Mapping
from dataclasses import replace

from fakes import simulator as sim
from fakes.cases.draft import Draft, breaks, word
from fakes.cases.notices import doubt, on_controller
from fakes.inspecting import INSPECTOR, LABORATORY, PROBE
from fakes.simulator import (
    BEGUN,
    GAUGE,
    LOGGED,
    MACHINE,
    MAKER,
    REGISTERED,
    SITE,
    Signer,
    quantity,
    text,
)
from guildmark.domain.builds.dsse import Envelope
from guildmark.domain.builds.statement import PAYLOAD_TYPE
from guildmark.domain.chain import storage
from guildmark.domain.identifiers import IdentityId, KeyId, to_hex
from guildmark.domain.identity.identity import IdentityKind, key_id
from guildmark.domain.recipes import clauses
from guildmark.domain.recipes.clause import Clause, ClauseClass
from guildmark.domain.verification.evidence import CountersignerDisclosure, LinkDisclosure

PATH = "/qa/countersignature"
OTHER = "other organization"
KEY_ID = key_id(PROBE, Signer("probe").public)
KEY = storage.KEYS.at(KEY_ID)
CHAIN = (PROBE, LABORATORY, INSPECTOR)
KINDS = (IdentityKind.MACHINE, IdentityKind.SITE, IdentityKind.ORGANIZATION)


def ask(draft: Draft, clause: Clause) -> None:
    """Let recipe and site recipe have a further clause."""
    simulator = draft.simulator
    simulator.master = tuple(sorted((*simulator.master, clause), key=lambda leaf: leaf.path))
    simulator.own = tuple(sorted((*simulator.own, clause), key=lambda leaf: leaf.path))
    simulator.terms_members = sim.members_of_recipe(simulator)


def ask_for(draft: Draft, whose: str = OTHER) -> None:
    ask(draft, text(PATH, ClauseClass.CORE, whose))


def sign(draft: Draft, *signers: tuple[IdentityId, Signer]) -> None:
    """Let the machine and others sign the statement."""
    simulator = draft.simulator
    keys: Mapping[KeyId, Signer] = {
        key_id(machine, signer.public): signer
        for machine, signer in ((MACHINE, simulator.signer), *signers)
    }
    simulator.envelope = Envelope.sign(
        simulator.make_statement().encode(),
        payload_type=PAYLOAD_TYPE,
        signers={name: signer.sign for name, signer in keys.items()},
    ).encode()


def show(draft: Draft, chain: tuple[IdentityId, IdentityId, IdentityId] = CHAIN) -> None:
    """Let the bundle show whose the second signature is, and the chain hold it."""
    machine, site, organization = chain
    key = Signer("probe").public
    draft.simulator.disclosed["countersigner"] = CountersignerDisclosure(
        machine=machine,
        key=key,
        site_link=LinkDisclosure(child=machine, parent=site, count=1),
        link=LinkDisclosure(child=site, parent=organization, count=1),
    )
    word(storage.KEYS.at(key_id(machine, key)), sim.key_word(REGISTERED))(draft)
    for child, parent in ((machine, site), (site, organization)):
        word(storage.LINK_COUNTS.at(child, parent), 1)(draft)
        word(storage.LINKS.at(child, parent, 1), sim.interval_word(REGISTERED))(draft)
    for identity, kind in zip(chain, KINDS, strict=True):
        word(storage.IDENTITIES.at(identity), sim.identity_word(kind))(draft)


def countersign(
    draft: Draft,
    whose: str = OTHER,
    chain: tuple[IdentityId, IdentityId, IdentityId] = CHAIN,
) -> None:
    """Ask for a second signature, and let an instrument give it."""
    ask_for(draft, whose)
    sign(draft, (chain[0], Signer("probe")))
    show(draft, chain)


@breaks(2, "countersignatureMissing", 12)
def machine_that_signed_alone(draft: Draft) -> None:
    ask_for(draft)


@breaks(2, "countersignatureMissing", 12)
def second_signer_who_is_shown_and_did_not_sign(draft: Draft) -> None:
    ask_for(draft, "any organization")
    show(draft)


@breaks(2, "countersignerNotAdmitted", 12)
def second_machine_of_the_same_organization(draft: Draft) -> None:
    countersign(draft, chain=(GAUGE, SITE, MAKER))


@breaks(2, "countersignerNotAdmitted", 12)
def machine_that_signed_twice_with_two_keys(draft: Draft) -> None:
    countersign(draft, "any organization", chain=(MACHINE, SITE, MAKER))


@breaks(2, "countersignerNotAdmitted", 12)
def second_signer_whom_the_recipe_does_not_name(draft: Draft) -> None:
    countersign(draft, to_hex(sim.identity("another inspector")))


@breaks(2, "countersignerMissing", 23)
def second_signer_who_is_not_shown(draft: Draft) -> None:
    ask_for(draft)
    sign(draft, (PROBE, Signer("probe")))


@breaks(2, "countersignerMissing", 23)
def second_signature_of_another_key_than_shown(draft: Draft) -> None:
    ask_for(draft)
    sign(draft, (PROBE, Signer("stranger")))
    show(draft)


@breaks(2, "countersignerMissing", 23)
def second_signers_links_that_do_not_meet(draft: Draft) -> None:
    countersign(draft)
    shown = draft.simulator.disclosed["countersigner"]
    draft.simulator.disclosed["countersigner"] = CountersignerDisclosure(
        machine=shown.machine,
        key=shown.key,
        site_link=LinkDisclosure(child=MACHINE, parent=SITE, count=1),
        link=shown.link,
    )


@breaks(2, "countersignatureInvalid", 12)
def second_signature_over_something_else(draft: Draft) -> None:
    ask_for(draft)
    forger = Signer("probe")

    def forged(payload: bytes) -> bytes:
        return Signer("probe").sign(payload + b" ")

    forger.sign = forged  # type: ignore[method-assign] # a forger
    sign(draft, (PROBE, forger))
    show(draft)


@breaks(2, "countersignerNotGood", 12)
def second_key_that_nobody_added(draft: Draft) -> None:
    countersign(draft)
    word(KEY, 0)(draft)


@breaks(2, "countersignerNotGood", 12)
def second_key_ended_before_the_beacon(draft: Draft) -> None:
    countersign(draft)
    word(KEY, sim.key_word(REGISTERED, until=BEGUN))(draft)


@breaks(2, "countersignerNotGood", 12)
def second_key_under_notice(draft: Draft) -> None:
    countersign(draft)
    word(KEY, sim.key_word(REGISTERED, notice_at=LOGGED, suspected_from=LOGGED))(draft)


@breaks(2, "countersignerNotGood", 12)
def second_signer_that_is_no_organization(draft: Draft) -> None:
    countersign(draft)
    word(storage.IDENTITIES.at(INSPECTOR), sim.identity_word(IdentityKind.AUTHORITY))(draft)


@breaks(2, "countersignerNotGood", 12)
def second_machine_linked_after_the_record(draft: Draft) -> None:
    countersign(draft)
    word(storage.LINKS.at(PROBE, LABORATORY, 1), sim.interval_word(LOGGED + 1))(draft)


@breaks(2, "countersignerGoodPartly", 23)
def second_key_added_after_the_beacon(draft: Draft) -> None:
    countersign(draft)
    word(KEY, sim.key_word(BEGUN + 1))(draft)


@breaks(2, "countersignerGoodPartly", 23)
def second_machines_site_linked_after_the_beacon(draft: Draft) -> None:
    countersign(draft)
    word(storage.LINKS.at(LABORATORY, INSPECTOR, 1), sim.interval_word(BEGUN + 1))(draft)


@breaks(2, "countersignerInDoubt", 23)
def second_key_in_doubt(draft: Draft) -> None:
    countersign(draft)
    word(KEY, sim.key_word(REGISTERED, notice_at=LOGGED + 1, suspected_from=LOGGED))(draft)


@breaks(2, "controllerInDoubt", 23)
def second_key_added_by_a_doubted_controller(draft: Draft) -> None:
    countersign(draft)
    doubt(draft, on_controller(PROBE), LOGGED + 9, REGISTERED)


@breaks(2, "countersignatureUnread", 23)
def second_signature_asked_for_in_another_form(draft: Draft) -> None:
    ask_for(draft, "whoever has time")


@breaks(2, "countersignatureUnread", 23)
def second_signature_that_a_site_may_leave_out(draft: Draft) -> None:
    ask(draft, text(PATH, ClauseClass.SITE, OTHER))


@breaks(2, "countersignatureUnread", 23)
def second_signature_asked_for_as_a_number(draft: Draft) -> None:
    ask(draft, quantity(PATH, ClauseClass.CORE, "1", value="2"))


@breaks(2, "countersignatureUnread", 23)
def second_signature_asked_for_below_the_clause(draft: Draft) -> None:
    ask(draft, text(f"{PATH}/inspector", ClauseClass.CORE, OTHER))


@breaks(2, "countersignatureWithheld", 23)
def clause_of_a_second_signature_withheld(draft: Draft) -> None:
    ask_for(draft)
    shown, leaves = draft.simulator.make_disclosures().recipe, draft.simulator.master
    assert shown is not None
    opened = clauses.disclose(leaves, [leaf.path for leaf in leaves if leaf.path != PATH])
    draft.simulator.disclosed["recipe"] = replace(shown, clauses=opened)
