"""What approvals of a recipe are worth, by the list of who judges.

An approval counts while all of it holds: the account still speaks for the approver, and the
accreditation has held since the approval. So nothing that was signed later with an earlier time by
somebody whose accreditation or account is gone can count.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.eip712 import TypedDataDomain, recipes_domain
from guildmark.domain.chain.facts import DesignFact, IdentityFact, RecipeFact
from guildmark.domain.chain.refusals import DesignUnknownError, RecipeUnknownError
from guildmark.domain.errors import UncheckableError, UntrustedError
from guildmark.domain.identifiers import Address, RecipeId, to_hex
from guildmark.domain.identity.accreditation import Requirement, accredited_over
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.recipes.approval import (
    APPROVAL,
    Approval,
    KeptApprovals,
    SignedApproval,
    approval_clause,
    asked_standard,
)
from guildmark.domain.recipes.clause import Clause
from guildmark.domain.recipes.clauses import DisclosedClauses, Disclosure, disclose_all
from guildmark.domain.recipes.differing import Ruled, ruled
from guildmark.domain.recipes.recipe import NO_RECIPE, Change, Recipe, RecipeDocument
from guildmark.domain.signatures import MalformedSignatureError
from guildmark.domain.trust import Trust
from guildmark.domain.verification.rights import Window
from guildmark.ports.store import DocumentKind, View
from guildmark.services.identity.accreditations import accreditations_above
from guildmark.services.identity.naming import name_of
from guildmark.services.identity.notices import is_act_doubted
from guildmark.services.recipes.disclosing import shown_clauses


class OverrideUnsignedError(UntrustedError):
    """Less is stated than the rules say, and designer and quality role did not both agree."""

    code = "recipe.overrideUnsigned"
    hint = (
        "State what the rules say, or have designer and an accredited organization sign. Its "
        "accreditation counts where this home keeps it (`guildmark receive accreditation ID FILE`) "
        "and lists its issuer (`guildmark trust add --issuer ID --name NAME`)."
    )


class ApprovalMissingError(UntrustedError):
    """The recipe asks for an approval, and none counts here."""

    code = "recipe.approvalMissing"
    hint = "Have an accredited organization approve it; then `guildmark disclose approvals RECIPE`."


class ApprovalUnreadError(UncheckableError):
    """Whether the recipe asks for an approval cannot be told."""

    code = "recipe.approvalUnread"
    hint = "Disclose the recipe's clauses below /qa/ to this node; update it if it has them."


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """An approval and what it is worth.

    Args:
        name: Who approved, in words.
        lack: Why it does not count, empty where it does.
    """

    approval: Approval
    name: str
    lack: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """A recipe that states a smaller change than its clauses make by the rules.

    Args:
        ruled: What the rules say.
        lack: Which of the two signatures lacks, and why; empty where both count.
    """

    stated: Change
    ruled: Change
    lack: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """Judges approvals.

    Args:
        trust: Whose accreditations and notices count, and on which chain.
    """

    trust: Trust

    def judged(self, recipe: RecipeId, view: View) -> Sequence[Judged]:
        """Return the approvals of a published recipe that this home keeps.

        Raises:
            RecipeUnknownError: No final block holds the recipe.
        """
        stated = published(recipe, view)
        return [self.judge(one, stated, view) for one in _kept(recipe, view)]

    def override(self, recipe: RecipeId, view: View) -> Override | None:
        """Return what two signatures allowed, or did not, None where this home sees no override.

        Raises:
            RecipeUnknownError: No final block holds the recipe.
        """
        return self.judge_override(published(recipe, view), None, _kept(recipe, view), view)

    def judge_override(
        self,
        recipe: Recipe,
        clauses: Sequence[Clause] | None,
        approvals: Sequence[SignedApproval],
        view: View,
    ) -> Override | None:
        """Return what approvals make of a recipe, None where nobody needs to agree.

        Args:
            recipe: The recipe.
            clauses: Its clauses, None where this home is to know them.
            approvals: What was signed about it.
            view: What this home knows.
        """
        found = ruled_change(recipe, clauses, view)
        if found is None or found.least <= recipe.change:
            return None
        least = found.least
        judged = [self.judge(one, recipe, view) for one in approvals]
        counting = [one.approval for one in judged if not one.lack and one.approval.ruled >= least]
        lacking = [
            words
            for is_designers, words in ((True, "the designer"), (False, "an accredited approver"))
            if not any(one.is_designers is is_designers for one in counting)
        ]
        stated = f"The change is stated as {recipe.change.name.lower()}, by the rules it is"
        why = "".join(f" {one.name}: {one.lack}" for one in judged if one.lack)
        lack = f"{stated} {least.name.lower()}; {' and '.join(lacking)} did not agree.{why}"
        return Override(stated=recipe.change, ruled=least, lack=lack if lacking else "")

    def judge(self, signed: SignedApproval, recipe: Recipe, view: View) -> Judged:
        """Return what one approval of a recipe is worth."""
        said = signed.approval
        name = name_of(said.approver, view.documents) or to_hex(said.approver)
        if said.recipe != recipe.id():
            lack = "It is about another recipe."
        else:
            lack = next(self._lacks(signed, recipe, view), "")
        return Judged(approval=said, name="The designer" if said.is_designers else name, lack=lack)

    def _lacks(self, signed: SignedApproval, recipe: Recipe, view: View) -> Iterator[str]:
        said, signer = signed.approval, self._signer(signed)
        if signer is None:
            yield "Its signature is none."
        if said.approved_on > now(view):
            yield "It is dated after the newest block."
        owner = _owner(recipe, view)
        if said.is_designers:
            if signer != owner:
                yield "The account that signed does not own the design."
            return
        yield from self._lacks_of_organization(said, signer, owner, view)

    def _lacks_of_organization(
        self, said: Approval, signer: Address | None, owner: Address, view: View
    ) -> Iterator[str]:
        fact = view.facts.get(IdentityFact, said.approver)
        if fact is None or fact.kind != IdentityKind.ORGANIZATION:
            yield "The approver is no registered organization."
        elif fact.controller != signer:
            yield "The account that signed does not speak for the approver."
        elif signer == owner:
            yield "The designer cannot be the second who approves."
        elif is_act_doubted(said.approver, said.approved_on, view.facts, self.trust):
            yield "A notice puts in doubt who signed for the approver."
        else:
            answer = accredited_over(
                [said.approver],
                Requirement(standard=said.standard),
                Window(begin=said.approved_on, end=now(view)),
                shown=accreditations_above(said.approver, view, self.trust),
                roots=self.trust.issuer_times,
            )
            if not answer.is_held:
                yield answer.reason

    def _signer(self, signed: SignedApproval) -> Address | None:
        try:
            return signed.signer(self.domain())
        except MalformedSignatureError:
            return None

    def domain(self) -> TypedDataDomain:
        """Return where signatures under approvals count."""
        pin = self.trust.chain
        registry = pin.contracts[ContractName.RECIPES].address
        return recipes_domain(chain_id=pin.chain_id, contract=registry)


def check_approved(
    recipe: RecipeId, clauses: DisclosedClauses, view: View, trust: Trust | None
) -> None:
    """Check that a recipe has the approval that it asks for, and the two that an override needs.

    Args:
        recipe: The recipe.
        clauses: What is shown of its clauses.
        view: What this home knows.
        trust: By whose list approvals count; without one none does.

    Raises:
        ApprovalUnreadError: The clause that asks is hidden, or of a form that is not known.
        ApprovalMissingError: It asks for an approval, and none counts.
        OverrideUnsignedError: It states less than the rules say, and not both agreed.
        RecipeUnknownError: No final block holds it.
    """
    standard = approval_asked(clauses)
    judge = None if trust is None else Approvals(trust=trust)
    found = None if judge is None else judge.override(recipe, view)
    if found is not None and found.lack:
        raise OverrideUnsignedError(found.lack, ruled=found.ruled.name.lower())
    if not standard:
        return
    judged = [] if judge is None else judge.judged(recipe, view)
    named = [one for one in judged if one.approval.standard == standard]
    if all(one.lack for one in named):
        why = "".join(f" {one.name}: {one.lack}" for one in named)
        message = f"The recipe asks to be approved under {standard}; no approval counts here.{why}"
        raise ApprovalMissingError(message, recipe=to_hex(recipe), standard=standard)


def approval_asked(clauses: DisclosedClauses) -> str:
    """Return under what standard a recipe asks to be approved, nothing where it asks for nothing.

    Raises:
        ApprovalUnreadError: The clause is hidden, or of a form that is not known.
    """
    if clauses.may_hide(APPROVAL):
        message = "The recipe may ask for an approval in a clause that is not shown."
        raise ApprovalUnreadError(message)
    clause = approval_clause(clauses.opened.values())
    standard = "" if clause is None else asked_standard(clause)
    if standard is None:
        message = "A clause asks for an approval in an unknown form."
        raise ApprovalUnreadError(message, path=APPROVAL)
    return standard


def ruled_change(recipe: Recipe, clauses: Sequence[Clause] | None, view: View) -> Ruled | None:
    """Return what the rules make of a recipe's change, None where this home cannot compare.

    What this home knows of both recipes decides; of what it does not know, the rest may be more.

    Args:
        recipe: The recipe.
        clauses: Its clauses, None where this home is to know them.
        view: What this home knows.
    """
    if recipe.supersedes == NO_RECIPE:
        return None
    after = _known(recipe.id(), view) if clauses is None else _checked(disclose_all(clauses))
    before = _known(recipe.supersedes, view)
    if before is None or after is None:
        return None
    return ruled(before, after)


def _known(recipe: RecipeId, view: View) -> DisclosedClauses | None:
    """Return what this home knows of a recipe's clauses, None where it knows nothing."""
    body = view.documents.get(DocumentKind.RECIPE_DOCUMENT, recipe)
    if body is not None:
        return _checked(disclose_all(RecipeDocument.parse(body).clauses))
    shown = shown_clauses(view.documents, DocumentKind.RECIPE, recipe)
    return None if shown is None else _checked(shown)


def _checked(shown: Disclosure) -> DisclosedClauses:
    """Return clauses that were compared with their root when this home took them."""
    return DisclosedClauses(leaves=shown.leaves, opened=shown.opened)


def _kept(recipe: RecipeId, view: View) -> Sequence[SignedApproval]:
    return KeptApprovals.parse(view.documents.get(DocumentKind.APPROVALS, recipe)).approvals


def published(recipe: RecipeId, view: View) -> Recipe:
    """Return a published recipe.

    Raises:
        RecipeUnknownError: No final block holds it.
    """
    fact = view.facts.get(RecipeFact, recipe)
    if fact is None:
        message = f"No final block holds the recipe {to_hex(recipe)}."
        raise RecipeUnknownError(message, recipe=to_hex(recipe))
    return fact.recipe


def _owner(recipe: Recipe, view: View) -> Address:
    fact = view.facts.get(DesignFact, recipe.design)
    if fact is None:
        message = f"No final block holds the design {to_hex(recipe.design)}."
        raise DesignUnknownError(message, design=to_hex(recipe.design))
    return fact.owner


def now(view: View) -> int:
    """Return the time of the newest block that this home knows."""
    block = view.facts.cursor()
    return 0 if block is None else block.time
