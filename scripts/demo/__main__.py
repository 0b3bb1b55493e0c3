"""`make demo`: the main job, end to end; exits non-zero where anything is not as told."""

import sys

from demo.making import (
    build_all,
    equip,
    fresh_beacon,
    license_design,
    refused_at_the_door,
    shown_by_site,
)
from demo.rogue import turn_rogue
from demo.scene import set_scene
from demo.showing import fetch, materialise, show
from demo.stage import open_stage
from demo.telling import Teller

from guildmark.domain.identifiers import Address


def main() -> int:
    """Play the whole story and return the exit code."""
    teller = Teller()
    with open_stage() as stage:
        scene = set_scene(stage, teller)
        package, lanes = license_design(scene, teller)
        workshops = equip(scene, package, lanes, teller)
        parts = build_all(scene, workshops, teller)
        print(len(parts), refused_at_the_door(scene, workshops[-1]), teller.seconds)
        with teller.step("rogue"):
            w = workshops[-1]
            shown = [*scene.shown_by_all(), *shown_by_site(scene, w, package)]
            rogue = turn_rogue(scene.casting, w.operator, w, fresh_beacon(scene), shown)
            bad = rogue.log()
            print(bad)
        with teller.step("materialise"):
            print(materialise(scene, parts[0], Address(b"\1" * 20)).gas_used)
        b = scene.designer.home.ledger.head(final=True)
        from guildmark.domain import bundle
        from guildmark.domain.trust import Listed, Trust, TrustedBlock
        from guildmark.domain.verification.case import Question
        from guildmark.domain.verification.verdict import verify_evidence
        trust = Trust(version=1, chain=scene.designer.home.ledger.pin(), operators=tuple(Listed(id=o.party.id) for o in scene.operators), issuers=(Listed(id=scene.authority.id),), blocks=(TrustedBlock(number=b.number, hash=b.hash, time=b.time),))
        with teller.step("show"):
            show(scene, parts, block=b.number)
        for p in (parts[0], parts[25], parts[59]):
            r = verify_evidence(bundle.read(fetch(scene.node_of(p.workshop.operator), p, block=b.number)), trust)
            print(r.verdict, r.exit, r.headline, [(c.number, c.state, c.code, c.reason) for c in r.checks if c.state != "ok"])
            data = scene.other_node(p.workshop.operator).bundle(p.log, p.index, block=b.number, ask_peers=True)
            r = verify_evidence(bundle.read(data), trust)
            print(r.verdict, r.exit, r.headline, [(c.number, c.state, c.code, c.reason) for c in r.checks if c.state != "ok"], len(data))
        for case, build in bad.items():
            r = verify_evidence(bundle.read(bundle.write(rogue.evidence(build, block=b.number))), trust)
            print(case, r.verdict, r.exit, r.headline, [(c.number, c.state, c.code, c.reason) for c in r.checks if c.state != "ok"])
        honest = bundle.read(fetch(scene.node_of(w.operator), parts[-1], block=b.number))
        r = verify_evidence(bundle.read(bundle.write(rogue.forge(honest))), trust)
        print("not logged", r.verdict, r.exit, r.headline, [(c.number, c.state, c.code, c.reason) for c in r.checks if c.state != "ok"])
        print(teller.seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
