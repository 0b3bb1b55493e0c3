"""Approvals of recipes: signed by designers and accredited organizations, checked, and kept."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from guildmark.domain.errors import UntrustedError
from guildmark.domain.identifiers import IdentityId, RecipeId, to_hex
from guildmark.domain.recipes.approval import (
    DESIGNER,
    Approval,
    KeptApprovals,
    Proposal,
    SignedApproval,
    approval_digest,
)
from guildmark.domain.recipes.differing import Ruled
from guildmark.domain.recipes.recipe import Change, Recipe, RecipeDocument
from guildmark.domain.trust import Trust
from guildmark.ports.keys import KeyName, KeyStore
from guildmark.ports.store import DocumentKind, NodeStore, View, Work
from guildmark.services.recipes.approvals import (
    Approvals,
    OverrideUnsignedError,
    now,
    published,
    ruled_change,
)


class ApprovalRefusedError(UntrustedError):
    """An approval that does not count."""

    code = "recipe.approvalRefused"
    hint = (
        "Keep the approver's accreditation (`guildmark receive accreditation ID FILE`) and list "
        "its issuer (`guildmark trust add --issuer ID --name NAME`); or let the approver sign "
        "again, with the account that speaks for it."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Approving:
    """Use cases around approvals.

    Args:
        trust: Whose accreditations and notices count, and on which chain.
    """

    store: NodeStore
    keys: KeyStore
    trust: Trust

    def propose(
        self, recipe: Recipe, document: RecipeDocument, *, key: KeyName, reason: str
    ) -> Proposal:
        """Return a recipe with its designer's approval, ready for who is to approve it, too.

        Raises:
            DesignUnknownError: No final block holds the design.
            ApprovalRefusedError: The key does not own it.
        """
        made = Proposal(recipe=recipe, name=document.name, clauses=document.clauses)
        return self.approve(made, key=key, reason=reason)

    def approve(
        self,
        proposal: Proposal,
        *,
        key: KeyName,
        reason: str,
        approver: IdentityId = DESIGNER,
        standard: str = "",
    ) -> Proposal:
        """Return a proposal with one more approval, which agrees to the change that it states.

        Raises:
            ApprovalRefusedError: It would not count.
        """
        with self.store.reading() as view:
            ruled = ruled_change(proposal.recipe, proposal.clauses, view)
            # Whoever cannot compare all agrees to what was signed before.
            before = [one.approval.ruled for one in proposal.approvals]
            said = Approval(
                recipe=proposal.recipe.id(),
                approved_on=now(view),
                reason=reason,
                approver=approver,
                ruled=_agreed(ruled, before),
                standard=standard,
            )
            signed = self._signed(said, proposal.recipe, key, view)
        return replace(proposal, approvals=(*proposal.approvals, signed))

    def approve_published(
        self, recipe: RecipeId, *, key: KeyName, reason: str, approver: IdentityId, standard: str
    ) -> SignedApproval:
        """Return an approval of a published recipe, and keep it.

        Raises:
            RecipeUnknownError: No final block holds the recipe.
            ApprovalRefusedError: It would not count.
        """
        with self.store.reading() as view:
            stated = published(recipe, view)
            ruled = ruled_change(stated, None, view)
            said = Approval(
                recipe=recipe,
                approved_on=now(view),
                reason=reason,
                approver=approver,
                ruled=_agreed(ruled, ()),
                standard=standard,
            )
            signed = self._signed(said, stated, key, view)
        self.keep(signed)
        return signed

    def keep(self, *approvals: SignedApproval) -> None:
        """Keep approvals of published recipes; those that do not count are refused.

        Raises:
            RecipeUnknownError: No final block holds the recipe.
            ApprovalRefusedError: One does not count.
        """
        with self.store.writing() as work:
            for one in approvals:
                self._keep(one, published(one.approval.recipe, work), work)

    def receive(self, recipe: RecipeId, body: bytes) -> None:
        """Keep the approvals of a published recipe that a document shows, all of them or none.

        Raises:
            JsonError: The bytes are outside the input profile.
            DocumentError: A member is missing, unknown or of another type.
            RecipeUnknownError: No final block holds the recipe.
            ApprovalRefusedError: One does not count, or is about another recipe.
        """
        shown = KeptApprovals.parse(body).approvals
        with self.store.writing() as work:
            stated = published(recipe, work)
            for one in shown:
                self._keep(one, stated, work)

    def keep_proposed(self, proposal: Proposal) -> None:
        """Keep the approvals of a proposal, whose recipe may not be final yet.

        Raises:
            ApprovalRefusedError: One does not count.
        """
        with self.store.writing() as work:
            for one in proposal.approvals:
                self._keep(one, proposal.recipe, work)

    def check_override(self, proposal: Proposal) -> None:
        """Check that both agree, where a proposal states less than the rules say.

        Raises:
            OverrideUnsignedError: One of the two signatures lacks, or does not count.
        """
        with self.store.reading() as view:
            found = self._approvals.judge_override(
                proposal.recipe, proposal.clauses, proposal.approvals, view
            )
        if found is not None and found.lack:
            raise OverrideUnsignedError(found.lack, ruled=found.ruled.name.lower())

    def _signed(self, said: Approval, recipe: Recipe, key: KeyName, view: View) -> SignedApproval:
        digest = approval_digest(said, self._approvals.domain())
        signed = SignedApproval(approval=said, signature=self.keys.sign_digest(key, digest))
        self._check(signed, recipe, view)
        return signed

    def _check(self, signed: SignedApproval, recipe: Recipe, view: View) -> None:
        judged = self._approvals.judge(signed, recipe, view)
        if judged.lack:
            raise ApprovalRefusedError(judged.lack, recipe=to_hex(signed.approval.recipe))

    def _keep(self, signed: SignedApproval, recipe: Recipe, work: Work) -> None:
        self._check(signed, recipe, work)
        key = signed.approval.recipe
        kept = KeptApprovals.parse(work.documents.get(DocumentKind.APPROVALS, key))
        work.documents.put(DocumentKind.APPROVALS, key, kept.joined(signed).encode())

    @property
    def _approvals(self) -> Approvals:
        return Approvals(trust=self.trust)


def _agreed(ruled: Ruled | None, before: Iterable[Change]) -> Change:
    """Return what a change is by the rules, as far as that is known here or was signed before."""
    if ruled is not None and ruled.is_known:
        return ruled.least
    return max((*before, Change.NONE if ruled is None else ruled.least))
