"""Values of one part that are opened for somebody: single ones, or by a grant of its maker.

What is opened proves itself: its leaves lead to the root that the machine signed. A grant adds who
lets whom see it, and until when.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

from guildmark.domain.builds.delivery import (
    DELIVERY_LIMITS,
    OpenedValues,
    check_shown,
    is_among,
    paths_of,
    recorded_measurements,
    recorded_settings,
)
from guildmark.domain.builds.dsse import Envelope
from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.builds.values import MeasurementsDisclosure, SettingsDisclosure
from guildmark.domain.encoding import abi
from guildmark.domain.encoding.document import Document
from guildmark.domain.errors import (
    ContentError,
    ForbiddenError,
    MalformedError,
    NotCoveredError,
    NotFoundError,
)
from guildmark.domain.identifiers import ChainId, Digest, IdentityId, to_hex

GRANT_PAYLOAD_TYPE = "application/vnd.guildmark.values-grant+json"
VALUES_FORMAT = "guildmark/values/v1"

_INFO_TAG = b"guildmark/values-grant/v1"


class ValueUnknownError(NotFoundError):
    """A path is named under which the part has no salted value."""

    code = "values.pathUnknown"
    hint = "List what the statement records: `guildmark value show`."


class ValuesElsewhereError(ContentError):
    """Opened values are those of another part, or a grant is for another chain or reader."""

    code = "values.elsewhere"
    hint = "Use the bundle of the part that the values were opened for."


class MalformedGrantError(MalformedError):
    """An envelope that holds something else than a grant of values."""

    code = "values.grantMalformed"
    hint = "Name what `guildmark value grant` wrote."


class GrantOutsidePolicyError(ForbiddenError):
    """A value is to be granted that the home's policy does not name for the role."""

    code = "values.grantOutsidePolicy"
    hint = "Widen the policy, `guildmark build values --designer PATH` or --auditor, or name less."


class GrantEndedError(NotCoveredError):
    """A grant's last second has passed."""

    code = "values.grantEnded"
    hint = "Ask the maker for a new grant."


class Role(StrEnum):
    """For whom a home's policy names values that are not open to everybody."""

    DESIGNER = "designer"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantPolicy:
    """What a home grants: paths and beginnings of paths, by role. By default nothing."""

    designer: tuple[str, ...] = ()
    auditor: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_shown(self.designer)
        check_shown(self.auditor)

    def of(self, role: Role) -> tuple[str, ...]:
        """Return what may be granted to a role."""
        return {Role.DESIGNER: self.designer, Role.AUDITOR: self.auditor}[role]

    def check(self, role: Role, paths: Iterable[str]) -> None:
        """Check that each value may be granted to a role.

        Raises:
            GrantOutsidePolicyError: One may not.
        """
        for path in paths:
            if not is_among(path, self.of(role)):
                message = f"The policy of this home grants no {role.value} the value of {path}."
                raise GrantOutsidePolicyError(message, path=path, role=role.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartValues(Document):
    """Some values of one part, with what opens them. Unchecked.

    Args:
        envelope: Digest of the envelope whose statement commits to them.
    """

    LIMITS = DELIVERY_LIMITS

    envelope: Digest
    settings: SettingsDisclosure | None = None
    measurements: MeasurementsDisclosure | None = None

    @classmethod
    def select(cls, envelope: Digest, values: OpenedValues, paths: Sequence[str]) -> Self:
        """Return the values at paths, and below them; each path names at least one.

        Raises:
            ShownPathError: One is no path and no beginning of one, or too many are named.
            ValueUnknownError: Nothing is recorded at one of them.
        """
        check_shown(paths)
        known = values.paths
        for path in paths:
            if not any(is_among(one, (path,)) for one in known):
                message = f"The part has no salted value at {path}."
                raise ValueUnknownError(message, path=path)
        settings, measurements = values.opened_below(paths)
        return cls(
            envelope=envelope,
            settings=settings if settings is not None and settings.opened else None,
            measurements=measurements if measurements and measurements.opened else None,
        )

    @property
    def paths(self) -> tuple[str, ...]:
        """Return the paths of the values that are opened."""
        return paths_of(self.settings, self.measurements)

    def check(self, envelope: Digest, statement: BuildStatement) -> None:
        """Check that a statement commits to each of the values.

        Raises:
            ValuesElsewhereError: They are those of another part.
            ValuesMismatchError: They are not those that the statement commits to.
        """
        if envelope != self.envelope:
            message = f"The values are of the part whose envelope is {to_hex(self.envelope)}."
            raise ValuesElsewhereError(message, envelope=to_hex(self.envelope))
        if self.settings is not None:
            recorded_settings(statement, self.settings)
        if self.measurements is not None:
            recorded_measurements(statement, self.measurements)


@dataclass(frozen=True, slots=True, kw_only=True)
class ValuesGrant(Document):
    """What the maker of a part signs: who may see which of its values, until when.

    Args:
        maker: The identity that grants: the part's site or its organization.
        to: The identity of the reader.
        role: For whom the maker's policy names the values.
        at: When it was signed, by the signer's clock.
        until: The last second in which it is good.
    """

    LIMITS = DELIVERY_LIMITS

    chain_id: ChainId
    maker: IdentityId
    to: IdentityId
    role: Role
    at: int
    until: int
    values: PartValues

    def check_going(self, now: int) -> None:
        """Check that the grant has not ended.

        Raises:
            GrantEndedError: It has.
        """
        if now > self.until:
            message = f"The grant ended {now - self.until} seconds ago."
            raise GrantEndedError(message, until=self.until)

    def check_for(self, chain_id: ChainId, to: IdentityId) -> None:
        """Check that the grant is for a reader on a chain.

        Raises:
            ValuesElsewhereError: It is for another reader, or for another chain.
        """
        if (self.chain_id, self.to) != (chain_id, to):
            message = f"The grant is for {to_hex(self.to)} on chain {self.chain_id}."
            raise ValuesElsewhereError(message, to=to_hex(self.to), chain=self.chain_id)

    @classmethod
    def signed(cls, body: bytes) -> Self:
        """Return the grant in an envelope, whoever signed it.

        Raises:
            JsonError: The bytes are outside the input profile.
            DocumentError: It is another payload, or a member is missing, unknown or of another
                type.
        """
        envelope = Envelope.parse(body)
        envelope.check_type(GRANT_PAYLOAD_TYPE, "grant of values", MalformedGrantError)
        return cls.parse(envelope.payload)


def grant_context(chain_id: ChainId, to: IdentityId) -> bytes:
    """Return the context under which a grant is sealed: it opens for one reader on one chain."""
    return _INFO_TAG + abi.uint(chain_id) + to


def add_settings(
    shown: SettingsDisclosure | None, more: SettingsDisclosure | None
) -> SettingsDisclosure | None:
    """Return two disclosures of the same leaves as one."""
    if shown is None or more is None:
        return shown or more
    opened = {one.leaf: one for one in (*shown.opened, *more.opened)}
    return replace(shown, opened=tuple(opened[leaf] for leaf in sorted(opened)))


def add_measurements(
    shown: MeasurementsDisclosure | None, more: MeasurementsDisclosure | None
) -> MeasurementsDisclosure | None:
    """Return two disclosures of the same leaves as one."""
    if shown is None or more is None:
        return shown or more
    opened = {one.leaf: one for one in (*shown.opened, *more.opened)}
    return replace(shown, opened=tuple(opened[leaf] for leaf in sorted(opened)))
