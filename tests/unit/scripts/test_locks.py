import json
from pathlib import Path

import pytest

import check_locks
import lock

PINNED = "# made\nalpha==1.0 \\\n    --hash=sha256:00\nbeta==2.0 \\\n    --hash=sha256:11\n"


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone with one environment and one npm package, both pinned."""
    monkeypatch.setattr(check_locks, "ROOT", tmp_path)
    monkeypatch.setattr(check_locks, "ENVIRONMENTS", {"product": None})
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "product.txt").write_text(PINNED)
    (tmp_path / "hardhat-local").mkdir()
    write_npm(tmp_path, {"version": "1.0.0", "integrity": "sha512-00"})
    return tmp_path


def write_npm(clone: Path, package: dict[str, object]) -> None:
    content = {"packages": {"": {}, "node_modules/gamma": package}}
    (clone / "hardhat-local" / "package-lock.json").write_text(json.dumps(content))


def test_locks_by_hash_alone_pass(clone: Path) -> None:
    assert check_locks.main() == 0


@pytest.mark.parametrize(
    "text",
    [
        PINNED + "delta==3.0\n",
        "--index-url https://example.org/simple\n" + PINNED,
        "--find-links wheels\n" + PINNED,
        PINNED + "delta @ file:///delta.whl\n",
    ],
)
def test_a_requirement_without_hash_or_with_an_address_fails(clone: Path, text: str) -> None:
    (clone / "requirements" / "product.txt").write_text(text)

    assert check_locks.main() == 1


@pytest.mark.parametrize(
    ("package", "code"),
    [
        ({"version": "1.0.0"}, 1),
        ({"version": "1.0.0", "optional": True}, 0),
        ({"integrity": "sha512-00", "resolved": "https://example.org/gamma.tgz"}, 1),
    ],
)
def test_an_npm_package_has_a_hash_and_no_address(
    clone: Path, package: dict[str, object], code: int
) -> None:
    write_npm(clone, package)

    assert check_locks.main() == code


def test_packages_of_absent_platforms_are_named_for_them_alone() -> None:
    packages = {
        "node_modules/tool": {
            "optionalDependencies": {"tool-darwin-amd64": "1.0.0", "tool-linux-x64-musl": "1.0.0"}
        },
        "node_modules/tool-linux-x64-musl": {"version": "1.0.0", "integrity": "sha512-00"},
    }

    lock._name_absent_platforms(packages)

    assert packages["node_modules/tool-darwin-amd64"] == {
        "version": "1.0.0",
        "cpu": ["x64"],
        "os": ["darwin"],
        "optional": True,
    }
    assert len(packages) == 3
