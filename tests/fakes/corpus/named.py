"""The cases that name a cause: for every cause of every check at least one."""

from collections.abc import Iterator

from fakes.cases import CASES
from fakes.corpus.case import Given, given


def named_cases() -> Iterator[Given]:
    for case in CASES:
        decides = case.decides and case.exit
        decisive = {"check": case.check, "code": case.code} if decides else {}
        yield given(case.name, case.seal(), exit=case.exit, **decisive)
