"""A site's data, as it commits to them and hands them to the evaluator."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.fields import Fields, read_document
from guildmark.domain.encoding.strictjson import Limits
from guildmark.domain.equivalence.dataset import ordered, reading_list
from guildmark.domain.equivalence.registration import blind
from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import (
    Bytes32,
    Digest,
    EquivalencePlanId,
    IdentityId,
    to_hex,
)
from guildmark.domain.measurement.readings import Reading

DATA_TYPE = "https://guildmark.org/equivalence-data/v1"
DATA_LIMITS = Limits(size=1 << 26, depth=4, values=4_000_000)


class ForeignReadingError(MalformedError):
    """A site commits to its own readings alone, and to at least one."""

    code = "equivalence.readingForeign"
    hint = "Give the readings of parts that this site built after it joined the plan."


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindData:
    """Readings under one root that nobody can guess.

    Args:
        secret: What salts each reading's leaf.
        salt: What hides the root until it is revealed.
    """

    plan: EquivalencePlanId
    site: IdentityId
    secret: Bytes32 = field(repr=False)
    salt: Bytes32 = field(repr=False)
    readings: tuple[Reading, ...] = field(repr=False)

    def __post_init__(self) -> None:
        others = {one.site for one in self.readings} - {to_hex(self.site)}
        if others or not self.readings:
            message = (
                f"The readings of {to_hex(self.site)} are {len(self.readings)}, of others too."
            )
            raise ForeignReadingError(message, others=sorted(others))

    def root(self) -> Digest:
        """Return the root over the salted readings."""
        return reading_list(self.readings, self.secret).root()

    def blind(self) -> Digest:
        """Return what the site commits to on chain."""
        return blind(self.plan, self.site, self.root(), self.salt)

    def encode(self) -> bytes:
        """Return the document that the evaluator gets."""
        return canonical(
            {
                "type": DATA_TYPE,
                "plan": to_hex(self.plan),
                "site": to_hex(self.site),
                "secret": to_hex(self.secret),
                "salt": to_hex(self.salt),
                "readings": [one.to_json() for one in ordered(self.readings)],
            }
        )

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the data that a document holds.

        Raises:
            JsonError: The bytes are outside the input profile.
            DocumentError: A member is missing, unknown or of another type.
            MalformedError: A reading cannot be, or is of another site.
        """
        return read_document(data, cls._read, DATA_LIMITS)

    @classmethod
    def _read(cls, fields: Fields) -> Self:
        fields.constant("type", DATA_TYPE)
        return cls(
            plan=EquivalencePlanId(fields.bytes32("plan")),
            site=IdentityId(fields.bytes32("site")),
            secret=fields.bytes32("secret"),
            salt=fields.bytes32("salt"),
            readings=fields.objects("readings", Reading.read),
        )


def instruments_of(data: Iterable[BlindData]) -> frozenset[str]:
    """Return the instruments that data name."""
    return frozenset(reading.instrument for one in data for reading in one.readings)
