"""Lawful use: in which countries a design may be built, and who is cleared for its control class.

A license names countries by ISO 3166-1 alpha-2 codes, allowed or denied, and control classes as
their authority writes them. A site's country is what its own profile says, proven by its digest on
chain; a clearance is a claim of scheme CONTROL by an issuer whom the reader lists.
"""

from collections.abc import Iterable
from enum import Enum

from guildmark.domain.errors import MalformedError
from guildmark.domain.recipes.clauses import DisclosedClauses
from guildmark.domain.rights.terms import TermsKind, may_hide, named_in

_CODES = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR
BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ
EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW
GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY
KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV
MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY
QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG
TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM
ZW
"""

CLEARANCE_SCHEME = "CONTROL"
"""The scheme of claims that clear a site or its organization for a control class."""

COUNTRIES = frozenset(_CODES.split())
"""ISO 3166-1 alpha-2, the 249 officially assigned codes."""


class CountryUnknownError(MalformedError):
    """A code that ISO 3166-1 assigns to no country."""

    code = "country.unknown"
    hint = "Write the country as ISO 3166-1 alpha-2 in upper case, for example DE."


class Use(Enum):
    """Whether terms, as far as they are shown, allow building at a place."""

    ALLOWED = "allowed"
    DENIED = "denied"
    PLACE_UNKNOWN = "place unknown"
    WITHHELD = "withheld"


def country_code(text: str) -> str:
    """Return a country's code.

    Raises:
        CountryUnknownError: ISO 3166-1 assigns it to no country.
    """
    if text not in COUNTRIES:
        message = f"{text[:20]!r} is no country of ISO 3166-1."
        raise CountryUnknownError(message, found=text[:20])
    return text


def use_in(members: DisclosedClauses, country: str | None) -> Use:
    """Return whether terms allow building in a country, None where it is not proven.

    Terms that name allowed countries allow no other; a denied one stays denied. What a site calls
    its country in another form than ISO 3166-1's is not known to be any.
    """
    allowed = named_in(members, TermsKind.COUNTRY)
    denied = named_in(members, TermsKind.COUNTRY_DENIED)
    hides_allowed = may_hide(members, TermsKind.COUNTRY)
    hides_denied = may_hide(members, TermsKind.COUNTRY_DENIED)
    if country not in COUNTRIES and (allowed or denied):
        return Use.PLACE_UNKNOWN
    if country in denied or (allowed and country not in allowed and not hides_allowed):
        return Use.DENIED
    if hides_denied or (hides_allowed and country not in allowed):
        return Use.WITHHELD
    return Use.ALLOWED


def uncleared(members: DisclosedClauses, cleared: Iterable[str]) -> tuple[str, ...]:
    """Return the control classes that terms name and nobody is cleared for."""
    held = set(cleared)
    return tuple(each for each in named_in(members, TermsKind.CONTROL_CLASS) if each not in held)
