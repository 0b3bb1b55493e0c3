"""The frame around all commands: exit codes, errors without tracebacks, help."""

import re
from collections.abc import Iterator
from typing import Annotated

import click
import pytest
import typer

from guildmark import __version__, cli
from guildmark.cli import version as version_command
from guildmark.domain.errors import NotCoveredError
from unit.cli.speaking import Speak


class _QuotaError(NotCoveredError):
    """Nothing is left."""

    code = "test.quota"
    hint = "Ask for more."


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> dict[str, BaseException]:
    """Let `guildmark version` raise what the test chooses."""
    chosen: dict[str, BaseException] = {}
    app = typer.Typer()

    @app.command()
    def version(as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
        raise chosen["error"]

    monkeypatch.setattr(version_command, "app", app)
    return chosen


def commands(
    command: click.Command | None = None, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command that does something, with the words that call it."""
    found = command or cli.root()
    if not isinstance(found, click.Group):
        yield path, found
        return
    context = click.Context(found, info_name="guildmark")
    for name in found.list_commands(context):
        child = found.get_command(context, name)
        assert child is not None
        yield from commands(child, (*path, name))


EVERY = list(commands())


def test_the_version_is_printed(speak: Speak) -> None:
    assert speak("version").out == __version__


def test_the_version_is_json_where_programs_read_it(speak: Speak) -> None:
    assert speak("version", "--json").json == {"version": __version__}


def test_an_unknown_command_is_wrong_usage(speak: Speak) -> None:
    spoken = speak("sing")

    assert spoken.exit == 2
    assert "No such command 'sing'" in spoken.err


def test_wrong_usage_is_json_where_programs_read_it(speak: Speak) -> None:
    spoken = speak("keys", "new", "--json")

    assert spoken.exit == 2
    assert spoken.json["code"] == "cli.usage"
    assert spoken.json["exit"] == 2


def test_an_error_leaves_with_its_exit_code(
    speak: Speak, failing: dict[str, BaseException]
) -> None:
    failing["error"] = _QuotaError("Unit 61 of 60 was asked for.")

    spoken = speak("version")

    assert (spoken.exit, spoken.out) == (18, "")
    assert spoken.err.splitlines() == [
        "Error: Unit 61 of 60 was asked for.",
        "  code  test.quota",
        "  next  Ask for more.",
    ]


def test_an_error_is_the_result_where_programs_read_it(
    speak: Speak, failing: dict[str, BaseException]
) -> None:
    failing["error"] = _QuotaError("Unit 61 of 60 was asked for.")

    spoken = speak("version", "--json")

    assert spoken.json == {
        "code": "test.quota",
        "exit": 18,
        "reason": "Unit 61 of 60 was asked for.",
        "nextStep": "Ask for more.",
    }


def test_what_nobody_foresaw_says_where_it_came_from(
    speak: Speak, failing: dict[str, BaseException]
) -> None:
    failing["error"] = ZeroDivisionError("by zero")

    spoken = speak("version", "--json")

    assert (spoken.exit, spoken.json["code"]) == (1, "unexpected.failure")
    assert re.fullmatch(r"ZeroDivisionError at test_frame\.py:\d+: by zero", spoken.json["reason"])


def test_a_file_that_the_system_refuses_is_named(
    speak: Speak, failing: dict[str, BaseException]
) -> None:
    failing["error"] = PermissionError(13, "Permission denied", "/srv/x")

    spoken = speak("version", "--json")

    assert (spoken.exit, spoken.json["code"]) == (2, "cli.fileAccess")
    assert spoken.json["reason"] == "/srv/x: Permission denied."


def test_ctrl_c_leaves_with_130(speak: Speak, failing: dict[str, BaseException]) -> None:
    failing["error"] = KeyboardInterrupt()

    assert speak("version").exit == 130


def test_a_missing_package_is_named(speak: Speak, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name="sqlalchemy")

    monkeypatch.setattr(cli, "import_module", missing)

    spoken = speak("design", "show", "--json")

    assert (spoken.exit, spoken.json["code"]) == (2, "cli.extraMissing")
    assert "sqlalchemy" in spoken.json["reason"]


def test_help_lists_every_command(speak: Speak) -> None:
    spoken = speak("--help")

    assert spoken.exit == 0
    for path, _ in EVERY:
        assert re.search(rf"^  {path[0]}\b", spoken.out, re.MULTILINE), path[0]


@pytest.mark.parametrize(("path", "command"), EVERY, ids=[" ".join(path) for path, _ in EVERY])
def test_every_command_and_parameter_says_what_it_is(
    path: tuple[str, ...], command: click.Command
) -> None:
    assert command.help
    assert command.help.splitlines()[0].endswith(".")
    for parameter in command.params:
        shown = getattr(parameter, "help", "")
        assert shown or parameter.name in {"offer", "file"}, f"{path}: {parameter.name}"


@pytest.mark.parametrize("path", [" ".join(path) for path, _ in EVERY])
def test_help_is_plain_text(path: str, speak: Speak) -> None:
    spoken = speak(*path.split(), "--help")

    assert spoken.exit == 0
    assert spoken.out.startswith(f"Usage: guildmark {path} ")
    assert spoken.out.isascii()


@pytest.mark.parametrize(
    ("shell", "word"),
    [("bash", "complete -o"), ("zsh", "#compdef guildmark"), ("fish", "complete --no-files")],
)
def test_completions_are_a_script_for_each_shell(shell: str, word: str, speak: Speak) -> None:
    spoken = speak("completions", shell)

    assert spoken.exit == 0
    assert word in spoken.out
    assert "_GUILDMARK_COMPLETE" in spoken.out


def test_shells_get_commands_to_complete(speak: Speak, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_GUILDMARK_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "guildmark lic")
    monkeypatch.setenv("COMP_CWORD", "1")

    assert speak().lines == ["plain,license"]


def test_shells_get_every_command_without_its_packages(
    speak: Speak, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(name: str) -> None:
        raise ModuleNotFoundError(name, name="orjson")

    monkeypatch.setattr(cli, "import_module", unavailable)
    monkeypatch.setenv("_GUILDMARK_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "guildmark ")
    monkeypatch.setenv("COMP_CWORD", "1")

    spoken = speak()

    assert spoken.lines == [f"plain,{name}" for name in sorted({path[0] for path, _ in EVERY})]
    assert (spoken.exit, spoken.err) == (0, "")


def test_shells_get_no_words_of_a_command_without_its_packages(
    speak: Speak, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(name: str) -> None:
        raise ModuleNotFoundError(name, name="orjson")

    monkeypatch.setattr(cli, "import_module", unavailable)
    monkeypatch.setenv("_GUILDMARK_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "guildmark keys ")
    monkeypatch.setenv("COMP_CWORD", "2")

    spoken = speak()

    assert (spoken.exit, spoken.out, spoken.err) == (2, "", "")


def test_a_package_that_is_missed_late_is_named(
    speak: Speak, failing: dict[str, BaseException]
) -> None:
    failing["error"] = ModuleNotFoundError("No module", name="web3.types")

    spoken = speak("version")

    assert spoken.exit == 2
    assert "This command needs the package web3, which is not installed." in spoken.err
    assert "pip install 'guildmark[node]'" in spoken.err


def test_a_module_of_our_own_that_is_missing_is_a_fault(
    speak: Speak, failing: dict[str, BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    failing["error"] = ModuleNotFoundError("No module", name="guildmark.nowhere")
    late = speak("version")

    def unavailable(name: str) -> None:
        raise ModuleNotFoundError(name, name="guildmark.cli.keys")

    monkeypatch.setattr(cli, "import_module", unavailable)
    early = speak("keys")

    assert (late.exit, early.exit) == (1, 1)
    assert "unexpected.failure" in late.err
    assert "unexpected.failure" in early.err


NUMBERS = [
    (path, parameter)
    for path, command in EVERY
    for parameter in command.params
    if isinstance(parameter.type, click.types.IntParamType | click.types.FloatParamType)
]


def test_every_number_has_both_bounds() -> None:
    assert len(NUMBERS) >= 15
    for path, parameter in NUMBERS:
        found = parameter.type

        assert isinstance(found, click.IntRange), (path, parameter.name)
        assert found.min is not None, (path, parameter.name)
        assert found.max is not None, (path, parameter.name)
        assert found.max < 2**63, "what every database and every node can count to"


@pytest.mark.parametrize(
    ("path", "parameter"), NUMBERS, ids=[f"{' '.join(p)} {each.name}" for p, each in NUMBERS]
)
def test_a_number_beyond_its_bounds_is_wrong_usage(
    speak: Speak, path: tuple[str, ...], parameter: click.Parameter
) -> None:
    kind = parameter.type
    assert isinstance(kind, click.IntRange)
    given = [str((kind.max or 0) + 1), str((kind.min or 0) - 1), "1" * 50, "9" * 5_000]
    for value in (*given, "1.0", "1e3", "0x10", "NaN", "x", ""):
        option = parameter.opts[-1] if isinstance(parameter, click.Option) else None
        words = [option, value] if option else ["--", value]
        command = dict(EVERY)[path]
        before = [each for each in command.params if isinstance(each, click.Argument)]
        if option is None:
            # What stands before it is read first; a text fits it, or is refused just so.
            words[1:1] = ["0x" + "11" * 32] * before.index(parameter)  # type: ignore[arg-type]  # an argument

        spoken = speak(*path, *words)

        assert spoken.exit == 2, (value[:60], spoken.err)
        assert "Traceback" not in spoken.err


def test_a_block_beyond_its_bound_is_named_with_it(speak: Speak) -> None:
    spoken = speak("verify", "1.0", "--node", "http://127.0.0.1:9", "--at", str(2**53))

    assert spoken.exit == 2
    assert "9007199254740992 is not in the range 0<=x<=9007199254740991" in spoken.err
