"""Run named steps one after another, each with its time, and say at the end which failed."""

import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from environments import ROOT, node_environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command.

    Args:
        shown: Whether its output is shown as it comes, or only when it fails.
        has_summary: Whether the last line of hidden output is worth showing.
        environment: What is added to the environment.
        place: Where it runs.
    """

    name: str
    command: Sequence[str | Path]
    shown: bool = False
    has_summary: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    place: Path = ROOT


def run(steps: Sequence[Step]) -> int:
    """Run every step, also after a failure, and return 1 if one failed."""
    failed = [step.name for step in steps if not _passes(step)]
    if failed:
        print(f"\nfailed: {', '.join(failed)}")
    return 1 if failed else 0


def _passes(step: Step) -> bool:
    if step.shown:
        print(f"\n== {step.name}", flush=True)
    started = time.monotonic()
    result = subprocess.run(
        [str(part) for part in step.command],
        cwd=step.place,
        env={**node_environment(), **step.environment},
        capture_output=not step.shown,
        text=True,
        check=False,
    )
    state = "ok" if result.returncode == 0 else "FAILED"
    print(f"{state:6} {step.name} ({time.monotonic() - started:.1f} s)", flush=True)
    if step.has_summary and result.returncode == 0:
        print("".join(f"       {line}\n" for line in result.stdout.splitlines()[-1:]), end="")
    if result.returncode != 0 and not step.shown:
        print(result.stdout + result.stderr, flush=True)
    return result.returncode == 0
