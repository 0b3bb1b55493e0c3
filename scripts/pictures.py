"""Take the README's pictures anew: the demo's terminal, and a part's page on a phone.

`.venv/bin/python scripts/pictures.py` plays the demo and needs Chromium (`make system`).
"""

import io
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright
from rich.console import Console

from demo import left
from demo.run import tell
from demo.stage import STAGE, alone, open_stage
from demo.telling import Teller
from environments import ROOT

TERMINAL = ROOT / "docs" / "demo.svg"
PAGE = ROOT / "docs" / "verdict-phone.png"

_COLUMNS = 100
_PHONE = (360, 740)
# Rich's own frame loads a font from another host.
_FRAME = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" \
aria-label="The terminal after make demo">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; \
font-size: {char_height}px; line-height: {line_height}px }}
.{unique_id}-title {{ font: bold 18px system-ui, sans-serif }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">\
<rect width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def main() -> int:
    """Play the demo, take both pictures, and return 1 if anything was not as told."""
    console = Console(record=True, width=_COLUMNS, highlight=False)
    left.end_left(STAGE)
    with alone(STAGE), open_stage(STAGE, keep=False) as stage:
        scene, outcome = tell(stage, Teller(console=console))
        if list(outcome.untold()):
            return 1
        _photograph(f"{scene.nodes[0].url}/parts/{outcome.verified[0].of}", PAGE)
    drawing = console.export_svg(title="make demo", code_format=_FRAME, unique_id="demo")
    lines = [line.rstrip() for line in drawing.splitlines()]
    TERMINAL.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0


def _photograph(address: str, path: Path) -> None:
    width, height = _PHONE
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        page = browser.new_page(
            viewport={"width": width, "height": height},
            device_scale_factor=2,
            color_scheme="light",
        )
        page.goto(address)
        picture = page.screenshot()
        browser.close()
    # A page has few colours; with a palette the file is a third as long.
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(256).save(path, optimize=True)


if __name__ == "__main__":
    sys.exit(main())
