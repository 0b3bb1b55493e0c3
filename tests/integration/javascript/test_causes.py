"""What the page's verifier knows of causes is what the Python verifier says of them."""

import json
import subprocess

from environments import ROOT, node
from guildmark.domain.verification.report import Lack
from guildmark.domain.verification.verdict import CHECKS

CAUSES = ROOT / "backend" / "guildmark" / "api" / "static" / "verifier" / "causes.js"
_SCRIPT = "console.log(JSON.stringify((await import(process.argv[1])).tables()));"


def test_exempt_causes_lacks_and_what_covers_are_those_of_the_checks() -> None:
    command = [str(node()), "--input-type=module", "-e", _SCRIPT, CAUSES.as_uri()]
    told = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    causes = [cause for check in CHECKS for cause in check.causes]

    assert sorted(told["exempt"]) == sorted({one.code for one in causes if one.is_exempt})
    assert told["lacks"] == {
        one.code: one.lack.value for one in causes if one.lack is not Lack.EVIDENCE
    }
    covered = {one.code: one.covered_by for one in causes}
    assert told["coveredBy"] == {code: number for code, number in covered.items() if number}
