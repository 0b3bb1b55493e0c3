"""Approvals of a recipe: what a designer or an accredited organization signs about it (EIP-712)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from guildmark.domain.chain.eip712 import TypedDataDomain
from guildmark.domain.encoding import abi, codec
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.document import Document
from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.encoding.strictjson import Limits, parse_object
from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import (
    UINT40_MAX,
    ZERO32,
    Address,
    Digest,
    IdentityId,
    RecipeId,
)
from guildmark.domain.recipes.clause import Clause, ClauseClass, ClausePath, ClauseType
from guildmark.domain.recipes.recipe import Change, Recipe, RecipeDocument
from guildmark.domain.signatures import recover_address

APPROVAL_TYPE = keccak256(
    b"RecipeApproval(bytes32 recipe,bytes32 approver,uint8 ruled,uint40 approvedOn,"
    b"string standard,string reason)"
)
DESIGNER = IdentityId(ZERO32)
"""Stands for the design's owner, who approves as an account and not as an identity."""
APPROVALS_MAX = 16
APPROVAL = ClausePath("/qa/approval")
"""The clause by which a recipe asks for an approval, a core text: the approver's standard."""

REASON_MAX = 400
"""Characters of a reason, and of a standard."""
_LIMITS = Limits(size=4 << 20, depth=6, values=60_000)


class ApprovalMalformedError(MalformedError):
    """An approval that names no reason or no time, or a text that is too long."""

    code = "recipe.approvalMalformed"
    hint = "Give a reason of at most 400 characters, the accreditation's standard and a time."


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """What is said of a recipe; its id commits to clauses, predecessor and stated change.

    Args:
        recipe: The recipe.
        approved_on: The time of the newest block that the approver knew.
        reason: Why, for people.
        approver: The organization, or `DESIGNER`.
        ruled: What the rules make of its change, where the approver agrees to less.
        standard: What the approver is accredited for, nothing for the designer.
    """

    recipe: RecipeId
    approved_on: int
    reason: str
    approver: IdentityId = DESIGNER
    ruled: Change = Change.NONE
    standard: str = ""

    def __post_init__(self) -> None:
        is_told = self.reason.isprintable() and 0 < len(self.reason) <= REASON_MAX
        if not is_told or len(self.standard) > REASON_MAX:
            message = "The approval has no reason, or a text that is too long."
            raise ApprovalMalformedError(message)
        if bool(self.standard) is self.is_designers:
            message = "An organization approves under a standard, the designer under none."
            raise ApprovalMalformedError(message)
        if not 0 <= self.approved_on <= UINT40_MAX:
            message = "The time of the approval is that of no block."
            raise ApprovalMalformedError(message)

    @property
    def is_designers(self) -> bool:
        """Return whether the design's owner is to have signed."""
        return self.approver == DESIGNER

    def struct_hash(self) -> Digest:
        """Return the struct hash of EIP-712."""
        words = (
            APPROVAL_TYPE,
            abi.bytes32(self.recipe),
            abi.bytes32(self.approver),
            abi.uint(self.ruled, 8),
            abi.uint(self.approved_on, 40),
            keccak256(self.standard.encode()),
            keccak256(self.reason.encode()),
        )
        return keccak256(b"".join(words))


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedApproval(Document):
    """An approval and the signature under it, unchecked."""

    LIMITS = _LIMITS

    approval: Approval
    signature: bytes = field(repr=False)

    def signer(self, domain: TypedDataDomain) -> Address:
        """Return the account that signed it for a chain.

        Raises:
            MalformedSignatureError: It is no signature of any account.
        """
        return recover_address(approval_digest(self.approval, domain), self.signature)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptApprovals:
    """The approvals of one recipe that a home keeps."""

    approvals: tuple[SignedApproval, ...] = ()

    def __post_init__(self) -> None:
        if len(self.approvals) > APPROVALS_MAX:
            message = f"More than {APPROVALS_MAX} approvals of one recipe are shown."
            raise ApprovalMalformedError(message, approvals=len(self.approvals))

    def encode(self) -> bytes:
        """Return the document's canonical bytes."""
        return canonical(codec.dump(self))

    @classmethod
    def parse(cls, data: bytes | None) -> Self:
        """Return the approvals that a home keeps, none where it has no document."""
        return cls() if data is None else codec.load(cls, parse_object(data, _LIMITS))

    def joined(self, signed: SignedApproval) -> Self:
        """Return these with one more: of an approver under a standard the newest stays.

        One for each change that he agreed to: who approves again takes back no agreement. Who
        shows an old one again takes nothing away, and nobody crowds out the others.
        """
        kept = {_said(one): one for one in self.approvals}
        said = signed.approval
        before = kept.pop(_said(signed), signed)
        newest = before if before.approval.approved_on > said.approved_on else signed
        return type(self)(approvals=(*kept.values(), newest)[-APPROVALS_MAX:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal(Document):
    """A recipe before it is published, whole, with those who approve of it.

    Args:
        recipe: What will stand on chain; its root is that of the clauses.
        name: What people call it.
        clauses: Its clauses, salts included: who approves has read them.
        approvals: What was signed until now.
    """

    LIMITS = _LIMITS

    recipe: Recipe
    name: str
    clauses: tuple[Clause, ...]
    approvals: tuple[SignedApproval, ...] = ()

    def __post_init__(self) -> None:
        if self.document.root() != self.recipe.root:
            message = "The clauses of the proposal are not those that its recipe commits to."
            raise ApprovalMalformedError(message)

    @property
    def document(self) -> RecipeDocument:
        """Return the recipe in full."""
        return RecipeDocument(name=self.name, clauses=self.clauses)


def _said(signed: SignedApproval) -> tuple[IdentityId, str, Change]:
    return signed.approval.approver, signed.approval.standard, signed.approval.ruled


def approval_digest(approval: Approval, domain: TypedDataDomain) -> Digest:
    """Return what is signed."""
    return domain.digest(approval.struct_hash())


def approval_clause(clauses: Iterable[Clause]) -> Clause | None:
    """Return the clause that asks for an approval, None where none does.

    One below it asks in a form that `asked_standard` does not know, and goes first.
    """
    found = [one for one in clauses if f"{one.path}/".startswith(f"{APPROVAL}/")]
    return max(found, key=lambda one: one.path, default=None)


def asked_standard(clause: Clause) -> str | None:
    """Return what a clause asks its approver to be accredited for, None in an unknown form."""
    is_core_text = clause.type is ClauseType.TEXT and clause.klass is ClauseClass.CORE
    return clause.value if is_core_text and clause.path == APPROVAL and clause.value else None
