"""The operator's page: its commands are run as they are written, by a shell, in fresh homes."""

import json
import os
import re
import shutil
import socket
import ssl
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from e2e import warm
from e2e.pages import Reader, Step, blocks, steps
from e2e.story import EXAMPLES, SITE_A, report
from guildmark.adapters.keys.keystore import password_from
from guildmark.bootstrap import open_home
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.refusals import CallerRefusedError
from guildmark.ports.chain import Call
from guildmark.ports.keys import KeyName
from guildmark.settings import DATABASE_VARIABLE, Settings, load
from postgres_server import Postgres, program
from stages import until

pytestmark = pytest.mark.e2e

PAGE = "operator.md"
ROOT = Path(__file__).resolve().parents[2]
SERVICE = "As a service"
"""A test of its own."""

THERE_ALREADY = "createuser --pwprompt guildmark"
"""The server of the tests has that user."""

AS_ROOT = (
    "useradd --system --home-dir /var/lib/guildmark --shell /usr/sbin/nologin guildmark",
    "systemctl enable --now guildmark",
)
"""These change the machine: of the second, what needs no root is done in a folder."""


def refused(settings: Settings, key: KeyName) -> bool:
    """Return whether the chain refuses a record of the log by a key."""
    home = open_home(settings, password=password_from(settings.keys, os.environ))
    head = home.ledger.read(Call(contract=ContractName.LOG, function="head", args=(1,)))
    record = (1, head["seq"], 1, bytes(31) + b"\1", ())
    try:
        home.account(key).call(ContractName.LOG, "append", *record, once=f"thief:{key}")
    except CallerRefusedError:
        return True
    finally:
        home.close()
    return False


@pytest.fixture
def readers(tmp_path: Path) -> Iterator[Callable[..., Reader]]:
    """Return what makes people with homes of their own; nothing of theirs runs afterwards."""
    made: list[Reader] = []
    with warm.program() as folder:

        def reader(name: str, **variables: str) -> Reader:
            made.append(Reader(tmp_path / name, folder, variables=variables))
            return made[-1]

        yield reader
        for one in reversed(made):
            one.kill()


def is_ready(url: str, client: httpx.Client | None = None) -> bool:
    try:
        return (client or httpx).get(f"{url}/readyz").status_code == 200
    except httpx.HTTPError:
        return False


def url_of(home: Path) -> str:
    """Return the address of a node that was started, once it is ready."""
    until(lambda: is_ready(str(json.loads((home / "node.json").read_text())["url"])))
    return str(json.loads((home / "node.json").read_text())["url"])


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def design(operator: Reader) -> None:
    """Let the operator design a part and license itself, so that it has units to hand out."""
    shutil.copy(EXAMPLES / "recipe.json", operator.home)
    (operator.home / "part.gcode").write_text("a part")
    organization = "0x" + load(operator.home / "operator").own_node().operator.hex()
    operator.variables |= {"ORG": organization, "LOG": "1"}
    operator.say(
        "DESIGN=$(guildmark design register part.gcode)",
        "RECIPE=$(guildmark recipe publish recipe.json --design $DESIGN --status qualified)",
        "LICENSE=$(guildmark license sign --design $DESIGN --units 40 --holder $ORG"
        " --recipe $RECIPE --out offer.json)",
        "guildmark license grant offer.json",
    )


def a_part(shop: Reader) -> None:
    """Let a shop join as the agent's page says, and make a part that is on record."""
    spool = shop.home / "spool"
    spool.mkdir()
    shutil.copy(SITE_A, shop.home / "settings.json")
    shop.own["/var/spool/reports"] = str(spool)
    join, run = steps("agent.md", "Join a hub")
    shop.do([join])
    # Given again, it goes on where it was; its answer as JSON names the instrument.
    joined = json.loads(
        shop.say(f"{join.command} --json".replace("/var/spool/reports", str(spool)))
    )
    shop.do([run])
    measured = report("", joined["instruments"][0])["measurements"]
    piece = {"measurements": [{"characteristic": path, **one} for path, one in measured.items()]}
    document = {
        "format": "guildmark/job/v1",
        "job": "job-1",
        "at": int(time.time()),
        "file": "0x" + "5a" * 32,
        "pieces": [piece],
    }
    (spool / ".1.json").write_text(json.dumps(document))
    (spool / ".1.json").rename(spool / "1.json")
    until(lambda: " final " in shop.say("guildmark agent show job-1 || true"))
    shop.end()


def another_operator(other: Reader, first: Reader) -> str:
    """Let another operator go by the page on the first one's chain; return his node's address."""
    chain = load(first.home / "operator").chain
    other.own = {
        "https://rpc.example.org": chain.url,
        "0x8464135c8f25da09e49bc8782676a84730c318bc": "0x" + chain.directory.hex(),
    }
    found = steps(PAGE, "On a chain that others run, too")
    made, opened, first_one, deployed = found[:3], found[3:6], found[6:8], found[8:]
    other.do([*made, *first_one])
    accounts = ("ACCOUNT", "WRITER", "DEPLOYER")
    funded = (f"guildmark chain fund ${name} --home {first.home}/operator" for name in accounts)
    other.say(*funded)
    other.do([*opened, *deployed])
    return url_of(other.home / "operator")


@pytest.mark.needs("systemd")
def test_the_page_s_service_is_one_for_systemd(tmp_path: Path) -> None:
    operator = Reader(tmp_path / "admin", tmp_path)
    units = tmp_path / "etc/systemd/system"
    units.mkdir(parents=True)
    operator.own = {
        "packaging/": f"{ROOT}/packaging/",
        "/etc/systemd/system/": f"{units}/",
        "systemctl enable --now": f"systemctl --root={tmp_path} enable",
    }
    user, copy, enable = steps(PAGE, SERVICE)
    operator.do([copy, enable])
    unit = units / "guildmark.service"

    assert (user.command, enable.command) == AS_ROOT
    assert {"User=guildmark", "StateDirectory=guildmark"} <= set(unit.read_text().splitlines())
    assert (units / "multi-user.target.wants" / "guildmark.service").is_symlink()
    # The program stands where this test has it.
    here = unit.read_text().replace("/opt/guildmark/bin", str(Path(sys.executable).parent))
    unit.write_text(here)
    assert operator.say(f"systemd-analyze verify {unit} 2>&1") == ""


@pytest.mark.needs("anvil", "postgresql")
def test_the_page_s_commands_do_what_it_says(
    readers: Callable[..., Reader], postgres: Postgres
) -> None:
    operator, shop, other = readers("first"), readers("shop"), readers("other")
    home = operator.home / "operator"
    operator.do(steps(PAGE, "In one command")[:1])
    url = url_of(home)
    operator.do(steps(PAGE, "In one command")[1:])

    to_shops(operator, shop)
    for_designers(operator)
    watched(operator, url, another_operator(other, operator))
    *daily, close = steps(PAGE, "Day by day")
    operator.do(daily)
    operator.do(steps(PAGE, "When somebody asks to be erased"))
    assert httpx.get(f"{url}/v1/parts/1.0/bundle").status_code == 410

    operator.do(steps(PAGE, "Let another key write"))
    operator.do(steps(PAGE, "Back up and restore"))
    on_a_server(operator, postgres)
    settings = load(home)
    assert settings.own_node().writer == "writer-2"
    assert refused(settings, KeyName("writer"))
    assert not refused(settings, KeyName("writer-2"))
    operator.do([close])
    left = ("restored/keys/password", "maker/guildmark.toml", "invitation.svg", "part.zip")
    assert all((operator.home / name).exists() for name in left)
    by_https(operator, home)
    for _, language, block in blocks(PAGE):
        if language == "toml":
            settle(operator.home / "restored", block)
    elsewhere = Counter([*steps(PAGE, SERVICE), Step(THERE_ALREADY)])
    assert Counter([*operator.done, *other.done]) == Counter(steps(PAGE)) - elsewhere


def to_shops(operator: Reader, shop: Reader) -> None:
    """Let a shop join; it makes the part that other sections name."""
    design(operator)
    new, listed, withdrawn = steps(PAGE, "Let a shop join")
    operator.do([new, listed])
    invited = json.loads(operator.say("guildmark invite list --json"))["invitations"]
    (operator.variables["ID"],) = (one["id"] for one in invited)
    operator.do([withdrawn])
    again = "guildmark invite new --lane 1 --units 20 --recipe $RECIPE"
    shop.variables["INVITATION"] = operator.say(again).strip()
    a_part(shop)


def for_designers(operator: Reader) -> None:
    """Keep a designer's keys and hold a recipe back; the designer is the operator himself."""
    made, shown, *others = steps(PAGE, "Release keys for a designer")
    operator.do([made, shown])
    operator.variables["KEY"] = json.loads(operator.say("guildmark keys show deposits --json"))[
        "publicKey"
    ]
    operator.say(
        "guildmark release deposit $LICENSE --recipe $RECIPE --operator $ORG --out deposit.bin"
        " --recipient $KEY"
    )
    operator.do(others)


def watched(operator: Reader, url: str, other: str) -> None:
    """Let a witness and another operator's mirror watch the log, and watch theirs."""
    operator.own = {"https://node.example.org": other, "8490": free_port(), "1.5": "1.0"}
    operator.variables["LOG_KEY"] = httpx.get(f"{url}/log/1/key").text.strip()
    *witnessing, use, mirror, mirrored = steps(PAGE, "Let others watch your log")
    operator.do(witnessing)
    said = json.loads(operator.say("guildmark witness show --home witness --json"))
    operator.variables["WITNESS_KEY"] = said["key"]
    operator.do([use, mirror, mirrored])


def on_a_server(operator: Reader, postgres: Postgres) -> None:
    """Move the home's database onto a server, run the node over it, and go back to the box."""
    operator.end()
    passwords, tool = operator.home / ".pgpass", program("createdb")
    passwords.write_text(f"127.0.0.1:{postgres.port}:*:guildmark:{postgres.password}\n")
    passwords.chmod(0o600)
    assert tool is not None
    before = dict(operator.variables)
    operator.variables |= {
        "PATH": f"{before['PATH']}:{Path(tool).parent}",
        "PGPASSFILE": str(passwords),
        "PGHOST": "127.0.0.1",
        "PGPORT": str(postgres.port),
        "PGUSER": "guildmark",
    }
    operator.own |= {
        "db.example.org": f"127.0.0.1:{postgres.port}",
        "sslmode=verify-full": "sslmode=disable",
        "8480": free_port(),
    }
    _user, *others = steps(PAGE, "From one box to several processes")
    operator.do(others)
    assert load(operator.home / "shared").shared is None, "the environment names the database"
    operator.end()
    assert DATABASE_VARIABLE in operator.variables
    operator.variables = before
    operator.stay("guildmark up --home ~/operator")


def by_https(operator: Reader, home: Path) -> None:
    """Let the node start anew by https, at an address of this machine's."""
    operator.end()
    operator.own |= {"192.168.1.20": "127.0.0.1"}
    section = "Phones in the shop's own network"
    certificate, up = steps(PAGE, section)
    operator.do([certificate])
    (block,) = (
        text for name, language, text in blocks(PAGE) if (name, language) == (section, "toml")
    )
    settle(home, operator.mine(block))
    operator.do([up])
    answers_by_https(home)
    operator.end()


def settle(home: Path, block: str) -> None:
    """Put settings in the place of what a home's file says of them; they must be taken."""
    for table in block.split("\n\n"):
        head, *lines = table.splitlines()
        said = (home / "guildmark.toml").read_text()
        for line in lines:
            name = line.partition(" ")[0]
            said = re.sub(rf"^{name} = .*\n", "", said, flags=re.MULTILINE)
        known = said if head in said else f"{said}\n{head}\n"
        (home / "guildmark.toml").write_text(known.replace(head, table.rstrip()))
    load(home)


def answers_by_https(home: Path) -> None:
    """Wait until a node is ready that answers by https, and by nothing else."""
    port = json.loads((home / "node.json").read_text())["url"].rpartition(":")[2]
    trusted = ssl.create_default_context(cafile=str(home / "tls" / "authority.crt"))
    with httpx.Client(verify=trusted) as client:
        until(lambda: is_ready(f"https://127.0.0.1:{port}", client))
