"""docs/verification.md lists the same checks and causes as the code."""

import re
from pathlib import Path

import pytest

from guildmark.domain.verification.case import SHARED
from guildmark.domain.verification.checks.check import Check
from guildmark.domain.verification.report import NOT_CHECKED
from guildmark.domain.verification.verdict import CHECKS

PAGE = (Path(__file__).parents[3] / "docs" / "verification.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### (.+)\n((?:(?!^#).*\n)*)", PAGE, re.MULTILINE))
ROW = re.compile(r"^\| `(verify\.\w+)` \| ([a-z ]+) \| .* \| (.+) \|$", re.MULTILINE)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: str(check.number))
def test_a_check_is_listed_with_all_its_causes(check: Check) -> None:
    body = SECTIONS[f"({check.number}) {check.name}"]

    listed = ROW.findall(body)

    assert check.asks in body
    assert listed == [(each.code, each.state.value, each.meaning) for each in check.causes]


def test_shared_causes_are_listed_once() -> None:
    listed = ROW.findall(SECTIONS["In any check"])

    assert sorted(listed) == sorted((each.code, each.state.value, each.meaning) for each in SHARED)


def test_checks_and_numbers_are_complete() -> None:
    numbers = [int(number) for number in re.findall(r"^### \((\d+)\)", PAGE, re.MULTILINE)]

    assert numbers == [check.number for check in CHECKS] == [*range(11), 12, 13]
    assert ", ".join(f"({number})" for number in NOT_CHECKED) in SECTIONS["Not checked yet"]
