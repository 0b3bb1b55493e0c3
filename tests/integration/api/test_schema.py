"""Every answer is as the API's own description says: schemathesis with all its checks."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from guildmark.domain.identifiers import to_hex
from guildmark.domain.labels.activation import ActivationCode
from stages import Played

pytestmark = [pytest.mark.chain, pytest.mark.needs("anvil")]

# Nobody can guess what a key signs: all that these operations get here is refused.
_SIGNED = "".join(
    f'[[operations]]\ninclude-path = "{path}"\nchecks.positive_data_acceptance.enabled = false\n'
    for path in (
        *("/v1/releases", "/v1/reconciliations", "/v1/disclosures/inspection/{key}"),
        *("/v1/disclosures/designPicture/{key}", "/v1/disclosures/approvals/{key}"),
        "/v1/disclosures/recallReason/{key}",
        # A plan and what its sites revealed, under salts.
        *(f"/v1/disclosures/published{what}/{{key}}" for what in ("Data", "Plan", "Result")),
    )
)
# The log is the one that is there, also where a case was to have a wrong one.
_GIVEN = (
    '[[operations]]\ninclude-path = "/v1/logs/{log}/consistency/{old}/{new}"\n'
    "checks.negative_data_rejection.enabled = false\n"
)
_CLAIM = {"code": ActivationCode.drawn(bytes(12)).text(), "token": to_hex(bytes(32))}
_CASES = re.compile(r"([\d,]+) generated, ([\d,]+) passed")


def _schemathesis(folder: Path, url: str, *, examples: int, known: str = "") -> int:
    """Run schemathesis over a node's API and return how many cases passed; all must."""
    config = folder / "schemathesis.toml"
    config.write_text(known + _SIGNED, encoding="utf-8")
    done = subprocess.run(
        [
            *(Path(sys.executable).with_name("schemathesis"), "--config-file", config, "run"),
            *(f"{url}/openapi.json", "--mode", "all", "--seed", "17", "--max-examples"),
            *(str(examples), "--generation-database", "none", "--no-color"),
            # How fast cases are made says nothing of the API, and much of who else computes; few
            # texts are a tile's path.
            "--suppress-health-check=too_slow,filter_too_much",
        ],
        env={
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parent),
            "SCHEMATHESIS_HOOKS": "schemathesis_hooks",
        },
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    found = _CASES.search(done.stdout)
    assert found is not None, done.stdout
    generated, passed = (int(number.replace(",", "")) for number in found.groups())
    assert generated == passed
    return passed


def test_no_case_leaves_the_description(
    web: httpx.Client,
    played: Played,
    tmp_path: Path,
    volume: Callable[[int, int, int], int],
) -> None:
    # An operation's examples; there are two dozen operations and further phases.
    examples, least = volume(8, 400, 4_000), volume(500, 10_000, 100_000)

    cases = _schemathesis(tmp_path, played.node.url, examples=examples)

    assert cases >= least
    _check_quiet(web, played)


def test_no_case_about_things_that_are_there_leaves_the_description(
    web: httpx.Client,
    played: Played,
    tmp_path: Path,
    volume: Callable[[int, int, int], int],
) -> None:
    cases = _schemathesis(
        tmp_path, played.node.url, examples=volume(3, 30, 300), known=_known(played)
    )

    assert cases >= volume(100, 500, 5_000)
    _check_quiet(web, played)


def _known(played: Played) -> str:
    external = played.workshops[0].assignment.external
    values = {
        "path.part": played.parts[0].hint,
        "path.log": 1,
        "path.seq": 0,
        "path.identity": to_hex(played.workshops[0].maker.site),
        "path.design": to_hex(external.design),
        "path.license_id": to_hex(external.license),
        "query.label": played.parts[0].label,
    }
    lines = [f'"{name}" = {value!r}'.replace("'", '"') for name, value in values.items()]
    return "[parameters]\n" + "\n".join(lines) + "\n" + _GIVEN


def _check_quiet(web: httpx.Client, played: Played) -> None:
    assert web.get("/readyz").status_code == 200
    # Whoever claims after these cases is not the network that tried too often.
    claimed = web.post(f"/v1/parts/{played.parts[0].hint}/claims", json=_CLAIM)
    assert claimed.json()["code"] == "activation.codeUnnamed"
    log = (played.stage.folder / "logs" / "operator-1.log").read_text(encoding="utf-8")
    assert '"status": 500' not in log
    assert "Traceback" not in log
