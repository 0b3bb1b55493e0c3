"""Write the pages that follow from code; `--check` only compares."""

import importlib
import pkgutil
import sys

import guildmark
from derived_docs import checks, commands, errors, http
from environments import ROOT
from reports import dump

_DOCS = ROOT / "docs"


def main() -> int:
    """Write the pages, or name those that do not follow from the code and return 1."""
    _import_all()
    pages = {
        "cli.md": commands.page(),
        "errors.md": errors.page(),
        "http.md": http.page(),
        "openapi.json": dump(http.openapi()),
        "verification.md": checks.page(_DOCS / "verification.md"),
    }
    problems = [f"docs/errors.md: no entry for {code}" for code in errors.unexplained()]
    if "--check" in sys.argv[1:]:
        stale = [name for name, text in pages.items() if _text(name) != text]
        problems += [f"docs/{name} does not follow from code: run `make docs`" for name in stale]
    else:
        for name, text in pages.items():
            (_DOCS / name).write_text(text)
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def _import_all() -> None:
    """Load every module, so that every error class is known."""
    for module in pkgutil.walk_packages(guildmark.__path__, "guildmark."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def _text(name: str) -> str | None:
    page = _DOCS / name
    return page.read_text() if page.exists() else None


if __name__ == "__main__":
    sys.exit(main())
