"""`make soak`: a node works for HOURS= or takes COUNT= builds, whichever comes first."""

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict

import reports
from demo.stage import alone, open_stage
from environments import ROOT
from soak.growth import Line, database_a_million, memory_a_million, memory_an_hour
from soak.life import Soak, Verdict, play

_FOLDER = ROOT / "build" / "soak"
_COUNT, _HOURS, _SAMPLES = 1_000_000, 8.0, 200
_HOUR = 3_600.0


def main() -> int:
    """Soak a node and return 1 if something was lost, doubled or different."""
    count = int(os.environ.get("COUNT", str(_COUNT)))
    hours = float(os.environ.get("HOURS", str(_HOURS)))
    every = float(os.environ.get("SAMPLE_SECONDS", str(max(5.0, hours * _HOUR / _SAMPLES))))
    began = time.monotonic()

    def tell(text: str) -> None:
        print(f"{time.monotonic() - began:8.0f} s  {text}", flush=True)

    with alone(_FOLDER), open_stage(_FOLDER, keep=False) as stage:
        soak = Soak.begin(stage, units=count)
        verdict = play(soak, count=count, seconds=hours * _HOUR, every=every, tell=tell)
        found = _figures(soak)
    _report(soak, verdict, found)
    return 0 if verdict.is_clean else 1


def _figures(soak: Soak) -> Mapping[str, Line | None]:
    names = soak.samples[0].resident
    return {
        "database, MiB a million entries": database_a_million(soak.samples),
        **{f"{one}, MiB a million entries": memory_a_million(soak.samples, one) for one in names},
        **{f"{one}, MiB an hour": memory_an_hour(soak.samples, one) for one in names},
    }


def _report(soak: Soak, verdict: Verdict, found: Mapping[str, Line | None]) -> None:
    last = soak.samples[-1]
    reports.write(
        "soak",
        {
            "seconds": round(last.seconds, 1),
            **asdict(verdict),
            "lines": {name: line and asdict(line) for name, line in found.items()},
            "samples": [asdict(one) for one in soak.samples],
        },
    )
    print(f"{verdict.acknowledged} builds in {last.seconds:.0f} s: {verdict}")
    for name, size in last.resident.items():
        print(f"{name:40} {size >> 20:10} MiB at the end")
    for name, line in found.items():
        told = (
            "too few samples" if line is None else f"{line.slope:10.1f}  R² {line.straightness:.4f}"
        )
        print(f"{name:40} {told}")


if __name__ == "__main__":
    sys.exit(main())
