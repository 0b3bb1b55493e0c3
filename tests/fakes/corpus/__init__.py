"""The corpus of bundles: one broken thing in each of the failing ones, nothing in the good ones."""

from collections.abc import Iterator

from fakes.corpus.bytes_changed import changed_archives
from fakes.corpus.case import Given
from fakes.corpus.fields_changed import (
    changed_fields,
    changed_statements,
    changed_trust,
    changed_values,
)
from fakes.corpus.good import good_cases
from fakes.corpus.named import named_cases
from fakes.corpus.words_changed import changed_words

__all__ = ["Given", "cases"]


def cases() -> Iterator[Given]:
    """Yield every case, each made anew from fixed keys and salts."""
    yield from good_cases()
    yield from named_cases()
    yield from changed_fields()
    yield from changed_values()
    yield from changed_statements()
    yield from changed_words()
    yield from changed_trust()
    yield from changed_archives()
