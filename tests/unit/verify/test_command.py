"""``guildmark verify`` as its users call it, without any connection."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import click
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fakes.cases import CASES
from fakes.simulator import Simulator
from guildmark.adapters.clock import SystemClock
from guildmark.cli import main
from guildmark.domain import bundle
from guildmark.domain import trust as trust_file
from guildmark.domain.builds.predicate import KeyHolder
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import Digest

HONEST = Simulator()
BUNDLE = bundle.write(HONEST.evidence())


def _now(clock: SystemClock) -> int:
    return 3_000


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(SystemClock, "now", _now)
    monkeypatch.setenv("GUILDMARK_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("NO_COLOR", raising=False)
    (tmp_path / "part.zip").write_bytes(BUNDLE)
    (tmp_path / "trust.json").write_bytes(trust_file.serialise(HONEST.trust()))
    return tmp_path


def run(*words: str | Path) -> int:
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    assert isinstance(left.value.code, int)
    return left.value.code


def test_a_bundle_is_verified(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = run("verify", folder / "part.zip", "--trust", folder / "trust.json", "--offline")

    lines = capsys.readouterr().out.splitlines()
    assert code == 0
    assert lines[0] == "[ok] Verified as of 1970-01-01T00:36:40Z, signed by the machine."
    assert "  part      1.103, unit 25 of 60" in lines
    assert "  key       secp256k1" in lines
    assert any(line.startswith("  maker     Makers of Example, LEI 5299000J2N45") for line in lines)
    assert any(line.startswith("  (6) ok          license and unit") for line in lines)
    assert "  (11) not checked by this version" in lines
    assert lines[-1] == "  state     fresh as of block 77 (1970-01-01T00:36:40Z)"


@pytest.mark.parametrize(
    ("holder", "shown"),
    [
        (KeyHolder.FILE, "secp256k1 in a key file (by its own word)"),
        (KeyHolder.PKCS11, "secp256k1 in a PKCS #11 token (by its own word)"),
        (KeyHolder.TPM, "secp256k1 in a TPM (by its own word)"),
    ],
)
def test_what_holds_the_key_is_shown_as_a_claim(
    holder: KeyHolder, shown: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    simulator = Simulator(statement={"key_holder": holder})
    (folder / "part.zip").write_bytes(bundle.write(simulator.evidence()))

    run("verify", folder / "part.zip", "--offline")

    assert f"  key       {shown}" in capsys.readouterr().out.splitlines()


def test_the_answer_is_json_where_programs_read_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run("verify", folder / "part.zip", "--trust", folder / "trust.json", "--json")

    shown = json.loads(capsys.readouterr().out)
    assert (code, shown["exit"], shown["verdict"]) == (0, 0, "verified")


def test_without_a_trust_file_the_second_verdict_is_given(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("verify", folder / "part.zip") == 16
    assert "[!] Consistent, but you have not said whom you trust." in capsys.readouterr().out


def test_the_trust_file_of_the_home_is_taken(folder: Path) -> None:
    home = folder / "home"
    home.mkdir()
    (folder / "trust.json").rename(home / "trust.json")

    assert run("verify", folder / "part.zip") == 0
    assert run("verify", folder / "part.zip", "--home", folder / "none") == 16


def test_a_trust_file_that_is_none_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "trust.json").write_bytes(b"{}")
    missing = folder / "missing.json"

    assert run("verify", folder / "part.zip", "--trust", folder / "trust.json") == 2
    capsys.readouterr()
    assert run("verify", folder / "part.zip", "--trust", missing, "--json") == 2
    told = json.loads(capsys.readouterr().out)
    assert (told["code"], told["reason"]) == ("trust.unread", f"{missing} cannot be read.")


def test_several_trust_files_count_together(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = HONEST.trust()
    lists = {
        "operators": replace(whole, issuers=(), blocks=()),
        "issuers": replace(whole, operators=()),
        "elsewhere": replace(whole, chain=replace(whole.chain, genesis=Digest(b"\1" * 32))),
    }
    for name, trust in lists.items():
        (folder / name).write_bytes(trust_file.serialise(trust))
    bundle_ = folder / "part.zip"

    assert run("verify", bundle_, "--trust", folder / "issuers") == 16
    assert (
        run("verify", bundle_, "--trust", folder / "issuers", "--trust", folder / "operators") == 0
    )
    capsys.readouterr()
    assert (
        run("verify", bundle_, "--trust", folder / "issuers", "--trust", folder / "elsewhere") == 2
    )
    assert "trust.conflict" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "exit_code"),
    [
        ("altered_measurement", 12),
        ("unregistered_machine", 16),
        ("unit_61", 18),
        ("false_path", 19),
        ("tolerance_without_a_measurement", 10),
        ("revision_not_shown", 23),
    ],
)
def test_a_broken_part_has_its_exit(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, exit_code: int
) -> None:
    case = next(case for case in CASES if case.name == name)
    sealed = case.seal()
    assert sealed.trust is not None
    (folder / "part.zip").write_bytes(bundle.write(sealed.evidence))
    (folder / "trust.json").write_bytes(trust_file.serialise(sealed.trust))

    code = run("verify", folder / "part.zip", "--trust", folder / "trust.json")

    assert code == exit_code
    assert case.code in capsys.readouterr().out


def test_what_is_no_bundle_is_told_with_the_next_step(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "part.zip").write_bytes(b"PK\x03\x04")

    assert run("verify", folder / "part.zip") == 14
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "[x] Problem found: no canonical bundle."
    assert "  code      archive.notCanonical" in lines


def test_colour_is_for_terminals_that_want_it(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("guildmark.cli.verdict.click.echo", _coloured)

    run("verify", folder / "part.zip")
    assert "\x1b[" in capsys.readouterr().out
    monkeypatch.setenv("NO_COLOR", "1")
    run("verify", folder / "part.zip")
    assert "\x1b[" not in capsys.readouterr().out


def _coloured(text: str, *, color: bool | None) -> None:
    """Do what click does in a terminal."""
    sys.stdout.write((text if color is None else click.unstyle(text)) + "\n")


def test_text_from_a_bundle_does_not_steer_the_terminal(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = Simulator(statement={"label": "https://\x1b[2J\u202eevil"})
    (folder / "part.zip").write_bytes(bundle.write(hostile.evidence()))

    run("verify", folder / "part.zip")

    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\u202e" not in out


def test_a_part_without_readable_statement_is_told_by_its_place(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unreadable = Simulator(envelope=b"{}", record={"grants": ()})
    (folder / "part.zip").write_bytes(bundle.write(unreadable.evidence()))

    assert run("verify", folder / "part.zip") == 12
    lines = capsys.readouterr().out.splitlines()
    assert "  part      1.103, no unit" in lines
    assert not any(line.startswith("  label") for line in lines)


def test_a_part_on_a_node_needs_a_connection(folder: Path) -> None:
    assert run("verify", "https://id.example.org/id/abcdefgh23456777/5-00025", "--offline") == 2
    assert run("verify", "1.103", "--node", "http://127.0.0.1:9", "--offline") == 2


@pytest.mark.parametrize("target", ["nothing.zip", "1.103", "ftp://example.org/part"])
def test_what_is_no_target_is_refused(folder: Path, target: str) -> None:
    assert run("verify", target) == 2


def test_a_folder_is_no_bundle(folder: Path) -> None:
    assert run("verify", folder) == 2


@given(st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_bring_a_traceback_or_a_green_verdict(folder: Path, data: st.DataObject) -> None:
    mutated = bytearray(BUNDLE)
    for _ in range(data.draw(st.integers(1, 3))):
        mutated[data.draw(st.integers(0, len(mutated) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, 40))
    mutated = mutated[: len(mutated) - cut]
    (folder / "part.zip").write_bytes(bytes(mutated))

    code = run("verify", folder / "part.zip", "--trust", folder / "trust.json", "--offline")

    assert code == (0 if bytes(mutated) == BUNDLE else 14)


def test_every_error_of_the_command_has_its_own_code() -> None:
    kinds = [kind for kind in _walk(GuildmarkError) if "code" in vars(kind)]
    # Another test's fake may bear a code of what it stands for.
    codes = [kind.code for kind in kinds if kind.__module__.startswith("guildmark")]

    assert len(codes) == len(set(codes))


def _walk(kind: type[GuildmarkError]) -> list[type[GuildmarkError]]:
    return [kind, *(each for child in kind.__subclasses__() for each in _walk(child))]


def test_a_closed_pipe_changes_no_verdict(folder: Path) -> None:
    words = ("verify", folder / "part.zip", "--trust", folder / "trust.json", "--offline")
    command = [sys.executable, "-m", "guildmark", *map(str, words)]
    read, write = os.pipe()
    os.close(read)

    heard = subprocess.run(command, capture_output=True, check=False)
    unheard = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)

    # The evidence is old by that process's clock, so that the code is one of its own.
    assert heard.returncode not in {0, 1, 120}
    assert (unheard.returncode, unheard.stderr) == (heard.returncode, b"")


def test_nobody_is_accepted_until_a_time_before_the_first(folder: Path) -> None:
    file, issuer = folder / "trust.json", "0x" + "ab" * 32
    before = file.read_bytes()

    def add(*times: str) -> int:
        return run("trust", "add", "--issuer", issuer, *times, "--trust", file)

    assert add("--from", "2030-01-01", "--to", "2029-01-01") == 2
    assert add("--from", "100", "--to", "100") == 2
    assert file.read_bytes() == before
    assert add("--from", "100", "--to", "101") == 0
    assert add("--to", "1") == 0
