"""`make demo`: the main job, end to end; exits non-zero where anything is not as told."""

import sys

from demo.making import build_all, equip, license_design, refused_at_the_door
from demo.scene import set_scene
from demo.stage import open_stage
from demo.telling import Teller


def main() -> int:
    """Play the whole story and return the exit code."""
    teller = Teller()
    with open_stage() as stage:
        scene = set_scene(stage, teller)
        package, lanes = license_design(scene, teller)
        workshops = equip(scene, package, lanes, teller)
        parts = build_all(scene, workshops, teller)
        print(len(parts), refused_at_the_door(scene, workshops[-1]), teller.seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
