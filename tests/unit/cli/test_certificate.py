"""A certificate for a network of one's own: who it is for, who vouches, what is refused."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from guildmark.adapters.certificates import DAYS, CertificateNamesError, certified
from guildmark.cli import main
from guildmark.cli.certificate import CertificateUnusableError, files_of

NOW = 1_800_000_000
NAMES = ["shop.local", "192.168.1.20"]


def run(*words: str | Path) -> int:
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    assert isinstance(left.value.code, int)
    return left.value.code


def is_for(host: x509.verification.Subject, *, at: int) -> bool:
    """Return whether a stock verifier takes the certificate for a host at a time."""
    made = certified(NAMES, now=NOW)
    store = Store([x509.load_pem_x509_certificate(made.authority)])
    reader = PolicyBuilder().store(store).time(datetime.fromtimestamp(at, UTC))
    try:
        reader.build_server_verifier(host).verify(
            x509.load_pem_x509_certificate(made.certificate), []
        )
    except VerificationError:
        return False
    return True


def test_a_stock_verifier_takes_it_for_its_names_alone() -> None:
    assert is_for(x509.DNSName("shop.local"), at=NOW)
    assert is_for(x509.IPAddress(IPv4Address("192.168.1.20")), at=NOW)
    assert not is_for(x509.DNSName("bank.example"), at=NOW)
    assert not is_for(x509.IPAddress(IPv4Address("192.168.1.21")), at=NOW)


@pytest.mark.parametrize(
    ("at", "holds"),
    [
        (NOW - 86_400, True),
        (NOW - 86_401, False),
        (NOW + (DAYS - 1) * 86_400, True),
        (NOW + (DAYS - 1) * 86_400 + 1, False),
    ],
)
def test_it_holds_for_its_days(at: int, holds: bool) -> None:
    assert is_for(x509.DNSName("shop.local"), at=at) == holds


def test_its_authority_may_name_nothing_else_and_its_key_is_nowhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("certificate", *NAMES, "--home", tmp_path, "--json") == 0

    told = json.loads(capsys.readouterr().out)
    folder = tmp_path / "tls"
    assert {path.name for path in folder.iterdir()} == {"authority.crt", "node.crt", "node.key"}
    assert (folder / "node.key").stat().st_mode & 0o077 == 0
    authority = x509.load_pem_x509_certificate((folder / "authority.crt").read_bytes())
    assert told["sha256"] == "0x" + authority.fingerprint(SHA256()).hex()
    limits = authority.extensions.get_extension_for_class(x509.NameConstraints).value
    assert [str(one.value) for one in limits.permitted_subtrees or ()] == [
        "shop.local",
        "192.168.1.20/32",
    ]
    key = load_pem_private_key((folder / "node.key").read_bytes(), None)
    assert key.public_key() != authority.public_key()
    # Both files are what a server needs.
    assert files_of(tmp_path) == (folder / "node.crt", folder / "node.key")


def test_it_is_renewed_only_where_that_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("certificate", *NAMES, "--home", tmp_path)
    before = (tmp_path / "tls" / "node.key").read_bytes()

    assert run("certificate", *NAMES, "--home", tmp_path) != 0
    assert "cli.outputExists" in capsys.readouterr().err
    assert (tmp_path / "tls" / "node.key").read_bytes() == before
    assert run("certificate", *NAMES, "--renew", "--home", tmp_path) == 0
    assert (tmp_path / "tls" / "node.key").read_bytes() != before


@pytest.mark.parametrize(
    "names",
    [[], ["a b"], ["-a"], ["a-"], ["a..b"], ["*.local"], ["A" * 64], ["ä.local"], ["1.2.3.4/8"]],
)
def test_what_is_no_name_of_a_host_is_refused(names: list[str]) -> None:
    with pytest.raises(CertificateNamesError):
        certified(names, now=NOW)


@pytest.mark.parametrize(("count", "is_taken"), [(16, True), (17, False)])
def test_names_are_not_too_many(count: int, is_taken: bool) -> None:
    names = [f"host{number}.local" for number in range(count)]
    if is_taken:
        assert certified(names, now=NOW).until == NOW + (DAYS - 1) * 86_400
    else:
        with pytest.raises(CertificateNamesError):
            certified(names, now=NOW)


def _gone(folder: Path) -> None:
    (folder / "node.key").unlink()


def _foreign(folder: Path) -> None:
    (folder / "node.key").write_bytes(certified(["other"], now=NOW).key)


def _junk(folder: Path) -> None:
    (folder / "node.crt").write_bytes(b"junk")


def _locked(folder: Path) -> None:
    key = load_pem_private_key((folder / "node.key").read_bytes(), None)
    assert isinstance(key, EllipticCurvePrivateKey)
    locked = BestAvailableEncryption(b"secret")
    (folder / "node.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked))


@pytest.mark.parametrize("spoil", [_gone, _foreign, _junk, _locked])
def test_files_that_do_not_fit_are_refused_before_a_node_starts(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    assert files_of(tmp_path) is None
    run("certificate", *NAMES, "--home", tmp_path)
    spoil(tmp_path / "tls")

    with pytest.raises(CertificateUnusableError) as caught:
        files_of(tmp_path)

    assert caught.value.code == "certificate.unusable"


def test_days_are_few_enough_for_phones() -> None:
    assert timedelta(days=DAYS) < timedelta(days=825)
