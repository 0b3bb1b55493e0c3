"""The tree of errors."""

import re
from collections.abc import Iterator

import pytest

from guildmark_ipfs import errors
from guildmark_ipfs.errors import ContentError, NotFoundError


def kinds(kind: type[ContentError] = ContentError) -> Iterator[type[ContentError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from kinds(child)


def test_each_error_has_a_code_of_its_own() -> None:
    codes = [kind.code for kind in kinds()]

    assert len(codes) == len(set(codes)) == 19
    assert all(re.fullmatch(r"content\.[a-z][A-Za-z]+", code) for code in codes)


@pytest.mark.parametrize("kind", list(kinds()))
def test_each_error_names_a_next_step(kind: type[ContentError]) -> None:
    error = kind("Something failed.")

    assert error.message == str(error) == "Something failed."
    assert error.next_step == kind.hint
    assert error.next_step.endswith(".")


def test_the_docstring_shows_the_whole_tree() -> None:
    for kind in list(kinds())[1:]:
        assert re.search(rf"{kind.__name__} +{re.escape(kind.code)},", errors.__doc__ or "")


def test_an_error_carries_its_own_next_step_and_the_offending_values() -> None:
    error = NotFoundError("Gone.", next_step="Ask Bob.", cid="bafy")

    assert error.next_step == "Ask Bob."
    assert error.detail == {"cid": "bafy"}
