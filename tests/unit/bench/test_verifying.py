"""The bench's own verifying: what of a bundle is counted, and that wrong scripts are told."""

from pathlib import Path
from zipfile import ZipFile

import pytest

from bench import verifying
from bench.verifying import _Script, core_bytes


def test_statement_and_log_are_the_core(tmp_path: Path) -> None:
    path = tmp_path / "bundle.zip"
    files = {"statements/build.dsse.json": 7, "log/entry.json": 5, "chain/log.json": 90, "a": 1}
    with ZipFile(path, "w") as archive:
        for name, size in files.items():
            archive.writestr(name, b"x" * size)

    assert core_bytes(path.read_bytes()) == 12


@pytest.mark.parametrize(
    ("code", "is_right"),
    [
        ("import sys, pathlib; sys.exit('no' in pathlib.Path(sys.argv[1]).name)", True),
        ("pass", False),
        ("import sys; sys.exit(1)", False),
    ],
)
def test_a_script_is_right_where_it_takes_good_files_and_refuses_bad_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, is_right: bool
) -> None:
    monkeypatch.setattr(verifying, "_FOLDER", tmp_path)
    good, bad = tmp_path / "yes", tmp_path / "no"

    script = _Script(arguments=["-c", code], good=[good], bad=[bad])

    assert script.is_right() is is_right
