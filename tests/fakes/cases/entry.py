"""Cases for check (3): place in the log."""

from dataclasses import replace

from fakes import simulator as sim
from fakes.cases.draft import Draft, breaks, other, relicense, word
from fakes.rivals import EARLIER, LATER, licensed_apart, other_entry, stand_beside
from fakes.simulator import (
    HOST,
    LABEL,
    LOG,
    OPERATOR,
    POSITION,
    SITE,
)
from guildmark.domain.chain import storage
from guildmark.domain.identifiers import (
    Index,
    to_hex,
)
from guildmark.domain.labels.digital_link import DigitalLink, operator_token
from guildmark.domain.verification.case import Question, Unsearched
from guildmark.domain.verification.report import Lack

FAR = 2**63
"""An index from which on a double tells no index from the next."""


@breaks(3, "pathInvalid", 19)
def false_path(draft: Draft) -> None:
    path = draft.simulator.make_core().path
    draft.simulator.core["path"] = (other("hash"), *path[1:])


@breaks(3, "pathInvalid", 19)
def path_with_a_hash_too_many(draft: Draft) -> None:
    draft.simulator.core["path"] = (*draft.simulator.make_core().path, other("hash"))


@breaks(3, "pathInvalid", 19)
def position_of_a_neighbour(draft: Draft) -> None:
    draft.simulator.core["position"] = 4


@breaks(3, "pathInvalid", 19)
def other_salt(draft: Draft) -> None:
    draft.simulator.core["salt"] = sim.salt("other")


@breaks(3, "hintMismatch", 19)
def code_of_another_position(draft: Draft) -> None:
    draft.question = Question(hint=(LOG, Index(104)))


@breaks(3, "hintMismatch", 19)
def code_of_the_next_position_far_in_the_log(draft: Draft) -> None:
    draft.simulator.record["first_index"] = Index(FAR)
    draft.question = Question(hint=(LOG, Index(FAR + POSITION + 1)))


@breaks(3, "labelMismatch", 19)
def label_of_another_part(draft: Draft) -> None:
    draft.question = Question(label=LABEL.replace("00025", "00026"))


@breaks(3, "labelMismatch", 19)
def link_of_another_part(draft: Draft) -> None:
    draft.question = Question(link=DigitalLink.parse(LABEL.replace("00025", "00026")))


@breaks(3, "labelNotCanonical", 19)
def label_that_is_no_link(draft: Draft) -> None:
    draft.simulator.statement["label"] = "https://id.example.org/id/none"
    draft.question = Question(link=DigitalLink.parse(LABEL))


@breaks(3, "labelNotCanonical", 19)
def label_with_a_key_in_another_writing(draft: Draft) -> None:
    draft.simulator.statement["label"] = f"https://{HOST}/01/9506000134352/21/17"


@breaks(3, "labelNotCanonical", 19)
def label_with_two_keys(draft: Draft) -> None:
    twice = f"https://{HOST}/01/09506000134352/01/04012345678901/21/17"
    draft.simulator.statement["label"] = twice


@breaks(3, "subjectMismatch", 19)
def subject_of_another_label(draft: Draft) -> None:
    statement = draft.simulator.make_statement()
    digest, wrong = statement.subject.hex().encode(), other("subject").hex().encode()
    draft.simulator.payload = statement.encode().replace(digest, wrong)


@breaks(3, "entrySubjectMismatch", 19)
def entry_about_another_subject(draft: Draft) -> None:
    draft.simulator.entry["subject"] = other("subject")


@breaks(3, "makerMismatch", 19)
def operator_logs_a_shops_envelope_as_its_own(draft: Draft) -> None:
    draft.simulator.entry["maker"] = OPERATOR


@breaks(3, "makerMismatch", 19)
def site_of_another_organization(draft: Draft) -> None:
    link = draft.simulator.make_disclosures().maker_link
    assert link is not None
    draft.simulator.disclosed["maker_link"] = replace(link, parent=OPERATOR)
    word(storage.LINK_COUNTS.at(SITE, OPERATOR), 1)(draft)
    word(storage.LINKS.at(SITE, OPERATOR, 1), sim.interval_word(1_000))(draft)


@breaks(3, "dependenciesMismatch", 19)
def entry_with_other_recall_keys(draft: Draft) -> None:
    draft.simulator.entry["dependencies"] = other("dependencies")


@breaks(3, "labelClaimedEarlier", 19)
def label_of_an_earlier_entry(draft: Draft) -> None:
    stand_beside(draft.simulator, other_entry(EARLIER))


@breaks(3, "labelLicensedElsewhere", 19)
def label_that_a_later_entrys_license_names(draft: Draft) -> None:
    relicense(draft, SITE=to_hex(SITE))
    named = licensed_apart(LATER, LABEL_NAMESPACE=f"https://{HOST}/id/")
    stand_beside(draft.simulator, named)


@breaks(3, "envelopeLoggedEarlier", 19)
def statement_that_was_logged_before(draft: Draft) -> None:
    stand_beside(draft.simulator, other_entry(EARLIER, counter=25))


@breaks(3, "labelSourceSilent", 3)
def node_that_does_not_say_who_else_claims_the_label(draft: Draft) -> None:
    silent = Unsearched(reason="The node does not answer.", lack=Lack.SOURCE)
    draft.question = Question(unsearched=(silent,))


@breaks(3, "labelEntriesBeyond", 23)
def more_entries_of_the_label_than_are_looked_at(draft: Draft) -> None:
    beyond = Unsearched(reason="The node names 65 other entries.", lack=Lack.EVIDENCE)
    draft.question = Question(unsearched=(beyond,))


@breaks(3, "labelOfOtherOperator", 19)
def label_of_another_operator(draft: Draft) -> None:
    token = operator_token(sim.identity("other operator"))
    draft.simulator.statement["label"] = f"https://{HOST}/id/{token}/5-00025"


@breaks(3, "labelNotCanonical", 19)
def label_behind_a_path(draft: Draft) -> None:
    path = f"https://{HOST}/parts/id/"
    draft.simulator.statement["label"] = LABEL.replace(f"https://{HOST}/id/", path)
    relicense(draft, LABEL_NAMESPACE=path)
