"""Cases for check (10): accreditations."""

from dataclasses import replace

from fakes import simulator as sim
from fakes.cases.draft import Draft, breaks
from fakes.cases.notices import HANDED_ON, doubt, hand_on, on_controller
from fakes.simulator import BEGUN, ISSUER, LOGGED, MAKER, accreditation
from guildmark.domain.chain import storage
from guildmark.domain.identifiers import IdentityId
from guildmark.domain.identity.accreditation import ScopeDocument
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.recipes import clauses
from guildmark.domain.recipes.clause import ClauseClass
from guildmark.domain.trust import Listed
from guildmark.domain.verification.evidence import AccreditationDisclosure, Evidence

CERTIFIER, STRANGER = sim.identity("certifier"), sim.identity("strange authority")
SCOPE = ScopeDocument(
    standard="ISO 13485", processes=("fdm",), certificate="DE-0815", salt=sim.salt("scope")
)
AUTHORITY = ScopeDocument(standard="ISO 13485", delegations=1)
OF_MAKER = accreditation(CERTIFIER, MAKER, SCOPE)
OF_CERTIFIER = accreditation(ISSUER, CERTIFIER, AUTHORITY)


def accredit(draft: Draft, *shown: AccreditationDisclosure) -> None:
    """Let the recipe ask for ISO 13485 and fdm, and the bundle show accreditations."""
    sim.ask_for(draft.simulator, standard="ISO 13485", process="fdm")
    draft.simulator.accreditations = shown or (OF_MAKER, OF_CERTIFIER)


def word(draft: Draft, of: AccreditationDisclosure, *times: int) -> None:
    draft.simulator.words[storage.ACCREDITATIONS.at(of.id())] = sim.accreditation_word(*times)


@breaks(10, "accreditationsNotAsked", 0, decides=False)
def recipe_that_asks_for_no_accreditation(draft: Draft) -> None:
    draft.simulator.accreditations = (OF_MAKER,)


@breaks(10, "accreditationLapsed", 13)
def accreditation_ended_at_the_beacon(draft: Draft) -> None:
    accredit(draft)
    word(draft, OF_MAKER, 1_000, BEGUN)


@breaks(10, "accreditationLapsed", 13)
def accreditation_given_after_the_record(draft: Draft) -> None:
    # No chain takes an earlier time than that of the block.
    accredit(draft)
    word(draft, OF_MAKER, LOGGED + 1)


@breaks(10, "accreditationLapsed", 13)
def certifier_revoked_before_the_build(draft: Draft) -> None:
    accredit(draft)
    word(draft, OF_CERTIFIER, 1_000, 0, BEGUN)


@breaks(10, "accreditationLapsed", 13)
def list_that_dropped_the_authority_before_the_build(draft: Draft) -> None:
    accredit(draft)
    dropped = Listed(id=ISSUER, until=BEGUN)
    # Who names maker and designer stays on the list.
    draft.simulator.claims = (
        sim.claim(MAKER, "LEI", "5299000J2N45DDNE4Y28", STRANGER),
        sim.claim(sim.DESIGNER, "LEI", "529900T8BM49AURSDO55", STRANGER),
    )
    draft.trust["issuers"] = (dropped, Listed(id=STRANGER))


@breaks(10, "accreditationPartly", 23)
def accreditation_revoked_between_beacon_and_record(draft: Draft) -> None:
    accredit(draft)
    word(draft, OF_MAKER, 1_000, 0, BEGUN + 1)


@breaks(10, "accreditationPartly", 23)
def accreditation_revoked_in_the_second_of_the_record(draft: Draft) -> None:
    accredit(draft)
    word(draft, OF_MAKER, 1_000, 0, LOGGED)


@breaks(10, "accreditationPartly", 23)
def accreditation_that_begins_a_second_after_the_beacon(draft: Draft) -> None:
    accredit(draft)
    word(draft, OF_CERTIFIER, BEGUN + 1)


@breaks(10, "accreditationUnregistered", 13)
def accreditation_that_nobody_gave(draft: Draft) -> None:
    accredit(draft)
    word(draft, OF_MAKER, 0)


@breaks(10, "accreditationUnregistered", 13)
def scope_document_with_another_process(draft: Draft) -> None:
    """Show a scope that nobody gave in place of the one that was."""
    given = replace(OF_MAKER, scope=replace(SCOPE, processes=("sls",)))
    accredit(draft, OF_MAKER, OF_CERTIFIER)
    word(draft, OF_MAKER, 0)
    word(draft, given, 1_000)


@breaks(10, "proofMissing", 23, decides=False)
def scope_document_tampered_behind_its_proof(draft: Draft) -> None:
    given = replace(OF_MAKER, scope=replace(SCOPE, processes=("sls",)))
    accredit(draft, given, OF_CERTIFIER)

    def tamper(evidence: Evidence) -> Evidence:
        shown = (OF_MAKER, OF_CERTIFIER)
        return replace(evidence, disclosed=replace(evidence.disclosed, accreditations=shown))

    draft.tampers.append(tamper)


@breaks(10, "accreditationBroken", 13)
def certifier_who_may_not_accredit(draft: Draft) -> None:
    accredit(draft, OF_MAKER, accreditation(ISSUER, CERTIFIER, replace(AUTHORITY, delegations=0)))


@breaks(10, "accreditationBroken", 13)
def issuers_in_a_circle(draft: Draft) -> None:
    circle = accreditation(MAKER, CERTIFIER, replace(AUTHORITY, delegations=1))
    accredit(draft, OF_MAKER, circle)


@breaks(10, "accreditationOutOfScope", 13)
def accreditation_for_another_standard(draft: Draft) -> None:
    accredit(draft, accreditation(ISSUER, MAKER, replace(SCOPE, standard="ISO 9001")))


@breaks(10, "accreditationOutOfScope", 13)
def accreditation_of_another_site(draft: Draft) -> None:
    elsewhere = replace(SCOPE, sites=(sim.identity("other site"),))
    accredit(draft, accreditation(ISSUER, MAKER, elsewhere))


@breaks(10, "accreditationMissing", 23)
def accreditation_not_shown(draft: Draft) -> None:
    accredit(draft)
    draft.simulator.accreditations = ()


@breaks(10, "accreditationMissing", 23)
def accreditation_of_another_maker(draft: Draft) -> None:
    accredit(draft, accreditation(ISSUER, sim.identity("other maker"), SCOPE))


@breaks(10, "accreditationUnlisted", 16)
def authority_that_is_not_on_the_list(draft: Draft) -> None:
    accredit(draft, OF_MAKER, accreditation(STRANGER, CERTIFIER, AUTHORITY))


@breaks(10, "accreditationUnlisted", 16)
def chain_that_lacks_its_upper_link(draft: Draft) -> None:
    accredit(draft, OF_MAKER)


@breaks(10, "accreditationUnread", 23)
def accreditation_asked_for_in_another_form(draft: Draft) -> None:
    accredit(draft)
    sim.ask_for(draft.simulator, level="3")


@breaks(10, "accreditationUnread", 23)
def accreditation_that_a_site_may_choose(draft: Draft) -> None:
    free = sim.text("/qa/accreditation/quality", ClauseClass.SITE, "ISO 13485")
    draft.simulator.master = tuple(sorted((*sim.MASTER, free), key=lambda leaf: leaf.path))
    draft.simulator.own = tuple(sorted((*sim.OWN, free), key=lambda leaf: leaf.path))
    draft.simulator.terms_members = sim.members_of_recipe(draft.simulator)


@breaks(10, "accreditationsWithheld", 23)
def accreditation_clause_withheld(draft: Draft) -> None:
    accredit(draft)
    leaves = draft.simulator.master
    opened = [leaf.path for leaf in leaves if not leaf.path.endswith("/process")]
    recipe = draft.simulator.make_disclosures().recipe
    assert recipe is not None
    shown = replace(recipe, clauses=clauses.disclose(leaves, opened))
    draft.simulator.disclosed["recipe"] = shown


def register(draft: Draft, *identities: IdentityId) -> None:
    """Let the chain hold who gave accreditations."""
    for identity in identities:
        place = storage.IDENTITIES.at(identity)
        draft.simulator.words[place] = sim.identity_word(IdentityKind.ORGANIZATION)


@breaks(10, "controllerInDoubt", 23)
def accreditation_by_a_doubted_controller(draft: Draft) -> None:
    accredit(draft)
    register(draft, CERTIFIER)
    doubt(draft, on_controller(CERTIFIER), LOGGED + 50, sim.REGISTERED)


@breaks(10, "controllerInDoubt", 23)
def accreditation_dated_past_the_recovery(draft: Draft) -> None:
    """Given by a thief, from when on the account is its owner's again."""
    accredit(draft)
    register(draft, CERTIFIER)
    word(draft, OF_MAKER, HANDED_ON + 1, 0, 0, HANDED_ON - 10)
    hand_on(draft, CERTIFIER, IdentityKind.ORGANIZATION)
    doubt(draft, on_controller(CERTIFIER), HANDED_ON - 5, HANDED_ON - 10)


@breaks(10, "controllerUnderNotice", 13)
def accreditation_dated_past_the_recovery_given_after_the_notice(draft: Draft) -> None:
    accredit(draft)
    register(draft, CERTIFIER)
    word(draft, OF_MAKER, HANDED_ON + 1, 0, 0, HANDED_ON - 5)
    hand_on(draft, CERTIFIER, IdentityKind.ORGANIZATION)
    doubt(draft, on_controller(CERTIFIER), HANDED_ON - 5, HANDED_ON - 10)


@breaks(10, "controllerUnderNotice", 13)
def accreditation_by_a_controller_under_notice(draft: Draft) -> None:
    accredit(draft)
    register(draft, CERTIFIER)
    word(draft, OF_MAKER, 1_500)
    doubt(draft, on_controller(CERTIFIER), 1_500, 1_400)


@breaks(10, "controllerInDoubt", 23)
def authority_that_is_doubted_above_a_certifier(draft: Draft) -> None:
    accredit(draft)
    # Claims of the doubted issuer do not count either: others name maker and designer.
    draft.simulator.claims = (
        sim.claim(MAKER, "LEI", "5299000J2N45DDNE4Y28", STRANGER),
        sim.claim(sim.DESIGNER, "LEI", "529900T8BM49AURSDO55", STRANGER),
    )
    draft.trust["issuers"] = (Listed(id=ISSUER), Listed(id=STRANGER))
    register(draft, CERTIFIER)
    doubt(draft, on_controller(ISSUER), LOGGED + 50, sim.REGISTERED)


@breaks(10, "proofMissing", 23)
def accreditation_by_somebody_of_whom_notices_are_not_proven(draft: Draft) -> None:
    accredit(draft)
    register(draft, CERTIFIER)
    draft.simulator.unproven.add(on_controller(CERTIFIER))
