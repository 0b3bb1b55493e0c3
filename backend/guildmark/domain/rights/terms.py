"""License terms: what is signed, the license's id, and the set of things that it names."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from guildmark.domain.chain.eip712 import TypedDataDomain
from guildmark.domain.encoding import abi
from guildmark.domain.encoding.hashing import keccak256, sha256
from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import (
    ZERO32,
    ZERO_ADDRESS,
    Address,
    DesignId,
    Digest,
    IdentityId,
    LaneNumber,
    LicenseId,
    Uint256,
    UnitNumber,
    to_hex,
)
from guildmark.domain.recipes.clause import (
    Clause,
    ClauseClass,
    ClausePath,
    ClauseType,
    Criticality,
    NewSalt,
)
from guildmark.domain.recipes.clauses import DisclosedClauses

_TERMS = (
    b"Terms(bytes32 design,uint40 designEpoch,uint40 units,bytes32 holder,uint40 notBefore,"
    b"uint40 notAfter,uint40 notice,bytes32 parent,address currency,uint256 royalty,uint256 fee,"
    b"uint40 offerUntil,uint256 nonce,bytes32 termsRoot)"
)
TERMS_TYPE = keccak256(_TERMS)

ACCEPTANCE_TYPE = keccak256(b"Acceptance(Terms terms)" + _TERMS)
SUBLICENSE_TYPE = keccak256(b"Sublicense(uint40 lane,uint40 end,Terms terms)" + _TERMS)

EXTENSION_TYPE = keccak256(
    b"Extension(bytes32 license,uint40 designEpoch,uint40 units,uint40 more,uint40 offerUntil)"
)

NO_LICENSE = LicenseId(ZERO32)
NOTHING_OWED = Uint256(0)

_SCHEME = "https://"
_SPDX_ID = r"[A-Za-z0-9][A-Za-z0-9.-]{0,79}\+?"
_SPDX = re.compile(rf"{_SPDX_ID}(?: (?:AND|OR|WITH) {_SPDX_ID}){{0,7}}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The end of a lane, as a licensor saw it, off which units are licensed on."""

    lane: LaneNumber
    end: UnitNumber


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """Units that a design's owner adds to a root license, under his signature.

    Args:
        license: The license.
        units: How many units it had when he signed.
        more: How many are added.
        offer_until: The last block second at which anybody may submit it.
    """

    license: LicenseId
    units: int
    more: int
    offer_until: int

    def struct_hash(self, design_epoch: int) -> Digest:
        """Return the EIP-712 hash that the owner of an epoch of the design signs.

        Raises:
            AbiRangeError: A value does not fit its field.
        """
        numbers = (design_epoch, self.units, self.more, self.offer_until)
        words = (abi.bytes32(self.license), *(abi.uint(number, 40) for number in numbers))
        return keccak256(EXTENSION_TYPE + b"".join(words))


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a license says: `ILicenseRegistry.Terms`, signed by its licensor.

    Args:
        design: The design.
        design_epoch: The epoch of the design that the owner saw; 0 under another license.
        units: How many units.
        holder: The licensee's identity.
        not_before: Block seconds from which units may be drawn.
        not_after: Block seconds from which they may no longer be drawn, 0 = never.
        notice: Seconds between a stop's announcement and its effect.
        terms_root: Salted root over what the contract does not compute with.
        offer_until: Block seconds until which the terms may be submitted.
        nonce: So that equal terms can be granted twice.
        parent: The license above, 0 for a root.
        currency: The coin of royalty and fee, 0 = native.
        royalty: Per drawn unit.
        fee: Paid by whom submits the terms.
    """

    design: DesignId
    design_epoch: int
    units: int
    holder: IdentityId
    not_before: int
    not_after: int
    notice: int
    terms_root: Digest
    offer_until: int
    nonce: Uint256
    parent: LicenseId = NO_LICENSE
    currency: Address = ZERO_ADDRESS
    royalty: Uint256 = NOTHING_OWED
    fee: Uint256 = NOTHING_OWED

    def struct_hash(self) -> Digest:
        """Return the EIP-712 hash of the terms alone.

        Raises:
            AbiRangeError: A value does not fit its field.
        """
        words = (
            TERMS_TYPE,
            abi.bytes32(self.design),
            abi.uint(self.design_epoch, 40),
            abi.uint(self.units, 40),
            abi.bytes32(self.holder),
            abi.uint(self.not_before, 40),
            abi.uint(self.not_after, 40),
            abi.uint(self.notice, 40),
            abi.bytes32(self.parent),
            abi.address(self.currency),
            abi.uint(self.royalty),
            abi.uint(self.fee),
            abi.uint(self.offer_until, 40),
            abi.uint(self.nonce),
            abi.bytes32(self.terms_root),
        )
        return keccak256(b"".join(words))

    def acceptance_hash(self) -> Digest:
        """Return the EIP-712 hash by which a licensee agrees to owe something.

        Raises:
            AbiRangeError: A value does not fit its field.
        """
        return keccak256(ACCEPTANCE_TYPE + self.struct_hash())

    def sublicense_hash(self, place: Place) -> Digest:
        """Return the EIP-712 hash by which a lane's holder licenses its last units on.

        Raises:
            AbiRangeError: A value does not fit its field.
        """
        words = (abi.uint(place.lane, 40), abi.uint(place.end, 40), self.struct_hash())
        return keccak256(SUBLICENSE_TYPE + b"".join(words))

    @property
    def is_owing(self) -> bool:
        """Return whether a royalty or a fee is owed, so that the licensee must agree."""
        return bool(self.royalty or self.fee)

    @property
    def value(self) -> int:
        """Return how much native coin is sent with the terms."""
        return self.fee if self.currency == ZERO_ADDRESS else 0

    def license_id(self, domain: TypedDataDomain) -> LicenseId:
        """Return the license's id: what the owner signs, on one chain and registry.

        Raises:
            AbiRangeError: A value does not fit its field.
        """
        return LicenseId(domain.digest(self.struct_hash()))


class TermsKind(Enum):
    """What a member of the terms names; terms without a kind allow any of it."""

    REVISION = "revision"
    RECIPE = "recipe"
    SITE = "site"
    MACHINE = "machine"
    LABEL_NAMESPACE = "labelNamespace"
    COUNTRY = "country"
    COUNTRY_DENIED = "countryDenied"
    CONTROL_CLASS = "controlClass"
    LICENSE_TEXT = "licenseText"
    TEXT = "text"


_MEMBER = re.compile(rf"/terms/(?:{'|'.join(kind.value for kind in TermsKind)})/[0-9]+", re.ASCII)


class MalformedSpdxError(MalformedError):
    """Text is no license id or expression as SPDX writes it."""

    code = "license.malformedSpdx"
    hint = "Write the id as spdx.org lists it, for example CERN-OHL-S-2.0."


class Allowance(Enum):
    """Whether terms, as far as they are shown, allow something."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


def terms_members(
    members: Mapping[TermsKind, Iterable[str]], *, new_salt: NewSalt
) -> tuple[Clause, ...]:
    """Return the leaves under a license's terms root: one a member, so that each opens alone.

    Paths are /terms/<kind>/<number>; `clauses.clause_root` of the result is the terms root.

    Raises:
        MalformedClauseError: A member is no text in Unicode's form NFC.
    """
    named = {
        f"/terms/{kind.value}/{number:04d}": text
        for kind, texts in members.items()
        for number, text in enumerate(texts)
    }
    return tuple(
        Clause(
            path=ClausePath(path),
            type=ClauseType.TEXT,
            klass=ClauseClass.CORE,
            criticality=Criticality.MAJOR,
            value=text,
            salt=new_salt(),
        )
        for path, text in sorted(named.items())
    )


def revision_member(design: DesignId, number: int) -> str:
    """Return how terms name a revision: design id and number."""
    return f"{to_hex(design)}:{number}"


def text_member(text: bytes) -> str:
    """Return how terms name a license's text of one's own: its digest."""
    return f"sha256:{sha256(text).hex()}"


def spdx_member(name: str) -> str:
    """Return how terms name a license text that SPDX lists.

    Raises:
        MalformedSpdxError: No license id or expression of SPDX 3, annex B.
    """
    if not _SPDX.fullmatch(name):
        message = f"{name[:80]!r} is no SPDX license expression."
        raise MalformedSpdxError(message, found=name[:80])
    return f"SPDX:{name}"


def named_in(members: DisclosedClauses, kind: TermsKind) -> tuple[str, ...]:
    """Return the shown members of a kind."""
    shown = members.below(f"/terms/{kind.value}/")
    return tuple(clause.value for clause in shown if clause.value is not None)


def unknown_in(members: DisclosedClauses) -> tuple[str, ...]:
    """Return the paths of shown members that are of no known kind, or no text.

    What such a member asks for nobody can say, so that nothing is allowed by terms that have one.
    """
    return tuple(
        one.path
        for one in members.opened.values()
        if one.type is not ClauseType.TEXT or one.value is None or not _MEMBER.fullmatch(one.path)
    )


def allows(members: DisclosedClauses, kind: TermsKind, value: str) -> Allowance:
    """Return whether the terms allow a value of a kind; a label is matched by its namespace.

    A kind that the terms do not name allows any value; that is known only where no member of the
    kind may be hidden.
    """
    named = named_in(members, kind)
    if any(_matches(kind, member, value) for member in named):
        return Allowance.YES
    if may_hide(members, kind):
        return Allowance.UNKNOWN
    return Allowance.NO if named else Allowance.YES


def label_beginnings(members: DisclosedClauses) -> tuple[str, ...]:
    """Return texts of which a label that begins with one is allowed; with "" any label does."""
    named = named_in(members, TermsKind.LABEL_NAMESPACE)
    is_free = not named and not may_hide(members, TermsKind.LABEL_NAMESPACE)
    beginnings = (_beginning(namespace) for namespace in named)
    return ("",) if is_free else tuple(found for found in beginnings if found is not None)


def is_in_namespace(label: str, namespace: str) -> bool:
    """Return whether a namespace names a label: it begins so, its host whole."""
    beginning = _beginning(namespace)
    return beginning is not None and label.startswith(beginning)


def may_hide(members: DisclosedClauses, kind: TermsKind) -> bool:
    """Return whether a member of a kind may be there that is not shown."""
    return members.may_hide(f"/terms/{kind.value}/")


def _matches(kind: TermsKind, member: str, value: str) -> bool:
    if kind is TermsKind.LABEL_NAMESPACE:
        return is_in_namespace(value, member)
    return value == member


def _beginning(namespace: str) -> str | None:
    """Return how labels of a namespace begin, None where it names no host.

    A host ends at its slash: https://id.example does not name labels of id.example.org.
    """
    scheme, host, path = namespace.partition(_SCHEME)
    if scheme or not host:
        return None
    return namespace if "/" in path else f"{namespace}/"
