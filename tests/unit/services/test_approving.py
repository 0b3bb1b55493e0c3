"""Approvals of recipes: which count, which do not and why, and what two of them allow."""

from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fakes import world as small
from fakes.world import (
    DESIGNER,
    ISSUER,
    MAKER,
    OPERATOR,
    RECIPE,
    SITE,
    Tools,
    World,
    clause,
    log_unasked,
    make_world,
)
from guildmark.api.pages.qualified import QualifiedPage, qualified_page
from guildmark.api.pages.rendering import render
from guildmark.api.serving import ServedNode
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.refusals import DesignUnknownError, RecipeUnknownError
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import DesignId, IdentityId, Index, RecipeId
from guildmark.domain.identity.accreditation import ScopeDocument
from guildmark.domain.recipes import approval as ap
from guildmark.domain.recipes.approval import APPROVAL, KeptApprovals, Proposal, SignedApproval
from guildmark.domain.recipes.clause import ClauseClass
from guildmark.domain.recipes.clauses import Disclosure, disclose, disclose_all
from guildmark.domain.recipes.differing import Ruled
from guildmark.domain.recipes.recipe import Change, Recipe, RecipeDocument, Status
from guildmark.domain.rights.design import Revision
from guildmark.domain.trust import VERSION, Listed, Trust
from guildmark.domain.verification.evidence import Disclosures
from guildmark.ports.keys import KeyName
from guildmark.ports.store import DocumentKind
from guildmark.services.identity.notices import Suspicion
from guildmark.services.recipes.approvals import (
    ApprovalMissingError,
    Approvals,
    ApprovalUnreadError,
    Override,
    OverrideUnsignedError,
    check_approved,
    ruled_change,
)
from guildmark.services.recipes.approving import ApprovalRefusedError, Approving
from guildmark.services.recipes.disclosing import clauses_body

STANDARD = "ISO 9001"
SCOPE = ScopeDocument(standard=STANDARD)
BETTER = RecipeDocument(
    name="Bracket",
    clauses=tuple(
        clause("/process/nozzle", ClauseClass.CORE, value="0.6", unit="mm")
        if one.path == "/process/nozzle"
        else one
        for one in RECIPE.clauses
    ),
)


PLAIN = RECIPE
SEEN = Ruled(least=Change.REQUALIFY, is_known=True)
UNSEEN = Ruled(least=Change.EDITORIAL, is_known=False)


class Office:
    """A world in which the operator is accredited to approve, and the designer overrides."""

    def __init__(self) -> None:
        self.world: World = make_world()
        tools = self.world.tools
        given = tools.accreditations(ISSUER).give(self.world.issuer, self.world.operator, SCOPE)
        self.follow()
        self.given = given
        self.recipe = Recipe(
            root=BETTER.root(),
            design=self.world.revision.design,
            revision=1,
            supersedes=self.world.recipe.id(),
            change=Change.MINOR,
        )

    @property
    def trust(self) -> Trust:
        issuers = (Listed(id=self.world.issuer),)
        return Trust(version=VERSION, chain=self.world.tools.chain.pin(), issuers=issuers)

    @property
    def approving(self) -> Approving:
        tools = self.world.tools
        return Approving(store=tools.store, keys=tools.keys, trust=self.trust)

    @property
    def judge(self) -> Approvals:
        return Approvals(trust=self.trust)

    def follow(self) -> None:
        self.world.tools.indexing(self.world.log).follow()

    def proposed(self) -> Proposal:
        key = KeyName(DESIGNER)
        return self.approving.propose(self.recipe, BETTER, key=key, reason="the same bond")

    def agreed(self) -> Proposal:
        return self.approving.approve(
            self.proposed(),
            key=KeyName(OPERATOR),
            reason="tested, report 7",
            approver=self.world.operator,
            standard=STANDARD,
        )

    def published(self, made: Proposal) -> RecipeId:
        recipes = self.world.tools.recipes(DESIGNER)
        published = recipes.publish(made.recipe, made.document, status=Status.TRIAL)
        self.follow()
        return published

    def lack(self, signed: SignedApproval, recipe: Recipe | None = None) -> str:
        with self.world.tools.store.reading() as view:
            return self.judge.judge(signed, recipe or self.recipe, view).lack

    def signed(self, key: str, **members: object) -> SignedApproval:
        """Sign whatever is said, with whatever key, as a forger would."""
        (_, good) = self.agreed().approvals
        said = replace(good.approval, **members)  # type: ignore[arg-type]  # of its members
        digest = self.judge.domain().digest(said.struct_hash())
        signature = self.world.tools.keys.sign_digest(KeyName(key), digest)
        return SignedApproval(approval=said, signature=signature)


@pytest.fixture
def office() -> Office:
    return Office()


def test_two_who_agree_may_state_less_than_the_rules_say(office: Office) -> None:
    made = office.agreed()

    office.approving.check_override(made)
    recipe = office.published(made)
    office.approving.keep_proposed(made)
    office.approving.keep(*made.approvals)

    assert [one.approval.ruled for one in made.approvals] == [Change.REQUALIFY] * 2
    with office.world.tools.store.reading() as view:
        judged = office.judge.judged(recipe, view)
        found = office.judge.override(recipe, view)
    assert [(one.name, one.lack) for one in judged] == [("The designer", ""), ("O", "")]
    assert found == Override(stated=Change.MINOR, ruled=Change.REQUALIFY, lack="")


def test_the_designer_alone_may_not(office: Office) -> None:
    with pytest.raises(
        OverrideUnsignedError,
        match="stated as minor, by the rules it is requalify; an accredited approver did not",
    ):
        office.approving.check_override(office.proposed())


def test_an_accredited_organization_alone_may_not(office: Office) -> None:
    made = office.agreed()

    with pytest.raises(OverrideUnsignedError, match="; the designer did not agree"):
        office.approving.check_override(replace(made, approvals=made.approvals[1:]))


def test_who_agreed_to_less_did_not_agree(office: Office) -> None:
    made = office.agreed()
    less = office.signed(OPERATOR, ruled=Change.MINOR)

    with pytest.raises(OverrideUnsignedError, match="an accredited approver did not agree"):
        office.approving.check_override(replace(made, approvals=(made.approvals[0], less)))


def test_what_the_rules_say_needs_nobody(office: Office) -> None:
    recipe = replace(office.recipe, change=Change.REQUALIFY)
    made = Proposal(recipe=recipe, name=BETTER.name, clauses=BETTER.clauses)

    office.approving.check_override(made)


@pytest.mark.parametrize(
    ("key", "members", "why"),
    [
        (MAKER, {}, "does not speak for the approver"),
        (OPERATOR, {"recipe": RecipeId(sha256(b"other"))}, "about another recipe"),
        (OPERATOR, {"standard": "ISO 13485"}, "does not cover ISO 13485"),
        (OPERATOR, {"approved_on": 2**39}, "dated after the newest block"),
        (OPERATOR, {"approver": IdentityId(sha256(b"nobody"))}, "no registered organization"),
        (OPERATOR, {"approver": ap.DESIGNER, "standard": ""}, "does not own the design"),
        (OPERATOR, {"approved_on": 1}, "began at"),
    ],
)
def test_a_false_approval_does_not_count(
    office: Office, key: str, members: dict[str, object], why: str
) -> None:
    assert why in office.lack(office.signed(key, **members))


def test_a_true_approval_counts_for_its_own_recipe_alone(office: Office) -> None:
    _, good = office.agreed().approvals

    assert office.lack(good) == ""
    assert "another recipe" in office.lack(good, replace(office.recipe, change=Change.EDITORIAL))
    assert "none" in office.lack(replace(good, signature=b"\0" * 65))


def test_a_changed_word_makes_it_somebody_elses(office: Office) -> None:
    _, good = office.agreed().approvals

    changed = replace(good, approval=replace(good.approval, reason="tested, report 8"))

    assert "does not speak for the approver" in office.lack(changed)


def test_neither_site_nor_designer_is_a_second(office: Office) -> None:
    world = office.world

    site = office.signed(SITE, approver=world.site)
    designer = office.signed(DESIGNER, approver=world.designer)

    assert "no registered organization" in office.lack(site)
    assert "cannot be the second" in office.lack(designer)


def test_who_is_not_accredited_does_not_count(office: Office) -> None:
    maker = office.signed(MAKER, approver=office.world.maker)
    nobody = Trust(version=VERSION, chain=office.world.tools.chain.pin())
    _, good = office.agreed().approvals

    assert office.lack(maker) == "No accreditation for ISO 9001 is shown."
    with office.world.tools.store.reading() as view:
        unlisted = Approvals(trust=nobody).judge(good, office.recipe, view).lack
    assert "not on the reader's list" in unlisted


def test_an_approval_ends_with_the_accreditation_whenever_it_says_it_was_signed(
    office: Office,
) -> None:
    _, good = office.agreed().approvals
    office.world.tools.accreditations(ISSUER).revoke(office.given)
    office.follow()

    assert "was revoked" in office.lack(good)


def test_a_doubted_account_approves_nothing(office: Office) -> None:
    _, good = office.agreed().approvals
    notices = office.world.tools.notices(OPERATOR)
    notices.of_controller(office.world.operator, Suspicion(since=1))
    office.follow()

    assert "A notice puts in doubt" in office.lack(good)


def test_a_false_approval_is_neither_made_nor_kept(office: Office) -> None:
    office.published(office.agreed())

    with pytest.raises(ApprovalRefusedError, match="does not speak for"):
        office.approving.approve(
            office.proposed(),
            key=KeyName(MAKER),
            reason="x",
            approver=office.world.operator,
            standard=STANDARD,
        )
    with pytest.raises(ApprovalRefusedError, match="does not own the design"):
        office.approving.propose(office.recipe, BETTER, key=KeyName(MAKER), reason="x")
    with pytest.raises(ApprovalRefusedError):
        office.approving.keep(office.signed(MAKER))
    with pytest.raises(RecipeUnknownError):
        office.approving.keep(office.signed(OPERATOR, recipe=RecipeId(sha256(b"other"))))


def test_a_published_recipe_is_approved_and_of_each_approver_the_newest_is_kept(
    office: Office,
) -> None:
    recipe = office.world.recipe.id()

    def approve(reason: str) -> SignedApproval:
        return office.approving.approve_published(
            recipe,
            key=KeyName(OPERATOR),
            reason=reason,
            approver=office.world.operator,
            standard=STANDARD,
        )

    made = [approve(f"report {number}") for number in range(3)]
    office.world.tools.logs(OPERATOR).tick()
    office.follow()
    newest = approve("report 4")
    office.approving.keep(*made)

    with office.world.tools.store.reading() as view:
        kept = [one.approval for one in office.judge.judged(recipe, view)]
        assert office.judge.override(recipe, view) is None
    assert kept == [newest.approval]
    assert newest.approval.approved_on > made[-1].approval.approved_on
    assert {one.ruled for one in kept} == {Change.NONE}


def test_who_cannot_compare_agrees_to_what_was_signed_before(office: Office) -> None:
    recipe = replace(office.recipe, supersedes=RecipeId(sha256(b"elsewhere")))
    key = KeyName(DESIGNER)
    made = office.approving.propose(recipe, BETTER, key=key, reason="x")
    said = replace(made.approvals[0].approval, ruled=Change.REQUALIFY)
    digest = office.judge.domain().digest(said.struct_hash())
    signature = office.world.tools.keys.sign_digest(key, digest)
    first = SignedApproval(approval=said, signature=signature)

    second = office.approving.approve(
        replace(made, approvals=(first,)),
        key=KeyName(OPERATOR),
        reason="x",
        approver=office.world.operator,
        standard=STANDARD,
    )

    assert made.approvals[0].approval.ruled is Change.NONE
    assert [one.approval.ruled for one in second.approvals] == [Change.REQUALIFY] * 2


@pytest.mark.parametrize(
    ("shown", "ruled"),
    [
        (None, None),
        (disclose(RECIPE.clauses, ["/material/polymer"]), UNSEEN),
        (disclose(RECIPE.clauses, ["/process/nozzle"]), SEEN),
        (disclose_all(RECIPE.clauses), SEEN),
    ],
)
def test_the_rules_are_asked_as_far_as_both_recipes_are_known(
    office: Office, shown: Disclosure | None, ruled: Ruled | None
) -> None:
    before, store = RecipeId(sha256(b"disclosed")), office.world.tools.store
    recipe = replace(office.recipe, supersedes=before)
    with store.writing() as work:
        if shown is not None:
            work.documents.put(DocumentKind.RECIPE, before, clauses_body(shown))

    with store.reading() as view:
        assert ruled_change(recipe, BETTER.clauses, view) == ruled
        assert ruled_change(recipe, None, view) is None
        assert ruled_change(office.world.recipe, None, view) is None


def test_a_recipe_of_an_unknown_design_is_not_proposed(office: Office) -> None:
    recipe = replace(office.recipe, design=DesignId(sha256(b"none")))

    with pytest.raises(DesignUnknownError):
        office.approving.propose(recipe, BETTER, key=KeyName(DESIGNER), reason="x")


def test_the_page_says_who_approves_and_that_rules_were_overridden(office: Office) -> None:
    made = office.agreed()
    recipe = office.published(made)

    assert "did not agree" in page(office, recipe).warning
    office.approving.keep(*made.approvals)
    agreed = page(office, recipe)
    office.world.tools.accreditations(ISSUER).revoke(office.given)
    office.follow()
    lapsed = page(office, recipe)

    assert "signed that it is minor" in agreed.warning
    assert [one.standing for one in agreed.approvals] == ["approves", "approves"]
    assert "accredited for ISO 9001: tested, report 7." in agreed.approvals[1].reason
    assert [one.standing for one in lapsed.approvals] == ["approves", "does not count"]
    assert "O: The accreditation for ISO 9001 did not hold" in lapsed.warning or lapsed.warning
    html = render("qualified.html", page=agreed, host="node.example")
    assert "tested, report 7." in html


def page(office: Office, recipe: RecipeId) -> QualifiedPage:
    judging = SimpleNamespace(clock=SimpleNamespace(now=lambda: 100), trust=office.trust)
    node = SimpleNamespace(store=office.world.tools.store, judging=judging)
    return qualified_page(recipe, cast("ServedNode", node))


def received(world: World, trust: Trust | None) -> str:
    """Return what the door makes of a part, under a beacon that is younger than all rights."""
    beacon = world.tools.logs(OPERATOR).tick()
    world.tools.indexing(world.log).follow()
    ingest = replace(world.tools.ingest(world.log), trust=trust)
    (answer,) = ingest.receive([replace(world, beacon=beacon).envelope()])
    return "accepted" if answer.error is None else answer.error.code


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Office:
    """Return an office whose recipe asks to be approved."""
    leaf = clause(str(APPROVAL), ClauseClass.CORE, value=STANDARD)
    leaves = sorted((*small.RECIPE.clauses, leaf), key=lambda one: one.path)
    monkeypatch.setattr(small, "RECIPE", RecipeDocument(name="Bracket", clauses=tuple(leaves)))
    office = Office()
    office.world.disclose()
    return office


def approved(office: Office, standard: str = STANDARD) -> SignedApproval:
    recipe = office.world.recipe.id()
    return office.signed(OPERATOR, recipe=recipe, ruled=Change.NONE, standard=standard)


def body_of(*approvals: SignedApproval) -> bytes:
    return KeptApprovals(approvals=approvals).encode()


def test_the_door_asks_for_the_approval_that_the_recipe_asks_for(asked: Office) -> None:
    world, recipe = asked.world, asked.world.recipe.id()

    before = received(world, asked.trust)
    asked.approving.receive(recipe, body_of(approved(asked)))
    unlisted = replace(asked.trust, issuers=())
    nowhere, elsewhere = received(world, None), received(world, unlisted)
    after = received(world, asked.trust)
    world.tools.accreditations(ISSUER).revoke(asked.given)
    lapsed = received(world, asked.trust)

    missing = ApprovalMissingError.code
    assert (before, nowhere, elsewhere) == (missing, missing, missing)
    assert after == "accepted"
    assert lapsed == missing


def test_an_approval_under_another_standard_is_not_the_one(asked: Office) -> None:
    world, other = asked.world, "ISO 13485"
    scope = ScopeDocument(standard=other)
    world.tools.accreditations(ISSUER).give(world.issuer, world.operator, scope)
    asked.follow()
    asked.approving.receive(world.recipe.id(), body_of(approved(asked, other)))

    assert received(world, asked.trust) == ApprovalMissingError.code


def test_the_door_refuses_a_recipe_that_may_hide_what_it_asks_for(asked: Office) -> None:
    world, recipe, store = asked.world, asked.world.recipe.id(), asked.world.tools.store
    hidden = disclose(small.RECIPE.clauses, ["/process/nozzle"]).verify(world.recipe.root)
    below = clause("/qa/approval/second", ClauseClass.CORE, value=STANDARD)
    strange = disclose_all([below]).verify(RecipeDocument(name="x", clauses=(below,)).root())

    with store.reading() as view:
        for clauses in (hidden, strange):
            with pytest.raises(ApprovalUnreadError):
                check_approved(recipe, clauses, view, asked.trust)


def test_the_door_sees_an_override_that_two_did_not_sign(office: Office) -> None:
    made, store = office.agreed(), office.world.tools.store
    recipe = office.published(made)
    clauses = disclose_all(BETTER.clauses).verify(office.recipe.root)

    with store.reading() as view:
        check_approved(office.world.recipe.id(), clauses, view, office.trust)
        check_approved(recipe, clauses, view, None)
        with pytest.raises(OverrideUnsignedError, match="by the rules it is requalify"):
            check_approved(recipe, clauses, view, office.trust)
    office.approving.receive(recipe, body_of(*made.approvals))
    with store.reading() as view:
        check_approved(recipe, clauses, view, office.trust)


def test_what_is_shown_is_kept_whole_or_not_at_all(asked: Office) -> None:
    recipe, good = asked.world.recipe.id(), approved(asked)
    false = asked.signed(MAKER, recipe=recipe, standard="ISO 9002")
    elsewhere = asked.signed(OPERATOR, recipe=RecipeId(sha256(b"other")))

    for shown in ((good, false), (good, elsewhere)):
        with pytest.raises(ApprovalRefusedError):
            asked.approving.receive(recipe, body_of(*shown))
    with pytest.raises(RecipeUnknownError):
        asked.approving.receive(RecipeId(sha256(b"other")), body_of())

    with asked.world.tools.store.reading() as view:
        assert asked.judge.judged(recipe, view) == []


def test_a_bundle_shows_who_approved_where_the_recipe_asks(asked: Office) -> None:
    world, good = asked.world, approved(asked)
    asked.approving.receive(world.recipe.id(), body_of(good))
    assert received(world, asked.trust) == "accepted"
    line = world.tools.line(world.log)
    line.step()
    line.step()

    shown = world.tools.exporter.evidence(world.log, Index(0)).disclosed

    assert shown.approvals == (good,)
    assert asked.given in {one.id() for one in shown.accreditations}
    assert world.operator in {one.identity for one in shown.profiles}


@pytest.fixture
def minor(monkeypatch: pytest.MonkeyPatch) -> Office:
    """Return an office whose parts are built by a recipe that says less than its clauses."""
    before, recipes = small.RECIPE, small._recipes

    def published(tools: Tools, revision: Revision, site: IdentityId) -> tuple[Any, ...]:
        former = Recipe(root=before.root(), design=revision.design, revision=revision.number)
        tools.recipes(DESIGNER).publish(former, before, status=Status.QUALIFIED)
        monkeypatch.setattr(small, "RECIPE", BETTER)
        later = partial(Recipe, supersedes=RecipeId(former.id()), change=Change.MINOR)
        monkeypatch.setattr(small, "Recipe", later)
        return recipes(tools, revision, site)

    monkeypatch.setattr(small, "_recipes", published)
    return Office()


def shown_by(office: Office) -> Disclosures:
    world = office.world
    log_unasked(world, world.envelope())
    return world.tools.exporter.evidence(world.log, Index(0)).disclosed


def test_a_bundle_shows_what_proves_that_two_agreed_to_less(minor: Office) -> None:
    world, store = minor.world, minor.world.tools.store
    world.disclose(DocumentKind.TERMS, DocumentKind.SITE_RECIPE)
    recipe, former = world.recipe.id(), world.recipe.supersedes
    disclosing = world.tools.disclosing
    disclosing.receive(DocumentKind.RECIPE, recipe, clauses_body(disclose_all(BETTER.clauses)))
    key = KeyName(DESIGNER)
    ours = minor.approving.propose(world.recipe, BETTER, key=key, reason="x").approvals
    theirs = minor.signed(OPERATOR, recipe=recipe, ruled=Change.REQUALIFY)
    minor.approving.receive(recipe, body_of(*ours, theirs))

    shown = shown_by(minor)
    disclosing.receive(DocumentKind.RECIPE, former, clauses_body(disclose_all(PLAIN.clauses)))
    later = world.tools.exporter.evidence(world.log, Index(0)).disclosed

    assert shown.former_recipe is None
    assert shown.approvals == (*ours, theirs)
    assert minor.given in {one.id() for one in shown.accreditations}
    assert ap.DESIGNER not in {one.identity for one in shown.profiles}
    found = later.former_recipe
    assert found is not None
    assert found.recipe.id() == former
    assert [one.path for one in found.clauses.opened.values()] == ["/process/nozzle"]
    with store.reading() as view:
        assert ruled_change(world.recipe, None, view) == SEEN


def test_a_designer_who_signed_later_is_shown_as_an_owner(minor: Office) -> None:
    world, recipe = minor.world, minor.world.recipe.id()
    world.disclose(DocumentKind.TERMS, DocumentKind.SITE_RECIPE)
    body = clauses_body(disclose_all(BETTER.clauses))
    world.tools.disclosing.receive(DocumentKind.RECIPE, recipe, body)
    sold = {
        "from": world.tools.keys.address(KeyName(DESIGNER)),
        "to": world.tools.keys.address(KeyName(MAKER)),
    }
    world.tools.chain.mine()
    token = int.from_bytes(world.revision.design, "big")
    world.tools.chain.emit(ContractName.DESIGNS, "Transfer", **sold, tokenId=token)
    minor.follow()
    made = minor.approving.propose(world.recipe, BETTER, key=KeyName(MAKER), reason="x")
    minor.approving.receive(recipe, body_of(*made.approvals))

    shown = shown_by(minor)

    assert shown.approvals == made.approvals
    assert [one.epoch for one in shown.owners] == [1]


def test_a_bundle_shows_no_approval_that_nobody_asked_for(office: Office) -> None:
    world, good = office.world, approved(office)
    world.disclose()
    office.approving.receive(world.recipe.id(), body_of(good))
    assert received(world, office.trust) == "accepted"
    line = world.tools.line(world.log)
    line.step()
    line.step()

    assert world.tools.exporter.evidence(world.log, Index(0)).disclosed.approvals == ()
