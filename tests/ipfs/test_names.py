"""File names from outside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guildmark_ipfs.errors import UnsafeNameError
from guildmark_ipfs.names import MAX_NAME, check_name, check_names


@pytest.mark.parametrize(
    "name",
    ["part.stl", "Deckel 2.step", "gehäuse.3mf", "部品.gcode", "a", "a" * MAX_NAME, "con1", "x..y"],
)
def test_a_plain_name_passes(name: str) -> None:
    assert check_name(name) == name


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("", "is empty"),
        ("a" * (MAX_NAME + 1), "longer than 255 bytes"),
        ("ä" * 128, "longer than 255 bytes"),
        (".", "begins with a dot"),
        ("..", "begins with a dot"),
        (".ssh", "begins with a dot"),
        ("-rf", "a dash"),
        (" part", "or a space"),
        ("part ", "ends with"),
        ("part.", "ends with"),
        ("../part", "begins with a dot"),
        ("a/../../part", "is a path"),
        ("a\\part", "is a path"),
        ("/etc/passwd", "is a path"),
        ("C:part", "is a path"),
        ("part?", "is a path"),
        ("NUL", "reserved by a system"),
        ("com1.stl", "reserved by a system"),
        ("Aux .stl", "reserved by a system"),
        ("pa\x00rt", "invisible"),
        ("pa\nrt", "invisible"),
        ("part\u202elts.exe", "invisible"),
        ("pa\u200brt", "invisible"),
        ("pa\ud800rt", "invisible"),
        ("a\u0308", "NFC"),
    ],
)
def test_any_other_name_is_refused(name: str, fault: str) -> None:
    with pytest.raises(UnsafeNameError, match=fault) as caught:
        check_name(name)

    str(caught.value.detail["name"]).encode("ascii")


@given(st.text())
def test_a_name_that_passes_is_one_step_below_a_folder(name: str) -> None:
    try:
        check_name(name)
    except UnsafeNameError:
        return

    assert not {"/", "\\", "\x00"} & set(name)
    assert name not in {"", ".", ".."}


def test_names_of_one_set_may_not_meet() -> None:
    assert check_names(["a.stl", "b.stl"]) == ("a.stl", "b.stl")

    with pytest.raises(UnsafeNameError, match="would meet"):
        check_names(["Part.stl", "b.stl", "part.STL"])
    with pytest.raises(UnsafeNameError, match="would meet"):
        check_names(["a.stl", "a.stl"])
    with pytest.raises(UnsafeNameError, match="is a path"):
        check_names(["a.stl", "x/y"])
