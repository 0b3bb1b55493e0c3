"""After the sale: a lot is recalled and found harmless, and a label is copied."""

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from html import unescape

import httpx

from demo import cast
from demo.actors import ACCOUNT
from demo.customer import Customer, Verdict
from demo.making import Part, patiently
from demo.scene import Scene
from demo.stage import StageError, write
from demo.telling import Teller
from demo.workshop import Extra, Workshop
from guildmark.bootstrap import Home
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.labels.activation import CODE_ENTROPY, ActivationCode
from guildmark.domain.recall import Severity, Thing
from guildmark.services.recalls.recalling import Said

LOT = "Spool 2026-117"
LOT_BEGINS = 15
"""From this number on the first site's parts are made of that spool."""
COPIED = 3
"""The number of the first site's part whose label somebody copies."""

RECALLED, POSSIBLE_COPY = 20, 22

_WHY = b"The spool was wet: layers may come apart."
_HARMLESS = b"Pull tests of twelve parts show full strength."
_TOKEN_SIZE = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftermath:
    """What buyers of two parts find.

    Args:
        recalled: What ``guildmark verify`` answers while the lot is recalled.
        page: The headline of the part's page meanwhile.
        page_later: Its headline when the recall is closed.
        stays: Whether that page still tells of the recall.
        second: The exit code of who comes second with the code of a label.
        page_claimed: What the page of that label says.
    """

    recalled: Verdict
    page: str
    page_later: str
    stays: bool
    second: int
    page_claimed: str

    def untold(self) -> Iterator[str]:
        """Yield what is not as told."""
        if (self.recalled.exit, self.page) != (RECALLED, "Recalled"):
            yield f"The recalled part ended with {self.recalled.exit}; its page says {self.page}."
        if self.page_later == self.page or not self.stays:
            yield f"Where the recall is closed, the page says {self.page_later}."
        if self.second != POSSIBLE_COPY or not self.page_claimed:
            yield f"The second claim ended with {self.second}."


def with_extras(workshops: Sequence[Workshop]) -> Sequence[Workshop]:
    """Let the first site name a lot for its last parts, and hide a code under one label."""
    first, *others = workshops
    lot, builds = _lot(first), first.maker.machine_home.builds
    numbers = range(LOT_BEGINS, cast.UNITS_A_SITE + 1)
    extras = {number: Extra(declared=builds.declare([lot])) for number in numbers}
    code = ActivationCode.drawn(first.maker.party.home.entropy.token(CODE_ENTROPY))
    return [replace(first, extras={**extras, COPIED: Extra(code=code)}), *others]


def tell_aftermath(
    scene: Scene, customer: Customer, parts: Sequence[Part], teller: Teller
) -> Aftermath:
    """Let a lot be recalled and the recall be closed, and a label be copied."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        claims = pool.submit(_claim_twice, scene, customer, parts)
        with teller.step("A lot that its maker declared is recalled: its parts say so at once"):
            recalled, page = _recall_lot(scene, customer, parts)
        with teller.step("The recall is closed, and stays on record"):
            page_later, stays = _close_recall(scene, parts)
        with teller.step("A label is copied: the code under its scratch field comes second"):
            second, page_claimed = claims.result()
    return Aftermath(
        recalled=recalled,
        page=page,
        page_later=page_later,
        stays=stays,
        second=second,
        page_claimed=page_claimed,
    )


def _recall_lot(scene: Scene, customer: Customer, parts: Sequence[Part]) -> tuple[Verdict, str]:
    """Recall the lot as its maker; return what a customer finds, and the page's headline."""
    part, home, lot = _made_of_it(parts)
    home.indexing.follow()
    home.recalling(ACCOUNT).issue(lot, Said(severity=Severity.WITHDRAW, reason=sha256(_WHY)))
    _read_by_node(scene, part)
    page = _page(scene, part)
    return customer.verify_over_own_node(part, block=customer.believe_newest_block()), page


def _close_recall(scene: Scene, parts: Sequence[Part]) -> tuple[str, bool]:
    """Close the recall; return the page's headline, and whether it still tells of the recall."""
    part, home, lot = _made_of_it(parts)
    home.indexing.follow()
    home.recalling(ACCOUNT).close(lot, 1, sha256(_HARMLESS))
    _read_by_node(scene, part)
    html = _html(scene, part)
    return _headline(html), "Recalled since " in html and "was closed." in html


def _claim_twice(scene: Scene, customer: Customer, parts: Sequence[Part]) -> tuple[int, str]:
    """Let a buyer claim his part, then one who bought a copy; return what these are told."""
    part = next(part for part in parts if part.number == COPIED)
    code = part.workshop.extras[COPIED].code
    if code is None:
        message = "The label has no code."
        raise StageError(message)
    node = scene.node_of(part.workshop.operator)
    node.claim(part.hint, code.text(), scene.designer.home.entropy.token(_TOKEN_SIZE))
    file = scene.stage.folder / "copied" / "code.txt"
    write(file, code.text().encode())
    second = customer.activate(part, node=node.url, code=file)
    return second, next(iter(re.findall(r"Claimed since [^<]+", _html(scene, part))), "")


def _made_of_it(parts: Sequence[Part]) -> tuple[Part, Home, Thing]:
    part = next(part for part in parts if part.number == LOT_BEGINS)
    return part, part.workshop.maker.party.home, _lot(part.workshop)


def _lot(workshop: Workshop) -> Thing:
    maker = workshop.maker.party
    return maker.home.lots.named(maker.id, LOT)


def _read_by_node(scene: Scene, part: Part) -> None:
    """Wait until the part's node has read what is final now."""
    block = scene.designer.home.ledger.head(final=True).number
    url = f"{scene.node_of(part.workshop.operator).url}/readyz"
    patiently(lambda: int(httpx.get(url).json()["block"]), lambda found: found >= block)


def _page(scene: Scene, part: Part) -> str:
    return _headline(_html(scene, part))


def _html(scene: Scene, part: Part) -> str:
    url = f"{scene.node_of(part.workshop.operator).url}/parts/{part.hint}"
    return httpx.get(url, timeout=30).raise_for_status().text


def _headline(html: str) -> str:
    return unescape(next(iter(re.findall(r'<h1 id="headline">([^<]*)</h1>', html)), ""))
