"""What became of one certificate: what a credential's status leads to."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self, cast

from guildmark.domain.encoding import codec
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.fields import MemberInvalidError
from guildmark.domain.encoding.strictjson import JsonObject, Limits, parse_object
from guildmark.domain.equivalence.reporting.report import Certified, CounterResult, EarlierPlan
from guildmark.domain.identifiers import Address, EquivalencePlanId, IdentityId, RecipeId

STATUS_TYPE = "https://guildmark.org/certificate-status/v1"

_LIMITS = Limits(size=1 << 20, depth=4)


class Standing(StrEnum):
    """Whether a certificate holds, in the words of reports."""

    IN_FORCE = "in force"
    CHALLENGED = "challenged"
    """An authority found another result."""
    REPLACED = "replaced"
    """The site was certified again under a later plan of the recipe."""
    ENDED = "ended"
    SUSPENDED = "suspended"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateState:
    """A certificate and whether it holds at a block.

    Args:
        number: The plan's number among those of the recipe that the site joined.
        account: Who speaks for the evaluator.
        at: The time of the last final block.
        doubt: Why its word does not count by the list of who answers, empty where it does or
            where no list was asked.
        later: The last later plan under which the site was certified, by a word that counts.
    """

    plan: EquivalencePlanId
    site: IdentityId
    recipe: RecipeId
    number: int
    evaluator: IdentityId
    account: Address
    at: int
    standing: Standing
    given: Certified
    doubt: str = ""
    counter_results: tuple[CounterResult, ...] = ()
    later: EarlierPlan | None = None

    @property
    def told(self) -> str:
        """Return verdict and standing in a few words."""
        return f"{self.given.verdict}, {self.standing}"

    def encode(self) -> bytes:
        """Return the state's canonical bytes."""
        members = cast("JsonObject", codec.dump(self))
        return canonical({"type": STATUS_TYPE, **members})

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the state that a document holds.

        Raises:
            JsonError: The bytes are outside the input profile.
            DocumentError: A member is missing, unknown or of another type.
        """
        members = dict(parse_object(data, _LIMITS))
        if members.pop("type", None) != STATUS_TYPE:
            message = f"The document is no {STATUS_TYPE}."
            raise MemberInvalidError(message, member="type")
        return codec.load(cls, members)


def standing_of(given: Certified, now: int, *, is_challenged: bool, is_replaced: bool) -> Standing:
    """Return whether a certificate holds; what ended it goes before what others say of it."""
    own = Standing(given.standing(now))
    if own is not Standing.IN_FORCE:
        return own
    if is_replaced:
        return Standing.REPLACED
    return Standing.CHALLENGED if is_challenged else Standing.IN_FORCE
