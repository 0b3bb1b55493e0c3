"""Build the wheel and try it as a customer gets it: with the verifier's few packages alone."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from environments import ROOT, python

_DIST = ROOT / "build" / "dist"
_DEMO = ROOT / "build" / "demo"
_AT_MOST = 12
# Commands that need no extra, and calls of them with their exit: nothing listens at port 9.
_PLAIN = {"completions", "measure", "trust", "verify", "version"}
_NO_CHAIN = ("--rpc", "http://127.0.0.1:9")
_PLAIN_CALLS = (
    (("version", "--json"), 0, "version"),
    (("completions", "bash"), 0, "_GUILDMARK_COMPLETE"),
    (("measure", "schema"), 0, "schemas/measurements/v1"),
    (("trust", "show", "--trust", "nowhere.json"), 4, "trust.missing"),
    (
        ("trust", "init", "--trust", "nowhere.json", *_NO_CHAIN, "--directory", "0x" + "11" * 20),
        3,
        "source.unreachable",
    ),
    (("verify", "nowhere.zip"), 2, "verify.targetInvalid"),
    (("verify", "1.0", "--node", "http://127.0.0.1:9"), 3, "unreachable"),
)
_EXTRA_MISSING = 2
_ADVICE = "pip install 'guildmark[node]'"
# What the environment itself consists of.
_OWN = {"guildmark", "pip", "setuptools"}


def main() -> int:
    """Return 1 if the wheel needs more than it says, or does not work."""
    _run(sys.executable, "scripts/setup.py", "verifier")
    wheel = _build()
    interpreter = python("verifier")
    _run(interpreter, "-m", "pip", "install", "--quiet", "--no-deps", "--force-reinstall", wheel)
    listing = _run(interpreter, "-m", "pip", "list", "--format", "json")
    packages = {package["name"] for package in json.loads(listing)} - _OWN
    print(f"the verifier brings {len(packages)} packages: {', '.join(sorted(packages))}")
    guildmark = interpreter.parent / "guildmark"
    faults = [fault for call in _calls(guildmark) if (fault := _fault(*call)) is not None]
    print("\n".join(faults) or "and each command works, or names the extra that it needs")
    _verify_a_part(guildmark)
    return 1 if faults or len(packages) > _AT_MOST else 0


def _build() -> Path:
    """Build the wheel and return it."""
    shutil.rmtree(_DIST, ignore_errors=True)
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", _DIST)
    _run(sys.executable, "-m", "pip", "wheel", *options, ROOT)
    return next(_DIST.glob("guildmark-*.whl"))


def _calls(guildmark: Path) -> Iterator[tuple[list[str], int, str]]:
    """Yield calls, for help and for more, with the exit of each and what it must say."""
    listed = _run(guildmark, "--help").partition("Commands:")[2]
    yield from (([str(guildmark), *words], code, said) for words, code, said in _PLAIN_CALLS)
    for command in re.findall(r"^  (\w+)  ", listed, re.MULTILINE):
        asked = [str(guildmark), command, "--help"]
        if command in _PLAIN:
            yield asked, 0, "Usage: guildmark"
            continue
        yield asked, _EXTRA_MISSING, _ADVICE
        yield [str(guildmark), command, "--home", "nowhere", "--json"], _EXTRA_MISSING, _ADVICE


def _fault(words: list[str], code: int, expected: str) -> str | None:
    """Return what is wrong with a call, None where it is as told."""
    done = subprocess.run(words, cwd=ROOT / "build", capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    if done.returncode == code and expected in said and "Traceback" not in said:
        return None
    return f"{' '.join(words)}: {done.returncode}, not {code} and {expected!r}\n{said}"


def _verify_a_part(guildmark: Path) -> None:
    """Verify a part of the last demo, where there was one."""
    for bundle in sorted(_DEMO.glob("bundles/*.zip"))[:1]:
        _run(guildmark, "verify", "--offline", "--trust", _DEMO / "trust.json", bundle)
        print(f"and verifies {bundle.name}")


def _run(*command: str | Path) -> str:
    """Run a command away from the clone, so that nothing is imported from it by accident."""
    words = [str(word) for word in command]
    place = ROOT if "scripts/setup.py" in words else ROOT / "build"
    result = subprocess.run(words, cwd=place, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        sys.exit(f"{' '.join(words)}: {result.returncode}\n{result.stdout}{result.stderr}")
    return result.stdout


if __name__ == "__main__":
    sys.exit(main())
