"""OKH manifests in YAML become recipes; what would harm their reader is refused."""

from pathlib import Path

import pytest

from guildmark.adapters import profiles
from guildmark.adapters.manifests import read_yaml
from guildmark.adapters.profiles import ProfileExtraError, read_profile_file
from guildmark.domain.recipes.importing.profiles import Program
from guildmark.domain.recipes.importing.settings import SIZE_MAX, ProfileMalformedError

MANIFEST = """\
title: Pipe bracket
description: A bracket that a pipe snaps into.
intended-use: holds a pipe at rest
made-independently: true
quality-instructions: ./qa.md
standards-used:
  - standard-title: ISO 2768
contact: {name: somebody}
"""


@pytest.mark.parametrize("name", ["okh.yml", "OKH.YAML"])
def test_a_manifest_in_yaml_is_read_and_the_rest_listed(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_text(MANIFEST)

    imported = read_profile_file(file)

    assert imported.name == "Pipe bracket"
    assert {one.path: one.value for one in imported.clauses} == {
        "/qa/inspection": "./qa.md",
        "/safety/use": "holds a pipe at rest",
    } | {one.path: one.value for one in imported.clauses if one.path == "/qa/standards"}
    assert "made-independently" in imported.unread
    assert "contact.name" in imported.unread


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a: &x 1\nb: *x\n", "aliases"),
        (b"a: " + b"[" * 100_000, "levels"),
        (b"a: " + b"[" * 20 + b"]" * 20, "levels"),
        (b"a: [1", "no YAML"),
        (b"\xff\xfe\xfd", "no YAML"),
        (b"- one\n", "no mapping"),
        (b"? [a]\n: 1\n", "no YAML"),
        (b"", "no mapping"),
        (b" " * (SIZE_MAX + 1), "at most"),
        (b"- a\n" * 10_001, "more members"),
    ],
)
def test_what_is_no_manifest_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(ProfileMalformedError, match=message):
        read_yaml(data)


def test_twenty_levels_are_read() -> None:
    assert read_yaml(b"a: " + b"[" * 19 + b"]" * 19)


def test_tags_make_no_objects() -> None:
    assert read_yaml(b"a: !!python/object/apply:os.getpid []\nb: 010\n") == {"a": [], "b": "010"}


def test_without_the_extra_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profiles, "find_spec", lambda _: None)
    file = tmp_path / "okh.yml"
    file.write_text(MANIFEST)

    with pytest.raises(ProfileExtraError) as caught:
        read_profile_file(file, Program.OKH)

    assert "guildmark[okh]" in caught.value.next_step
