"""Cases for check (5): design revision."""

from fakes import simulator as sim
from fakes.cases.draft import Draft, breaks, hide_members, other, relicense, under, word
from fakes.simulator import (
    BEGUN,
    DESIGN,
    LOGGED,
)
from guildmark.domain.builds.predicate import Resource
from guildmark.domain.chain import storage
from guildmark.domain.identifiers import (
    DesignId,
    to_hex,
)
from guildmark.domain.rights.terms import revision_member

REVISION = storage.REVISIONS.at(DESIGN, 1)
OTHER_DESIGN = DesignId(other("design"))


@breaks(5, "revisionMissing", 23)
def revision_not_shown(draft: Draft) -> None:
    draft.simulator.disclosed["revision"] = None


@breaks(5, "revisionUnknown", 18)
def revision_that_nobody_published(draft: Draft) -> None:
    word(REVISION, 0)(draft)


@breaks(5, "revisionMismatch", 18)
def revision_with_other_files(draft: Draft) -> None:
    word(REVISION, sim.as_int(other("revision")))(draft)


@breaks(5, "revisionLater", 18)
def revision_published_after_the_record(draft: Draft) -> None:
    draft.simulator.revision["at"] = LOGGED + 1


@breaks(5, "revisionMeanwhile", 23)
def revision_published_after_the_beacon(draft: Draft) -> None:
    draft.simulator.revision["at"] = BEGUN + 1


@breaks(5, "designMismatch", 18)
def statement_of_another_revision(draft: Draft) -> None:
    draft.simulator.external["revision"] = 2


@breaks(5, "designMismatch", 18)
def statement_of_another_design(draft: Draft) -> None:
    draft.simulator.external["design"] = OTHER_DESIGN


@breaks(5, "recipeDesignMismatch", 18)
def recipe_of_another_revision(draft: Draft) -> None:
    draft.simulator.recipe["revision"] = 2
    relicense(draft, RECIPE=to_hex(draft.simulator.make_recipe().id()))


@breaks(5, "licenseDesignMismatch", 18)
def license_of_another_design(draft: Draft) -> None:
    draft.simulator.terms["design"] = OTHER_DESIGN


@breaks(5, "revisionNotLicensed", 18)
def license_for_another_revision(draft: Draft) -> None:
    relicense(draft, REVISION=f"{to_hex(DESIGN)}:2")


@breaks(5, "revisionsWithheld", 23)
def revisions_of_the_license_withheld(draft: Draft) -> None:
    hide_members(draft, "revision")


@breaks(5, "ciphertextMismatch", 18)
def built_from_other_files(draft: Draft) -> None:
    resolved = (Resource(name="design", digest=other("ciphertext")),)
    draft.simulator.statement["resolved"] = resolved


@breaks(5, "licenseMissing", 23)
def license_not_shown(draft: Draft) -> None:
    draft.simulator.disclosed["licenses"] = ()


@breaks(5, "revisionNotLicensed", 18)
def license_above_for_another_revision(draft: Draft) -> None:
    under(draft, REVISION=revision_member(DESIGN, 2))


@breaks(5, "licenseDesignMismatch", 18)
def license_above_for_another_design(draft: Draft) -> None:
    under(draft).terms["design"] = DesignId(other("design"))
