"""A token and a TPM for the tests of this folder."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from devices import SoftToken, SoftTpm, soft_token, soft_tpm


@pytest.fixture(scope="session")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftToken]:
    """Return tokens that this process finds: SoftHSM reads its settings once."""
    made = soft_token(tmp_path_factory.mktemp("softhsm"), "machines", "twin", "twin")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in made.environment.items():
            patch.setenv(name, value)
        yield made


@pytest.fixture
def tpm() -> Iterator[SoftTpm]:
    """Return a TPM of one test; sockets' paths are short, so it is not below pytest's folder."""
    with TemporaryDirectory(prefix="gm-tpm-") as folder, soft_tpm(Path(folder)) as running:
        yield running


@pytest.fixture
def wrong_pin(tmp_path: Path) -> Path:
    path = tmp_path / "wrong-pin"
    path.write_text("not-the-pin\n")
    return path
