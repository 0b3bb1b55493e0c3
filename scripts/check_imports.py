"""Check that whatever the code imports is named in pyproject.toml, not brought by chance."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path

from environments import ROOT

_NAME = re.compile(r"^[A-Za-z0-9._-]+")
# These run in environments of their own.
_ELSEWHERE = (
    "scripts/brownie",
    "tests/brownie",
    "scripts/example_design",
    "tests/integration/equivalence/rivals.py",
)


def main() -> int:
    """Print what is imported and not named, and return 1 if there is anything."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"]
    product = _names([*project["project"]["dependencies"], *chain(*extras.values())])
    tests = product | _names(project["dependency-groups"]["dev"])
    problems = [*_problems(("backend", "ipfs"), product), *_problems(("scripts", "tests"), tests)]
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def _problems(folders: tuple[str, ...], named: set[str]) -> Iterator[str]:
    brought_by = packages_distributions()
    for folder in folders:
        for file in sorted((ROOT / folder).rglob("*.py")):
            place = file.relative_to(ROOT).as_posix()
            if place.startswith(_ELSEWHERE):
                continue
            for module in sorted(_imported(file) - _own()):
                packages = {_plain(package) for package in brought_by.get(module, ())}
                if not packages & named:
                    yield f"{place}: {module} is not named in pyproject.toml"


def _imported(file: Path) -> set[str]:
    """Return the top-level names that a module imports."""
    nodes = list(ast.walk(ast.parse(file.read_text())))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in names} - sys.stdlib_module_names


@cache
def _own() -> set[str]:
    """Return what the repository itself holds."""
    roots = (ROOT / "backend", ROOT / "ipfs", ROOT / "scripts", ROOT / "tests")
    return {path.stem for root in roots for path in root.iterdir()} | {"_typeshed", "conftest"}


def _names(requirements: list[str]) -> set[str]:
    matches = (_NAME.match(requirement) for requirement in requirements)
    return {_plain(match[0]) for match in matches if match}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main())
