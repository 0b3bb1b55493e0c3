"""What letters look like: Unicode's tables of confusable characters and of scripts (UTS 39)."""

import json
import unicodedata
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

_TABLES = "confusable_homoglyphs"
_UNSEEN = "\u200e"
# Characters of these belong to every script.
_SHARED = frozenset({"COMMON", "INHERITED"})


class UnicodeNames:
    """How names look by the tables of Unicode; fulfils ``Names``."""

    def skeleton(self, text: str) -> str:
        """Return what a text has in common with all that look like it (UTS 39, section 4)."""
        plain = unicodedata.normalize("NFD", text)
        prototypes = _prototypes()
        return unicodedata.normalize(
            "NFD", "".join(prototypes.get(letter, letter) for letter in plain)
        )

    def scripts(self, text: str) -> frozenset[str]:
        """Return the scripts of a text's letters, as Unicode names them in capitals."""
        return frozenset(map(_script, text)) - _SHARED


@cache
def _prototypes() -> Mapping[str, str]:
    """Return the prototype of each character that looks like another.

    The package writes Unicode's pairs from both sides: a prototype is linked to all that look like
    it, each of these to the prototype alone.
    """
    linked = {
        _bare(one): [_bare(each["c"]) for each in others]
        for one, others in _table("confusables.json").items()
    }
    return {
        one: others[0]
        for one, others in linked.items()
        if len(others) == 1 and _is_prototype(others[0], one, linked)
    }


def _is_prototype(one: str, other: str, linked: Mapping[str, Sequence[str]]) -> bool:
    # Of a pair without others it matters only that both are told alike.
    return len(linked[one]) > 1 or (len(one), other) > (len(other), one)


def _bare(text: str) -> str:
    return text.strip(_UNSEEN)


@cache
def _starts() -> Sequence[int]:
    return [first for first, *_ in _ranges()]


@cache
def _ranges() -> Sequence[Sequence[int]]:
    found: Sequence[Sequence[int]] = _table("categories.json")["code_points_ranges"]
    return found


@cache
def _scripts() -> Sequence[str]:
    found: Sequence[str] = _table("categories.json")["iso_15924_aliases"]
    return found


def _script(letter: str) -> str:
    place = bisect_right(_starts(), ord(letter)) - 1
    first, last, script, *_ = _ranges()[place]
    # A newer Unicode's letter has no script that is known here, and so mixes with none.
    return _scripts()[script] if first <= ord(letter) <= last else "COMMON"


def _table(name: str) -> Any:
    return json.loads(files(_TABLES).joinpath(name).read_text(encoding="utf-8"))
