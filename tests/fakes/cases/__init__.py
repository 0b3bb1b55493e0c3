"""The corpus: for every cause of every check a case that breaks exactly that."""

from fakes.cases import (
    accredited,
    approved,
    chain,
    countersigned,
    design,
    entry,
    equivalent,
    given,
    inspections,
    key,
    licenses,
    measured,
    notices,
    overridden,
    parties,
    recalled,
    recipe,
    record,
    salted,
    second,
    shared,
    sold,
)
from fakes.cases.draft import CASES, Broken, Draft, Sealed

ROOMS = (
    *(
        chain,
        parties,
        key,
        notices,
        inspections,
        countersigned,
        entry,
        record,
        design,
        licenses,
        given,
        recipe,
        measured,
        salted,
    ),
    *(approved, overridden, equivalent, accredited, recalled, second, shared, sold),
)

__all__ = ["CASES", "ROOMS", "Broken", "Draft", "Sealed"]
