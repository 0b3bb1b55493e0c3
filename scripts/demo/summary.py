"""The end of the story, in colours: what was made, what it cost, what was found, what is next."""

import os

from rich.table import Table

from demo.aftermath import LOT
from demo.customer import FROM_BUNDLE, OVER_NODE
from demo.making import Part
from demo.outcome import Outcome
from demo.rogue import ALTERED, NOT_LOGGED, OVER_QUOTA, UNREGISTERED
from demo.scene import Scene
from demo.showing import label_link
from demo.telling import Teller
from demo.workshop import CHOICES, CUSTOMISED
from environments import ROOT
from guildmark.domain.equivalence.verdict import Verdict

_STORIES = {
    ALTERED: "a measured value was changed after the machine had signed",
    UNREGISTERED: "a machine that nobody registered signed it",
    OVER_QUOTA: "unit 61 of 60: its record grants nothing",
    NOT_LOGGED: "a real record, with a false path to it",
}


def summarise(teller: Teller, scene: Scene, outcome: Outcome, *, seconds: float) -> None:
    """Tell what came out."""
    teller.say("")
    teller.console.print(_anchors(outcome))
    teller.console.print(_verified(outcome))
    teller.say(f"[dim]{outcome.verified[0].answer['headline']}[/]\n")
    teller.console.print(_sites(outcome))
    teller.console.print(_bad(outcome))
    teller.console.print(_after(outcome))
    teller.say(
        f"One part became a token for [bold]{outcome.materialise_gas:,}[/] gas. "
        f"All of it took [bold]{seconds:.0f} s[/]."
    )
    _say_next(teller, scene, outcome)


def _anchors(outcome: Outcome) -> Table:
    table = _table(
        f"{len(outcome.parts)} parts on record", "operator", "parts", "gas", "gas a part"
    )
    for anchor in outcome.anchors:
        a_part = f"{anchor.gas / anchor.size:,.0f}"
        table.add_row(anchor.name, str(anchor.size), f"{anchor.gas:,}", a_part)
    return table


def _verified(outcome: Outcome) -> Table:
    columns = ("part", "made at", "as the customer chose", OVER_NODE, FROM_BUNDLE)
    table = _table("Verified by the customer", *columns)
    places = {part.hint: part.workshop.maker.place for part in outcome.parts}
    chosen = {part.hint: _choice(part) for part in outcome.parts}
    exits = {(verdict.of, verdict.way): _exit(verdict.exit) for verdict in outcome.verified}
    for part in dict.fromkeys(verdict.of for verdict in outcome.verified):
        over, offline = exits[part, OVER_NODE], exits[part, FROM_BUNDLE]
        table.add_row(part, places[part], chosen[part], over, offline)
    return table


def _sites(outcome: Outcome) -> Table:
    columns = ("site", "plan", "verdict", "in words")
    table = _table("Equivalence of the sites (simulated values)", *columns)
    places = {part.workshop.maker.example.letter: part.workshop.maker for part in outcome.parts}
    for row in outcome.qualified.rows:
        is_good = row.verdict == Verdict.EQUIVALENT
        told = f"[green]{row.verdict}[/]" if is_good else f"[yellow]{row.verdict}[/]"
        table.add_row(places[row.site].place, str(row.number), told, row.summary)
    for site, reason in outcome.suspended.items():
        table.add_row(places[site].place, "", "[red]suspended[/]", reason)
    return table


def _choice(part: Part) -> str:
    choice = CHOICES[part.workshop.maker.example.letter]
    words = f"{choice.path.rpartition('/')[2]}: {choice.value} {choice.unit or ''}"
    return words.rstrip() if part.number == CUSTOMISED else ""


def _bad(outcome: Outcome) -> Table:
    table = _table("Four bad parts", "what was done", "exit", "failed checks")
    for verdict in outcome.bad:
        failed = ", ".join(f"({one['check']}) {one['code']}" for one in verdict.failed)
        table.add_row(_STORIES[verdict.of], _exit(verdict.exit), failed)
    return table


def _after(outcome: Outcome) -> Table:
    after = outcome.aftermath
    table = _table("After the sale", "what happened", "exit", "the part's page")
    table.add_row(
        f"{LOT} is recalled: part {after.recalled.of}", _exit(after.recalled.exit), after.page
    )
    table.add_row("the recall is closed", "", f"{after.page_later}; the timeline keeps the recall")
    table.add_row("a copied label: its code comes second", _exit(after.second), after.page_claimed)
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", header_style="dim")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _exit(code: int) -> str:
    return f"[green]{code}[/]" if code == 0 else f"[red]{code}[/]"


def _say_next(teller: Teller, scene: Scene, outcome: Outcome) -> None:
    hint, bad = outcome.verified[0].of, outcome.bad[0].of
    place = os.path.relpath(scene.stage.folder, ROOT)
    teller.say("\n[bold]Next[/]")
    for path in (f"bundles/{hint}.zip", f"bad/{bad}.zip"):
        command = f"guildmark verify {place}/{path} --trust {place}/trust.json --offline"
        teller.say(f"  .venv/bin/{command}")
    teller.say(f"  {place}/report.json, {place}/bundles/, {place}/labels/, {place}/equivalence/")
    if os.environ.get("KEEP") != "1":
        teller.say(
            "  make demo KEEP=1 leaves the nodes running: their pages, and what labels lead to"
        )
        return
    for operator, node in zip(scene.operators, scene.nodes, strict=True):
        teller.say(f"  {_link(node.url)} is the node of {operator.party.name}")
        teller.say(f"  {_link(f'{node.url}/parts/{hint}')} is its page of a part")
    part = next(part for part in outcome.parts if part.hint == hint)
    teller.say(f"  {_link(label_link(scene, part))}")
    teller.say(
        f"    is what the code of {place}/labels/{hint}.svg holds; this machine's browsers open it"
    )
    numbers = " ".join(str(process.pid) for process in scene.stage.processes.values())
    teller.say(f"  kill {numbers} ends nodes and chain; so does the next make demo")


def _link(address: str) -> str:
    """Return an address that a terminal lets its user click."""
    return f"[link={address}]{address}[/link]"
