"""Machines whose keys are in tokens and TPMs: their parts are logged and verified as any other."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from devices import PIN, SoftToken, SoftTpm, soft_token, soft_tpm
from e2e.story import (
    LEI,
    Licensed,
    Maker,
    Operator,
    Stage,
    a_license,
    a_maker,
    an_operator,
    build,
    equip,
    hand_over,
    judge,
    names,
    settled,
    wait_until_ready,
)

pytestmark = [pytest.mark.e2e, pytest.mark.needs("anvil", "softhsm2", "swtpm")]

HANDLE = 0x81010001


@dataclass(frozen=True)
class Machine:
    """A machine and the URI of its key."""

    id: str
    uri: str
    algorithm: str
    holder: str


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SoftToken:
    made = soft_token(tmp_path / "softhsm")
    for name, value in made.environment.items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture
def tpm() -> Iterator[SoftTpm]:
    with TemporaryDirectory(prefix="gm-tpm-") as folder, soft_tpm(Path(folder)) as running:
        yield running


def test_parts_of_machines_with_hardware_keys_are_verified(
    stage: Stage, tmp_path: Path, token: SoftToken, tpm: SoftTpm
) -> None:
    operator, maker = an_operator(stage), a_maker(stage)
    machines = [
        a_machine(maker, token.uri("one"), "secp256k1", "pkcs11"),
        a_machine(maker, token.uri("two"), "p256", "pkcs11"),
        a_machine(maker, tpm.uri(HANDLE), "p256", "tpm"),
    ]
    licensed = a_license(stage, operator, maker, tmp_path, units=len(machines))
    claims = names(operator, {maker.org: ("NAME", "Oficina"), licensed.owner: ("LEI", LEI)})

    with operator.actor.keeping("up", ready=operator.actor.home / "node.json") as endpoint:
        node = endpoint["url"]
        wait_until_ready(node)
        hand_over(licensed, maker, operator, node, tmp_path)
        site_recipe = equip(licensed, maker, node)
        for claim in claims:
            operator.actor.say("disclose", "claim", claim, "--node", node)
        operator.actor.say("log", "tick")
        envelopes = built(maker, licensed, site_recipe, machines, tmp_path)
        maker.actor.say("build", "submit", *envelopes, "--node", node)
        reports = verified(stage, operator, maker, envelopes, node)

    assert [report["verdict"] for report in reports] == ["verified"] * 3
    shown = [(report["part"]["keyAlgorithm"], report["part"]["keyHolder"]) for report in reports]
    assert shown == [(machine.algorithm, machine.holder) for machine in machines]
    assert sorted(report["part"]["unit"] for report in reports) == [2, 3, 4]
    assert files_with(PIN, maker.actor.home, stage.folder) == []


def a_machine(maker: Maker, uri: str, algorithm: str, holder: str) -> Machine:
    """Register a machine of the maker's site, and the key that its device makes."""
    machine = maker.actor.say("machine", "register", f"Machine with {holder} {algorithm}")
    maker.actor.say("link", "request", machine, maker.site)
    maker.actor.say("link", "accept", machine, maker.site)
    made = maker.actor.ask("keys", "new", uri, "--algorithm", algorithm)
    registered = maker.actor.ask("machine", "key", "add", machine, uri)
    shown = maker.actor.ask("keys", "show", uri, "--machine", machine)
    assert registered["algorithm"] == algorithm
    assert shown["id"] == registered["id"]
    assert (shown["publicKey"], shown["holder"]) == (made["publicKey"], holder)
    return Machine(id=machine, uri=uri, algorithm=algorithm, holder=holder)


def built(
    maker: Maker,
    licensed: Licensed,
    site_recipe: str,
    machines: Sequence[Machine],
    folder: Path,
) -> list[Path]:
    """Let each machine attest a part."""
    return [
        build(
            *(maker, licensed, site_recipe, folder / f"{number}.json"),
            machine=machine.id,
            key=machine.uri,
        )
        for number, machine in enumerate(machines, start=1)
    ]


def verified(
    stage: Stage, operator: Operator, maker: Maker, envelopes: Sequence[Path], node: str
) -> list[Mapping[str, Any]]:
    """Let a customer verify each part; a command that does not say 0 fails the test."""
    reports = []
    for number, envelope in enumerate(envelopes):
        found = settled(maker, envelope, node)
        assert found["state"] == "final", found
        bundle = envelope.with_name(f"part-{number}.zip")
        part = f"{operator.log}.{found['index']}"
        reports.append(judge(stage, operator, part, bundle, node))
    return reports


def files_with(secret: str, *folders: Path) -> list[Path]:
    """Return files that hold a secret."""
    paths = (path for folder in folders for path in folder.rglob("*") if path.is_file())
    return [path for path in paths if secret.encode() in path.read_bytes()]
