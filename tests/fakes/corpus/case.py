"""What a verifier of the corpus is given."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fakes.cases import Sealed
from guildmark.domain import bundle, trust
from guildmark.domain.trust import Trust
from guildmark.domain.verification.case import NO_QUESTION, Question


@dataclass(frozen=True)
class Given:
    """A bundle, whom its reader trusts, and what he holds in hand.

    Args:
        name: The case's name, one of a kind.
        bundle: The bundle, bytes as a verifier receives them.
        trust: The reader's trust, None where he says nothing.
        question: What he holds in hand beside the bundle.
        expected: What must come out, as far as the case itself says so.
    """

    name: str
    bundle: bytes
    trust: Trust | None
    question: Question = NO_QUESTION
    expected: Mapping[str, Any] = field(default_factory=dict)

    def trust_file(self) -> bytes | None:
        return None if self.trust is None else trust.serialise(self.trust)


def given(name: str, sealed: Sealed, **expected: Any) -> Given:
    data = bundle.write(sealed.evidence)
    return Given(name, data, sealed.trust, sealed.question, expected)
