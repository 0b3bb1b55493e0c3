"""The main job, end to end; its exit code is not zero where anything is not as told."""

import logging
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import reports
from demo import cast, left
from demo.aftermath import tell_aftermath, with_extras
from demo.customer import Customer
from demo.making import (
    Part,
    build_all,
    equip,
    fresh_beacon,
    keep_settings,
    license_design,
    refused_at_the_door,
    shown_by_site,
)
from demo.outcome import Outcome, anchors, receipts
from demo.qualifying import aim, qualify, watch, write_reports
from demo.rogue import NOT_LOGGED, Rogue, turn_rogue
from demo.scene import Scene, set_scene
from demo.showing import materialise, read_bundle, show
from demo.stage import ENDING, STAGE, Stage, StageError, alone, open_stage, write
from demo.summary import summarise
from demo.telling import Teller
from demo.workshop import CUSTOMISED
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.verification.evidence import Evidence

INTERRUPTED = 130


def main(words: Sequence[str]) -> int:
    """Play the whole story, write the report, and return the exit code.

    Args:
        words: The folder to play in, if not build/demo.
    """
    teller = Teller()
    folder = Path(words[0]).resolve() if words else STAGE
    for number in ENDING:
        signal.signal(number, signal.default_int_handler)
    try:
        with alone(folder):
            return _perform(teller, folder)
    except (StageError, GuildmarkError) as error:
        teller.say(f"[bold red]The demo stopped:[/] {error}")
        return 1
    except KeyboardInterrupt:
        teller.say("[bold red]The demo was ended:[/] nothing of it runs any more.")
        return INTERRUPTED


def _perform(teller: Teller, folder: Path) -> int:
    ended = left.end_left(folder)
    if ended:
        teller.say(f"Ended what an earlier demo left running: {', '.join(ended)}.")
    with open_stage(folder, keep=os.environ.get("KEEP") == "1") as stage:
        logging.basicConfig(filename=stage.folder / "logs" / "demo.log", level=logging.WARNING)
        logging.captureWarnings(capture=True)
        _, outcome = tell(stage, teller)
        untold = list(outcome.untold())
    for line in untold:
        teller.say(f"[bold red]Not as told:[/] {line}")
    return 1 if untold else 0


def tell(stage: Stage, teller: Teller) -> tuple[Scene, Outcome]:
    """Play the whole story, write the report and sum up."""
    scene, outcome = _play(stage, teller)
    seconds = teller.seconds
    report = reports.dump(outcome.report(seconds=seconds)).encode()
    write(stage.folder / "report.json", report)
    summarise(teller, scene, outcome, seconds=seconds)
    return scene, outcome


def _play(stage: Stage, teller: Teller) -> tuple[Scene, Outcome]:
    scene = set_scene(stage, teller)
    customer = Customer(scene=scene)
    with teller.step("A customer pins the chain over his own connection, lists whom he accepts"):
        customer.choose_whom_to_trust()
    package, lanes = license_design(scene, teller, asks_equivalence=True)
    workshops = equip(scene, package, lanes, teller)
    qualified = qualify(scene, package, workshops, teller)
    workshops = aim(keep_settings(workshops, teller))
    workshops = with_extras(workshops)
    parts = build_all(scene, workshops, teller)
    anchored = anchors(scene, {one.lane for one in workshops})
    last = workshops[-1]
    with teller.step("A 61st is refused at the door; a rogue logs it, and gets no unit for it"):
        refusal = refused_at_the_door(scene, last)
        shown = [*scene.shown_by_all(), *shown_by_site(scene, last, package)]
        rogue = turn_rogue(scene, last, fresh_beacon(scene), shown)
        rogue.log()
    with teller.step("One part becomes a token of its buyer"):
        gas = materialise(scene, parts[0]).gas_used
    with teller.step("The customer believes one block; every part gets a bundle of it and a code"):
        block = customer.believe_newest_block()
        show(scene, parts, block=block)
    with teller.step(
        "He verifies the customised part of each site, over the other node and offline"
    ):
        verified = customer.verify_both_ways(_one_a_site(parts), block=block)
    with teller.step("The customer verifies four bad parts"):
        bad = customer.verify_bad(_bad(scene, rogue, parts[-1], block))
    with teller.step(
        f"The {cast.UNITS} logged parts are held against the certificates; a site that drifts is "
        "suspended"
    ):
        suspended = watch(scene, workshops, qualified)
        write_reports(scene, qualified)
    outcome = Outcome(
        qualified=qualified,
        suspended=suspended,
        parts=parts,
        anchors=anchored,
        receipts=receipts(scene, workshops),
        refusal=refusal,
        materialise_gas=gas or 0,
        verified=verified,
        bad=bad,
        aftermath=tell_aftermath(scene, customer, parts, teller),
    )
    return scene, outcome


def _one_a_site(parts: Sequence[Part]) -> list[Part]:
    """Return the part of each site that was made as a customer chose."""
    return [part for part in parts if part.number == CUSTOMISED]


def _bad(scene: Scene, rogue: Rogue, honest: Part, block: int) -> list[tuple[str, Evidence]]:
    """Return what the rogue shows of the builds that it logged, and of one that it did not."""
    real = read_bundle(scene.node_of(honest.workshop.operator), honest, block=block)
    return [*rogue.shown(block=block), (NOT_LOGGED, rogue.forge(real))]
