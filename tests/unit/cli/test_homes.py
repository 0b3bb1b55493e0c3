"""Homes: made, looked after, their keys."""

import json
import shutil
import stat
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeAlias

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

from fakes.chain import START, Head, MemoryChain
from fakes.meshes import threemf
from fakes.world import Tools, World
from guildmark.adapters.certificates import DAYS, certified
from guildmark.adapters.chain import deployment
from guildmark.adapters.clock import SystemClock
from guildmark.adapters.shapes.limits import LIMITS
from guildmark.adapters.shapes.measuring import measure
from guildmark.bootstrap import Home
from guildmark.cli import health, opening
from guildmark.cli import init as making
from guildmark.cli.homes import password_of
from guildmark.domain.chain.contracts import ChainClass
from guildmark.domain.identifiers import (
    Address,
    ChainId,
    Digest,
    IdentityId,
    LogNumber,
    address_from_hex,
    to_hex,
)
from guildmark.domain.identity.identity import key_id
from guildmark.domain.signatures import Algorithm
from guildmark.domain.signatures import PublicKey as SigningKey
from guildmark.ports.chain import LedgerUnavailableError, ProofRefusedError, WrongChainError
from guildmark.ports.keys import KeyName
from guildmark.settings import NodeSettings, Settings, load, save, with_node
from unit.cli.conftest import chain_settings
from unit.cli.speaking import Speak

ADDRESS = "0x" + "ab" * 20
URL = "http://127.0.0.1:1"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GUILDMARK_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("GUILDMARK_PASSWORD_FILE", raising=False)
    return tmp_path / "home"


class _Rpc:
    """A chain's node: who may be asked which chain it is, and for balances."""

    balance = 1

    def __init__(self, url: str) -> None:
        self.url = url

    def __enter__(self) -> "_Rpc":
        return self

    def __exit__(self, *_: object) -> None:
        return

    def call(self, method: str, *_: Any) -> str:
        assert method == "eth_getBalance"
        return hex(self.balance)


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Let every chain be the right one; return what was asked of which."""
    asked: list[dict[str, Any]] = []

    def open_ledger(url: str, **pins: Any) -> MemoryChain:
        asked.append({"url": url, **pins})
        return Tools().chain

    monkeypatch.setattr(making, "open_ledger", open_ledger)
    monkeypatch.setattr(making, "Rpc", _Rpc)
    found = (ChainId(77), Digest(b"\x07" * 32))
    monkeypatch.setattr(deployment, "identify", lambda _: found)
    return asked


def test_a_home_without_a_chain_gets_password_and_key_alone(speak: Speak, folder: Path) -> None:
    spoken = speak("init")

    assert spoken.exit == 0
    assert spoken.out.startswith("0x")
    assert "guildmark chain run" in spoken.err
    password = folder / "keys" / "password"
    assert stat.S_IMODE(password.stat().st_mode) == 0o600
    assert len(password.read_text().strip()) == 64
    assert not (folder / "guildmark.toml").exists()


def test_the_second_run_goes_on_with_key_and_password(
    speak: Speak, folder: Path, checked: list[dict[str, Any]]
) -> None:
    first = speak("init").out
    password = (folder / "keys" / "password").read_text()

    second = speak("init", "--chain", URL, "--directory", ADDRESS)

    assert second.out == first
    assert (folder / "keys" / "password").read_text() == password
    chain = load(folder).chain
    assert (chain.url, chain.chain_id, to_hex(chain.directory)) == (URL, 77, ADDRESS)
    assert chain.chain_class is ChainClass.LOCAL
    assert f"guildmark chain fund {first} --url {URL}" in second.err


def test_a_public_chain_funds_nobody(
    speak: Speak, folder: Path, checked: list[dict[str, Any]]
) -> None:
    spoken = speak("init", "--chain", URL, "--directory", ADDRESS, "--class", "public", "--json")

    assert spoken.json["chain"]["class"] == "public"
    assert "fund" not in spoken.err


def test_a_deployment_file_names_chain_and_contracts(
    speak: Speak, folder: Path, tmp_path: Path, checked: list[dict[str, Any]]
) -> None:
    pin = Tools().chain.pin()
    deployment.save(tmp_path / "deployment.json", pin)
    (tmp_path / "endpoint.json").write_text(json.dumps({"url": URL}))

    speak("init", "--deployment", tmp_path / "deployment.json")

    chain = load(folder).chain
    assert (chain.url, chain.chain_id, chain.genesis) == (URL, pin.chain_id, pin.genesis)
    assert [one["chain_id"] for one in checked] == [pin.chain_id]


def test_the_keepers_own_deployment_is_found(
    speak: Speak, folder: Path, checked: list[dict[str, Any]]
) -> None:
    (folder / "chain").mkdir(parents=True)
    deployment.save(folder / "chain" / "deployment.json", Tools().chain.pin())
    (folder / "chain" / "endpoint.json").write_text(json.dumps({"url": URL}))

    assert speak("init").exit == 0
    assert load(folder).chain.url == URL


def test_a_wrong_chain_leaves_no_settings(
    speak: Speak, folder: Path, checked: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(url: str, **pins: Any) -> None:
        message = "The node is on chain 1, the settings name 77."
        raise WrongChainError(message)

    monkeypatch.setattr(making, "open_ledger", refuse)

    spoken = speak("init", "--chain", URL, "--directory", ADDRESS, "--json")

    assert (spoken.exit, spoken.json["code"]) == (2, "chain.wrongChain")
    assert not folder.exists()


@pytest.mark.parametrize("words", [("--chain", URL), ("--directory", ADDRESS)])
def test_a_chain_is_named_whole(
    words: tuple[str, ...], speak: Speak, folder: Path, checked: list[dict[str, Any]]
) -> None:
    spoken = speak("init", *words, "--json")

    assert (spoken.exit, spoken.json["code"]) == (2, "home.chainHalfNamed")


def test_a_home_is_made_once(speak: Speak, folder: Path, checked: list[dict[str, Any]]) -> None:
    speak("init", "--chain", URL, "--directory", ADDRESS)

    spoken = speak("init", "--chain", URL, "--directory", ADDRESS, "--json")

    assert (spoken.exit, spoken.json["code"]) == (1, "home.exists")


def test_a_named_password_file_is_used_as_it_is(
    speak: Speak, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret").write_text("word\n")
    monkeypatch.setenv("GUILDMARK_PASSWORD_FILE", str(tmp_path / "secret"))

    assert speak("init").exit == 0
    assert not (folder / "keys" / "password").exists()


def test_the_named_home_goes_before_the_environments(
    speak: Speak, folder: Path, tmp_path: Path
) -> None:
    speak("init", "--home", tmp_path / "other")

    assert (tmp_path / "other" / "keys").is_dir()
    assert not folder.exists()


@pytest.mark.parametrize(
    ("algorithm", "use", "has_account"),
    [
        ("secp256k1", "account, machine", True),
        ("p256", "machine", False),
        ("ed25519", "machine", False),
        ("x25519", "packages", False),
        ("x25519-mlkem768", "packages", False),
        ("rsa", "printers' files", False),
    ],
)
def test_keys_are_made_and_listed(
    algorithm: str, use: str, has_account: bool, speak: Speak, folder: Path
) -> None:
    speak("init")

    made = speak("keys", "new", "mine", "--algorithm", algorithm, "--json").json

    assert (made["name"], made["for"], made["holder"]) == ("mine", use, "file")
    assert (made["account"] is not None) is has_account
    assert made["publicKey"].startswith(f"{algorithm}:0x")
    assert made in speak("keys", "list", "--json").json["keys"]
    assert speak("keys", "show", "mine", "--json").json == made


@pytest.mark.parametrize("form", ["text", "pem"])
def test_a_print_file_goes_to_a_named_printer(
    form: str, speak: Speak, folder: Path, tmp_path: Path
) -> None:
    plain, secret, opened = (tmp_path / f"{name}.3mf" for name in ("plain", "secret", "opened"))
    plain.write_bytes(threemf())
    speak("init")
    speak("keys", "new", "printer", "--algorithm", "rsa")
    shown = speak("keys", "show", "printer", "--json").json["publicKey"]
    pem = load_der_public_key(bytes.fromhex(shown.removeprefix("rsa:0x"))).public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    (tmp_path / "printer.pem").write_bytes(pem)
    key = shown if form == "text" else tmp_path / "printer.pem"

    sealed = speak(
        "design", "export-3mf", plain, "--to", f"mondego-2={key}", "--out", secret, "--json"
    )
    found = speak("design", "import-3mf", secret, "--key", "printer", "--out", opened)

    assert sealed.json["recipients"] == ["mondego-2"]
    assert b"<vertex" not in secret.read_bytes()
    assert found.exit == 0
    assert measure(opened.read_bytes(), "3mf", LIMITS) == measure(plain.read_bytes(), "3mf", LIMITS)
    assert opened.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "to", ["printer", "printer=", "printer=none.pem", "=rsa:0x00", "a=rsa:0x00"]
)
def test_a_printer_without_a_key_is_refused(to: str, speak: Speak, tmp_path: Path) -> None:
    (tmp_path / "plain.3mf").write_bytes(threemf())

    spoken = speak(
        *("design", "export-3mf", tmp_path / "plain.3mf", "--to", to),
        *("--out", tmp_path / "secret.3mf", "--json"),
    )

    assert (spoken.exit, spoken.json["code"]) == (2, "secure.recipient")
    assert not (tmp_path / "secret.3mf").exists()


def test_a_key_has_an_id_for_each_machine(speak: Speak, folder: Path) -> None:
    speak("init")
    public = speak("keys", "new", "mine", "--algorithm", "p256").out
    machine = "0x" + "11" * 32

    shown = speak("keys", "show", "mine", "--machine", machine, "--json").json

    key = SigningKey(algorithm=Algorithm.P256, data=bytes.fromhex(public.partition(":0x")[2]))
    assert shown["id"] == to_hex(key_id(IdentityId(b"\x11" * 32), key))


def test_a_key_is_shown_by_its_file_too(speak: Speak, folder: Path) -> None:
    speak("init")
    made = speak("keys", "new", "mine", "--algorithm", "p256", "--json").json

    shown = speak("keys", "show", f"file:{folder}/keys/mine.pem", "--json").json

    assert (shown["publicKey"], shown["holder"]) == (made["publicKey"], "file")


@pytest.mark.parametrize(
    ("words", "code", "exit_code"),
    [
        (("new", "account"), "key.exists", 1),
        (("new", "file:/here/key.pem"), "key.uriUnknown", 2),
        (("new", "kms:key"), "key.uriUnknown", 2),
        (("show", "tpm:handle=1"), "key.uriMalformed", 2),
        (("new", "../up"), "key.nameMalformed", 2),
        (("show", "nobody"), "key.missing", 4),
    ],
)
def test_a_key_that_cannot_be_is_refused(
    words: tuple[str, ...], code: str, exit_code: int, speak: Speak, folder: Path
) -> None:
    speak("init")

    spoken = speak("keys", *words, "--json")

    assert (spoken.exit, spoken.json["code"]) == (exit_code, code)


@pytest.mark.parametrize(
    "words",
    [
        ("keys", "show", "pkcs11:object=a?pin-value=canary-pin"),
        ("keys", "new", "tpm:handle=0x81010001?pin-value=canary-pin"),
        ("keys", "show", "pkcs11:object=canary-pin a"),
    ],
)
def test_no_answer_repeats_a_pin(words: tuple[str, ...], speak: Speak, folder: Path) -> None:
    spoken = speak(*words)

    assert spoken.exit == 2
    assert "canary-pin" not in spoken.out + spoken.err


def test_a_key_without_a_password_is_not_made(speak: Speak, folder: Path) -> None:
    spoken = speak("keys", "new", "mine", "--json")

    assert (spoken.exit, spoken.json["code"]) == (2, "key.passwordMissing")


def test_a_home_without_settings_is_none(speak: Speak, folder: Path) -> None:
    spoken = speak("org", "show", "0x" + "00" * 32, "--json")

    assert (spoken.exit, spoken.json["code"]) == (2, "settings.missing")
    assert str(folder) in spoken.json["reason"]


Look: TypeAlias = Callable[[], Mapping[str, Any]]


@pytest.fixture
def chain() -> MemoryChain:
    return Tools().chain


@pytest.fixture
def look(speak: Speak, folder: Path, chain: MemoryChain, monkeypatch: pytest.MonkeyPatch) -> Look:
    """Return what looks at a home that lacks nothing: the exit, and each check by its name."""
    speak("init")
    save(Settings(home=folder, chain=chain_settings(Tools(chain=chain))))

    def open_ledger(url: str, **_: Any) -> MemoryChain:
        return chain

    monkeypatch.setattr(health, "open_ledger", open_ledger)
    monkeypatch.setattr(health, "Rpc", _Rpc)
    monkeypatch.setattr(_Rpc, "balance", 1)

    def look() -> Mapping[str, Any]:
        spoken = speak("doctor", "--json")
        checks = {check["name"]: check for check in spoken.json["checks"]}
        return {"exit": spoken.exit, **checks}

    return look


def test_a_healthy_home_has_no_problem(look: Look) -> None:
    found = look()

    assert found["exit"] == 0
    assert list(found) == [
        *("exit", "disk", "keys", "settings", "database", "content", "chain", "clock", "coin"),
    ]
    assert {check["state"] for name, check in found.items() if name != "exit"} == {"ok"}


def test_people_read_a_line_for_each_check(look: Look, speak: Speak) -> None:
    lines = speak("doctor").lines

    assert lines[0].startswith("ok      disk      ")
    assert len(lines) == 8


def test_a_problem_says_code_and_next_step(look: Look, speak: Speak, folder: Path) -> None:
    (folder / "keys" / "password").chmod(0o644)

    spoken = speak("doctor")

    assert spoken.exit == 5
    assert "problem keys      Others may read the password file" in spoken.out
    assert "        code      key.passwordExposed" in spoken.out
    assert "        next      Run `chmod 600`" in spoken.out


def test_a_wrong_password_names_the_file(look: Look, folder: Path) -> None:
    (folder / "keys" / "password").write_text("wrong")

    found = look()

    assert (found["exit"], found["keys"]["code"]) == (5, "key.passwordWrong")
    assert str(folder / "keys" / "account.json") in found["keys"]["reason"]


def test_a_named_password_file_is_looked_at(
    look: Look, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUILDMARK_PASSWORD_FILE", str(tmp_path / "none"))

    assert look()["keys"]["code"] == "key.passwordMissing"


def test_a_home_without_keys_has_a_problem(look: Look, folder: Path) -> None:
    (folder / "keys" / "account.json").unlink()

    assert look()["keys"]["code"] == "key.missing"


def test_no_home_is_no_healthy_home(speak: Speak, folder: Path) -> None:
    checks = speak("doctor", "--json").json["checks"]

    assert [(check["name"], check["code"]) for check in checks] == [
        ("disk", "settings.missing"),
        ("keys", "key.missing"),
        ("settings", "settings.missing"),
    ]


@pytest.mark.parametrize(("free", "state"), [(1 << 30, "ok"), ((1 << 30) - 1, "problem")])
def test_a_disk_has_room_for_a_gibibyte(
    free: int, state: str, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = SimpleNamespace(free=free)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)

    assert look()["disk"]["state"] == state


@pytest.mark.parametrize(("ahead", "state"), [(150, "ok"), (151, "problem")])
def test_a_clock_is_not_behind_the_chain(
    ahead: int, state: str, look: Look, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SystemClock, "now", lambda _: START - ahead)

    assert look()["clock"]["state"] == state


def test_an_account_without_coin_is_noted(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Rpc, "balance", 0)

    found = look()

    assert (found["exit"], found["coin"]["state"]) == (0, "note")
    assert found["coin"]["code"] == "chain.fundsMissing"


def test_a_chain_that_is_away_is_one_problem(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(url: str, **_: Any) -> MemoryChain:
        message = f"{url} does not answer."
        raise LedgerUnavailableError(message)

    monkeypatch.setattr(health, "open_ledger", away)

    found = look()

    assert (found["exit"], found["chain"]["code"]) == (3, "chain.unavailable")
    assert "clock" not in found


def test_a_damaged_database_is_a_problem(look: Look, folder: Path) -> None:
    (folder / "node.db").write_bytes(b"no database" * 100)

    assert look()["database"]["code"] == "store.unreadable"


def _run_node(folder: Path, writer: str) -> None:
    node = NodeSettings(
        operator=IdentityId(bytes(32)),
        log=LogNumber(1),
        writer=KeyName(writer),
        public_url=URL,
    )
    save(with_node(load(folder), node))


@pytest.mark.parametrize(("writer", "code"), [("account", None), ("other", "node.writerOther")])
def test_the_logs_writer_is_the_nodes_key(
    writer: str,
    code: str | None,
    look: Look,
    speak: Speak,
    folder: Path,
    chain: MemoryChain,
) -> None:
    speak("keys", "new", "other")
    account = speak("keys", "show", "account", "--json").json["account"]
    _run_node(folder, writer)
    chain.heads[1] = Head(bytes(32), address_from_hex(account))

    assert look()["log"]["code"] == code


def test_a_chains_node_that_proves_no_final_block_is_a_problem(
    look: Look, folder: Path, chain: MemoryChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    _run_node(folder, "account")
    chain.heads[1] = Head(bytes(32), address_from_hex(f"0x{'11' * 20}"))
    asked: list[int] = []

    def proof(block: int, _: object) -> None:
        asked.append(block)
        if len(asked) > 1:
            message = "It has dropped the state."
            raise ProofRefusedError(message, block=block)

    monkeypatch.setattr(chain, "proof", proof, raising=False)

    states = [look()["proofs"]["state"], look()["proofs"]["code"]]

    assert states == ["ok", "chain.proofRefused"]
    assert asked == [chain.head(final=True).number] * 2


@pytest.mark.parametrize(
    ("days", "code"), [(None, None), (30, None), (29, "certificate.ends"), (-1, "certificate.ends")]
)
def test_a_certificate_that_ends_soon_is_a_problem(
    days: int | None, code: str | None, look: Look, folder: Path, chain: MemoryChain
) -> None:
    _run_node(folder, "account")
    chain.heads[1] = Head(bytes(32), Address(bytes(20)))
    if days is None:
        assert "certificate" not in look()
        return
    begun = SystemClock().now() - (DAYS - 1 - days) * 86_400 + 3_600
    made = certified(["shop.local"], now=begun)
    (folder / "tls").mkdir()
    (folder / "tls" / "node.crt").write_bytes(made.certificate)
    (folder / "tls" / "node.key").write_bytes(made.key)

    assert look()["certificate"]["code"] == code


@pytest.mark.usefixtures("home")
def test_the_index_is_followed_and_made_anew(speak: Speak, world: World) -> None:
    head = world.tools.chain.blocks[-1]

    followed = speak("index", "follow", "--json").json
    with world.tools.store.writing() as work:
        work.facts.forget()
    rebuilt = speak("index", "rebuild", "--json").json

    assert (
        followed
        == rebuilt
        == {
            "block": head.number,
            "hash": to_hex(head.hash),
            "time": head.time,
        }
    )
    assert speak("site", "show", to_hex(world.site)).exit == 0


def test_a_home_is_closed_whatever_the_command_did(
    speak: Speak, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[str] = []

    def watched(
        settings: Settings, *, password: Callable[[], str], pin: Path | None = None
    ) -> Home:
        return replace(home, settings=settings, close=lambda: closed.append("home"))

    monkeypatch.setattr(opening, "open_home", watched)

    assert speak("index", "follow").exit == 0
    assert speak("org", "show", "0x" + "00" * 32).exit == 4

    assert closed == ["home", "home"]


@pytest.mark.parametrize(("mode", "warns"), [(0o600, False), (0o640, True), (0o604, True)])
def test_a_password_that_others_may_read_is_told_once(
    mode: int,
    warns: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("GUILDMARK_PASSWORD_FILE", raising=False)
    file = tmp_path / "password"
    file.write_text("secret\n")
    file.chmod(mode)
    password = password_of(tmp_path)

    assert (password(), password()) == ("secret", "secret")

    out, err = capsys.readouterr()
    assert out == ""
    assert err.count(f"others may read the password file {file}") == int(warns)
    assert "secret" not in err
