"""How-to pages as their readers use them: what a page says is said to a shell, as it is written."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

HOW_TO = Path(__file__).resolve().parents[2] / "docs" / "how-to"

_SECTION = re.compile(r"^## (.*?)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_STAYS = re.compile(r"^guildmark (up|agent run|witness run)\b")
_FIGURES = re.compile(r"0x[0-9a-f]+|[0-9a-f]{16,}|[0-9]+")
_SEPARATOR = "\x1e"
_READY_SECONDS = 120
_SECONDS = 300


@dataclass(frozen=True)
class Step:
    """A command of a page, and the lines that the page shows as its answer."""

    command: str
    printed: tuple[str, ...] = ()


def blocks(page: str) -> Iterator[tuple[str, str, str]]:
    """Yield the blocks of a page: the section, the language, the text."""
    for name, text in _SECTION.findall((HOW_TO / page).read_text()):
        for language, block in _BLOCK.findall(text):
            yield name, language, block


def steps(page: str, section: str | None = None) -> list[Step]:
    """Return what a page, or one section of it, tells its reader to say to a shell, in order."""
    read = {"console": _console, "sh": _script}
    return [
        step
        for name, language, block in blocks(page)
        if section in {None, name} and language in read
        for step in read[language](block)
    ]


def _console(block: str) -> Iterator[Step]:
    first, *others = re.split(r"^\$ ", block.replace("\\\n", " "), flags=re.MULTILINE)
    assert not first, f"nothing says {first}"
    for other in others:
        command, *printed = other.splitlines()
        yield Step(command, tuple(printed))


def _script(block: str) -> Iterator[Step]:
    yield from map(Step, block.splitlines())


def shape(text: str) -> list[str]:
    """Return the words of an answer; figures, ids and digests all look alike."""
    return _FIGURES.sub("#", text).split()


@dataclass
class Reader:
    """Somebody with a home folder and a shell, who goes through a page.

    Args:
        home: The folder, empty at first; the shell is in it.
        program: The folder in which the shell finds the program for commands that end.
        own: What the reader has instead of what a page names as an example.
        variables: Those of the shell, which stay from one command to the next.
        done: The steps that were done.
    """

    home: Path
    program: Path
    own: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    staying: dict[str, "subprocess.Popen[str]"] = field(default_factory=dict)
    done: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        kept = {name: value for name, value in os.environ.items() if name != "GUILDMARK_HOME"}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.variables = {**kept, "HOME": str(self.home), "PATH": path, **self.variables}

    def do(self, found: Sequence[Step]) -> None:
        """Say commands, one after the other; each must succeed and print what the page shows."""
        self.done += found
        waiting: list[Step] = []
        for step in found:
            if _STAYS.match(step.command):
                self._say(waiting)
                waiting = []
                self.stay(self.mine(step.command))
            else:
                waiting.append(step)
        self._say(waiting)

    def say(self, *commands: str) -> str:
        """Say commands that no page has; return what they print."""
        return "\n".join(self._run(list(commands)))

    def stay(self, command: str) -> str:
        """Start what stays until it is ended; return the address that it prints when it is there.

        A node's port is any that is free: other tests have the usual one.
        """
        if command.startswith("guildmark up") and "--port" not in command:
            command += " --port 0"
        with (self.home / "staying.log").open("ab") as log:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {command}"],
                env=self.variables,
                cwd=self.home,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        self.staying[command] = process
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http"), (self.home / "staying.log").read_text()
        return url

    def end(self) -> None:
        """End what stays, as Ctrl-C does; it ends in order."""
        for command, process in reversed(list(self.staying.items())):
            process.terminate()
            process.communicate(timeout=_READY_SECONDS)
            assert process.returncode == 0, (command, (self.home / "staying.log").read_text())
        self.staying.clear()

    def kill(self) -> None:
        """Leave nothing running, whatever happened."""
        for process in self.staying.values():
            process.kill()
            process.communicate()

    def mine(self, command: str) -> str:
        """Return a command with what is the reader's own in it."""
        for example, own in self.own.items():
            command = command.replace(example, own)
        return command

    def _say(self, found: Sequence[Step]) -> None:
        if not found:
            return
        answers = self._run([self.mine(step.command) for step in found])
        for step, answer in zip(found, answers, strict=True):
            if step.printed:
                assert shape(answer) == shape("\n".join(step.printed)), step.command

    def _run(self, commands: list[str]) -> list[str]:
        """Run commands in a shell that stops at the first one that fails; keep its variables."""
        kept = self.home / ".variables"
        path = f"{self.program}:{self.variables['PATH']}"
        lines = [f"{command}\nprintf '{_SEPARATOR}'" for command in commands]
        done = subprocess.run(
            ["bash", "-aeuo", "pipefail", "-c", "\n".join([*lines, f"env -0 >{kept}"])],
            env={**self.variables, "PATH": path},
            cwd=self.home,
            input="",
            capture_output=True,
            text=True,
            check=False,
            timeout=_SECONDS,
            start_new_session=True,
        )
        assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}"
        pairs = [one.partition("=") for one in kept.read_text().split("\0") if one]
        shell = {name: value for name, _, value in pairs}
        self.variables = {**shell, "PATH": self.variables["PATH"]}
        return done.stdout.split(_SEPARATOR)[:-1]
