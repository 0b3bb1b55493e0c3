"""The error tree: codes, exit codes and the walk that the docs check uses."""

from collections import Counter

import pytest

from guildmark.domain import errors

FAMILIES = {
    errors.UsageError: 2,
    errors.MalformedError: 2,
    errors.SettingsError: 2,
    errors.NetworkError: 3,
    errors.NotFoundError: 4,
    errors.ForbiddenError: 5,
    errors.ConflictError: 1,
    errors.NotClaimedError: 10,
    errors.UnknownPartError: 11,
    errors.SignatureError: 12,
    errors.RevokedError: 13,
    errors.ContentError: 14,
    errors.NonconformingError: 15,
    errors.UntrustedError: 16,
    errors.NotFinalError: 17,
    errors.NotCoveredError: 18,
    errors.NotLoggedError: 19,
    errors.RecalledError: 20,
    errors.CustodyError: 21,
    errors.PossibleCopyError: 22,
    errors.UncheckableError: 23,
}


@pytest.mark.parametrize(("family", "exit_code"), FAMILIES.items())
def test_each_family_has_its_exit_code(family: type[errors.GuildmarkError], exit_code: int) -> None:
    assert family.exit_code == exit_code


def test_error_carries_message_detail_and_the_hint_of_its_class() -> None:
    error = errors.NotFoundError("No site is called 'north'.", site="north")

    assert str(error) == error.message == "No site is called 'north'."
    assert error.detail == {"site": "north"}
    assert error.next_step == errors.NotFoundError.hint


def test_a_named_next_step_replaces_the_hint() -> None:
    error = errors.NetworkError("No answer.", next_step="Start the node.")

    assert error.next_step == "Start the node."


def test_all_errors_lists_coded_classes_in_order_and_no_family() -> None:
    found = errors.all_errors()

    assert errors.GuildmarkError in found
    assert not set(FAMILIES) & set(found)
    assert [kind.code for kind in found] == sorted(kind.code for kind in found)


def test_no_two_errors_share_a_code() -> None:
    counted = Counter(kind.code for kind in errors.all_errors())

    assert [code for code, times in counted.items() if times > 1] == []


def test_every_code_is_dotted_and_every_name_ends_in_error() -> None:
    for kind in errors.all_errors():
        area, dot, name = kind.code.partition(".")
        assert (dot, area.isascii(), name.isalnum()) == (".", True, True)
        assert kind.__name__.endswith("Error")
