"""Check that lock files pin by hash alone and name no address."""

import json
import re
import sys

from environments import ENVIRONMENTS, ROOT

_REQUIREMENT = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;]+)")
_ADDRESS = re.compile(r"https?://|file:|--(index-url|extra-index-url|find-links)")


def main() -> int:
    """Print what is wrong and return 1 if anything is."""
    problems = [problem for name in ENVIRONMENTS for problem in _python_problems(name)]
    problems += _npm_problems()
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def _python_problems(name: str) -> list[str]:
    file = f"requirements/{name}.txt"
    text = (ROOT / file).read_text()
    problems = [f"{file}: names an address"] if _ADDRESS.search(text) else []
    blocks = re.split(r"\n(?=\S)", text)
    return problems + [
        f"{file}: {match['name']} has no hash"
        for block in blocks
        if (match := _REQUIREMENT.match(block)) and "--hash=sha256:" not in block
    ]


def _npm_problems() -> list[str]:
    file = "hardhat-local/package-lock.json"
    packages = json.loads((ROOT / file).read_text())["packages"]
    problems = [
        f"{file}: {name} names an address" for name in packages if "resolved" in packages[name]
    ]
    return problems + [
        f"{file}: {name} has no hash"
        for name, package in packages.items()
        if name and "integrity" not in package and not package.get("optional")
    ]


if __name__ == "__main__":
    sys.exit(main())
