"""Who is named by whom: operator, maker and design owner, and whether the reader lists them."""

from collections.abc import Iterator, Mapping
from itertools import pairwise

from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.chain import storage
from guildmark.domain.chain.storage import AccountWord, IdentityWord, IntervalWord
from guildmark.domain.encoding import strictjson
from guildmark.domain.errors import GuildmarkError, MalformedError
from guildmark.domain.identifiers import DesignId, IdentityId, to_hex
from guildmark.domain.identity.gs1 import MalformedGs1Error, parse_gcp
from guildmark.domain.identity.identity import is_readable_name
from guildmark.domain.labels.digital_link import DigitalLink
from guildmark.domain.rights.lawful import CLEARANCE_SCHEME
from guildmark.domain.verification.case import Case, UndecidedError
from guildmark.domain.verification.doubts import Weight, of_act
from guildmark.domain.verification.evidence import ClaimDisclosure, ProfileDisclosure
from guildmark.domain.verification.licensing import Signed, signed
from guildmark.domain.verification.report import NamedClaim, Party

OPERATOR, MAKER, DESIGN_OWNER = "operator", "maker", "designOwner"

_FOREVER = 2**40


def parties(case: Case) -> tuple[Party, ...]:
    """Return operator, maker and design owner, as far as they are proven."""
    return (
        _operator(case),
        _named(case, MAKER, _maker(case)),
        _named(case, DESIGN_OWNER, _design_owner(case)),
    )


def is_listed(case: Case, named: tuple[Party, ...] | None = None) -> bool:
    """Return whether the reader lists all parties, and who may give out the label's prefix."""
    named = parties(case) if named is None else named
    return all(party.is_listed for party in named) and prefix_is_claimed(case, named)


def prefix_is_claimed(case: Case, named: tuple[Party, ...]) -> bool:
    """Return whether somebody who may give out the label's GS1 key holds its prefix.

    A label of the maker's own form needs no claim; nobody can claim one that cannot be read.
    """
    if not isinstance(case.parsed_statement, BuildStatement):
        return True
    named_key = _label(case)
    is_own = named_key is not None and named_key.is_own
    return is_own or bool(prefix_holders(case, named))


def prefix_holders(case: Case, named: tuple[Party, ...]) -> frozenset[str]:
    """Return the roles of those who hold the company prefix of the label's GS1 key.

    A listed issuer says so of the maker or of the design's owner; the operator logs for others.
    """
    link = _label(case)
    prefixed = None if link is None else link.prefixed
    if prefixed is None:
        return frozenset()
    return frozenset(
        party.role
        for party in named
        for claim in party.claims
        if party.role in {MAKER, DESIGN_OWNER}
        and claim.is_listed
        and claim.scheme == "GCP"
        and _begins(prefixed, claim.value)
    )


def _begins(prefixed: str, prefix: str) -> bool:
    """Return whether a key begins with a company prefix; a text of another length is none."""
    try:
        return prefixed.startswith(parse_gcp(prefix))
    except MalformedGs1Error:
        return False


def _label(case: Case) -> DigitalLink | None:
    """Return the label's link, None where it cannot be read."""
    statement = case.parsed_statement
    if not isinstance(statement, BuildStatement):
        return None
    try:
        return DigitalLink.parse_label(statement.label)
    except MalformedError:
        return None


def _operator(case: Case) -> Party:
    word = case.state.word(storage.OPERATORS.at(case.core.record.log))
    if not isinstance(word, int) or word == 0:
        return _unnamed(OPERATOR)
    operator = storage.identity_of(word)
    listed = case.trust is not None and case.trust.lists_operator(operator, case.core.record.time)
    return Party(
        role=OPERATOR,
        id=to_hex(operator),
        name=_name(case, operator),
        claims=tuple(_claims(case, operator)),
        is_listed=listed,
    )


def _maker(case: Case) -> IdentityId | None:
    link = case.disclosed.maker_link
    return None if link is None else link.parent


def _design_owner(case: Case) -> IdentityId | None:
    """Return the organization whose controller owned the design when he signed for the unit.

    Who owns the token at block b may be anybody: a token can be given away to a stranger.
    """
    owner, revision = case.disclosed.owner, case.disclosed.revision
    root = case.disclosed.root_license
    if owner is None or revision is None or root is None:
        return None
    if root.terms.design != revision.design:
        return None
    try:
        found = signed(case)
        return owner if found and _spoke(case, owner, root.terms.design, found) else None
    except UndecidedError:
        # Check (6) says what is not proven.
        return None


def _spoke(case: Case, owner: IdentityId, design: DesignId, found: Signed) -> bool:
    """Return whether an organization's controller owned a design when he signed for units.

    Whoever registered an organization spoke for himself before he did.
    """
    account = AccountWord.decode(case.word(storage.DESIGN_OWNERS.at(design, found.epoch))).account
    word = IdentityWord.decode(case.word(storage.IDENTITIES.at(owner)))
    if word.controllers == 0:
        # Nobody is registered under that id, so nobody spoke for it.
        return False
    if word.controllers == 1:
        return account == word.controller
    words = [
        AccountWord.decode(case.word(storage.CONTROLLERS.at(owner, number)))
        for number in range(1, word.controllers + 1)
    ]
    begins = [0, *(one.since for one in words[1:]), _FOREVER]
    return any(
        one.account == account and begin <= found.at < end
        for one, (begin, end) in zip(words, pairwise(begins), strict=True)
    )


def _named(case: Case, role: str, identity: IdentityId | None) -> Party:
    if identity is None:
        return _unnamed(role)
    claims = tuple(_claims(case, identity))
    return Party(
        role=role,
        id=to_hex(identity),
        name=_name(case, identity),
        claims=claims,
        is_listed=any(claim.is_listed for claim in claims),
    )


def _unnamed(role: str) -> Party:
    return Party(role=role, id="", name="", claims=(), is_listed=False)


def _claims(case: Case, subject: IdentityId) -> Iterator[NamedClaim]:
    """Yield the claims about an identity that the chain holds and nobody revoked.

    A clearance names nobody.
    """
    for shown in case.disclosed.claims:
        is_name = shown.subject == subject and shown.claim.scheme != CLEARANCE_SCHEME
        made_at = _standing_since(case, shown) if is_name else 0
        if made_at:
            yield NamedClaim(
                scheme=shown.claim.scheme,
                value=shown.claim.value,
                issuer=to_hex(shown.issuer),
                is_listed=is_issuer_listed(case, shown.issuer, made_at),
            )


def is_issuer_listed(case: Case, issuer: IdentityId, made_at: int) -> bool:
    """Return whether an issuer's claim of a time counts for the reader: nobody doubts it."""
    listed = case.trust is not None and case.trust.lists_issuer(issuer, made_at)
    return listed and not _is_doubted(case, issuer, made_at)


def _is_doubted(case: Case, issuer: IdentityId, made_at: int) -> bool:
    """Return whether a notice bears on a claim, or may: who hides a notice hides a reason."""
    return bool(_doubt(case, issuer, made_at))


def _doubt(case: Case, issuer: IdentityId, made_at: int) -> str:
    """Return why a claim of an issuer that is listed does not count, empty where it does."""
    try:
        notices = of_act(case, issuer, made_at)
        if any(one.weight(made_at) is not Weight.NONE for one in notices):
            return "its issuer's account was under notice or is doubted since then."
    except UndecidedError:
        return (
            "that nobody gave notice of its issuer's account is not proven. Ask for a newer bundle."
        )
    return ""


def doubted_claims(case: Case) -> Iterator[str]:
    """Yield a sentence for each claim of a listed issuer that a notice takes from its weight."""
    for shown in case.disclosed.claims:
        made_at, trust = _standing_since(case, shown), case.trust
        listed = trust is not None and trust.lists_issuer(shown.issuer, made_at)
        doubt = _doubt(case, shown.issuer, made_at) if made_at and listed else ""
        if doubt:
            yield f"A claim of {shown.claim.scheme} does not count: {doubt}"


def _standing_since(case: Case, shown: ClaimDisclosure) -> int:
    word = case.state.word(storage.CLAIMS.at(shown.id()))
    interval = IntervalWord.decode(word if isinstance(word, int) else 0)
    return 0 if interval.until else interval.since


def proven_profile(case: Case, identity: IdentityId) -> Mapping[str, strictjson.JsonValue]:
    """Return an identity's present profile without its salt, empty where none is proven."""
    shown = (_opened(case, one) for one in case.disclosed.profiles if one.identity == identity)
    return next(filter(None, shown), {})


def profile_times(
    case: Case, identity: IdentityId
) -> Iterator[tuple[IntervalWord, Mapping[str, strictjson.JsonValue]]]:
    """Yield when each shown profile of an identity stood, and what it says without its salt.

    Raises:
        UndecidedError: It is not proven.
    """
    for profile in case.disclosed.profiles:
        if profile.identity != identity:
            continue
        try:
            digest, members = profile.opened()
        except GuildmarkError:
            # What cannot be read proves nothing.
            continue
        times = IntervalWord.decode(case.word(storage.PROFILE_TIMES.at(identity, digest)))
        present = case.word(storage.PROFILES.at(identity))
        if times.since:
            yield times, members
        elif present == int.from_bytes(digest, "big"):
            # Of a profile that stood from the registration on, nothing is kept before it ends.
            registered = IdentityWord.decode(case.word(storage.IDENTITIES.at(identity))).since
            yield IntervalWord(since=registered, until=0), members


def display_name(case: Case, identity: IdentityId) -> str:
    """Return the name that an identity gives itself, else its id."""
    return _name(case, identity) or to_hex(identity)


def _name(case: Case, identity: IdentityId) -> str:
    """Return the name in an identity's own profile, empty where none is proven and readable."""
    name = _text(proven_profile(case, identity), "name")
    return name if is_readable_name(name) else ""


def _opened(case: Case, profile: ProfileDisclosure) -> Mapping[str, strictjson.JsonValue]:
    try:
        digest, members = profile.opened()
    except GuildmarkError:
        return {}
    if case.state.word(storage.PROFILES.at(profile.identity)) != int.from_bytes(digest, "big"):
        return {}
    return members


def _text(members: Mapping[str, strictjson.JsonValue], name: str) -> str:
    value = members.get(name)
    return value if isinstance(value, str) else ""
