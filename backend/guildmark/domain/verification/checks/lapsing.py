"""What ends a certificate of equivalence without a word: a machine that moved, other firmware."""

import re
from collections.abc import Iterator

from guildmark.domain.chain import storage
from guildmark.domain.chain.storage import IntervalWord
from guildmark.domain.recipes.clause import ClausePath
from guildmark.domain.verification.case import ENVELOPE, Case
from guildmark.domain.verification.checks.clauses import shown_site_recipe, site_clauses
from guildmark.domain.verification.report import Cause, Finding, State
from guildmark.domain.verification.rights import Cover, cover

FIRMWARE = ClausePath("/qa/firmware")
"""The clause by which a site recipe says what firmware the site was certified with."""

_LINK = "disclosed/site-link.json"
_SITE_RECIPE = "disclosed/site-recipe.json"
_VERSION = re.compile(r"[0-9]+(?=\.[0-9])", re.ASCII)
_NUMBER = re.compile(r"[0-9]+", re.ASCII)

EQUIVALENCE_MACHINE_MOVED = Cause(
    code="verify.equivalenceMachineMoved",
    state=State.FAIL,
    meaning="The machine came to the site, or came back to it, after the site was certified.",
)
EQUIVALENCE_FIRMWARE_CHANGED = Cause(
    code="verify.equivalenceFirmwareChanged",
    state=State.FAIL,
    meaning="The machine ran firmware of another major version than the site was certified with.",
)
EQUIVALENCE_FIRMWARE_UNPROVEN = Cause(
    code="verify.equivalenceFirmwareUnproven",
    state=State.UNKNOWN,
    meaning="The site names the firmware it was certified with, and it is not shown that this one "
    "ran.",
)


def lapsed(case: Case, since: int) -> Iterator[Finding]:
    """Yield why a certificate that was given at a time does not reach this machine as it ran."""
    yield from _moved(case, since)
    yield from _firmware(case, since)


def _moved(case: Case, since: int) -> Iterator[Finding]:
    """Yield a finding where the machine's stay at the site began after the certificate.

    Whether it was there while the part was built, check (1) says.
    """
    link, run = case.disclosed.site_link, case.statement.run
    if link is None or (link.child, link.parent) != (run.machine, run.site):
        return
    count = min(case.word(storage.LINK_COUNTS.at(run.machine, run.site)), link.count)
    places = (storage.LINKS.at(run.machine, run.site, number) for number in range(1, count + 1))
    stays = [IntervalWord.decode(word) for word in map(case.word, places) if word]
    begun = [stay.since for stay in stays if cover([stay], case.window) is not Cover.NONE]
    if begun and min(begun) > since:
        reason = (
            f"The machine is at the site since {min(begun)}; the certificate is of {since}, and "
            "lapses when a machine moves."
        )
        yield EQUIVALENCE_MACHINE_MOVED.found(reason, _LINK)


def _firmware(case: Case, since: int) -> Iterator[Finding]:
    """Yield a finding where the site says what firmware was certified, and another one ran."""
    clauses = site_clauses(case).opened.values()
    stated = next((one.value for one in clauses if one.path == FIRMWARE), None)
    if stated is None:
        return
    ran = case.statement.firmware
    if case.word(storage.SITE_RECIPES.at(shown_site_recipe(case).recipe.id())) > since:
        reason = "The site recipe that names the firmware is newer than the certificate."
        yield EQUIVALENCE_FIRMWARE_UNPROVEN.found(reason, _SITE_RECIPE)
    elif ran is None:
        reason = f"The statement names no firmware; the site was certified with {stated}."
        yield EQUIVALENCE_FIRMWARE_UNPROVEN.found(reason, ENVELOPE)
    elif major_version(ran) != major_version(stated):
        reason = f"The machine ran {ran}; the site was certified with {stated}."
        yield EQUIVALENCE_FIRMWARE_CHANGED.found(reason, ENVELOPE)


def major_version(firmware: str) -> str:
    """Return the major version in what a machine calls its firmware, all of it where none is."""
    found = _VERSION.search(firmware) or _NUMBER.search(firmware)
    return firmware if found is None else found.group().lstrip("0")
