"""Machines are named by kind and address; their secrets are files of their own."""

from pathlib import Path

import httpx
import pytest

from guildmark.adapters.machines import registry
from guildmark.adapters.machines.folder import Folder
from guildmark.adapters.machines.messages import Messages, Topic
from guildmark.adapters.machines.mtconnect import Items, MTConnect
from guildmark.adapters.machines.octoprint import OctoPrint
from guildmark.adapters.machines.opcua import Nodes, OpcUa
from guildmark.adapters.machines.prusalink import PrusaLink
from guildmark.adapters.machines.registry import MachineKindError, machine_source
from guildmark.adapters.machines.secrets import MachineSecretError, SecretFiles
from guildmark.adapters.machines.sparkplug import Sparkplug
from guildmark.adapters.machines.web import MachineAddressError


@pytest.fixture
def secrets(tmp_path: Path) -> SecretFiles:
    for name in ("octoprint", "second"):
        (tmp_path / name).write_text(f"key of {name}\n")
        (tmp_path / name).chmod(0o600)
    return SecretFiles(folder=tmp_path)


def test_a_folder_is_named_by_its_path(secrets: SecretFiles, tmp_path: Path) -> None:
    machine = machine_source(f"folder:{tmp_path}", secrets)

    assert isinstance(machine, Folder)
    assert machine.path == tmp_path
    machine.close()


@pytest.mark.parametrize(("query", "secret"), [("", "octoprint"), ("?secret=second", "second")])
def test_a_printers_key_is_that_of_its_kind_or_the_one_named(
    secrets: SecretFiles, query: str, secret: str
) -> None:
    machine = machine_source(f"octoprint:http://127.0.0.1:5000{query}", secrets)

    assert isinstance(machine, OctoPrint)
    assert machine.site.headers == {"X-Api-Key": f"key of {secret}"}
    assert machine.site.url == "http://127.0.0.1:5000"
    machine.close()


def test_an_agent_is_named_by_its_address_and_its_items_by_their_ids(secrets: SecretFiles) -> None:
    machine = machine_source("mtconnect:http://127.0.0.1:5000/lathe?count=p1", secrets)

    assert isinstance(machine, MTConnect)
    assert (machine.site.url, machine.items) == ("http://127.0.0.1:5000/lathe", Items(count="p1"))
    machine.close()


@pytest.mark.parametrize(("scheme", "port"), [("mqtt", 1883), ("mqtts", 8883)])
def test_a_device_is_named_by_group_node_and_its_own_name(
    secrets: SecretFiles, scheme: str, port: int
) -> None:
    uri = f"sparkplug:{scheme}://127.0.0.1/hall%201/edge/lathe?user=u&secret=second&count=Good"
    machine = machine_source(uri, secrets)

    assert isinstance(machine, Sparkplug)
    broker = machine.inbox.broker
    assert (machine.node, machine.device, machine.names.count) == ("edge", "lathe", "Good")
    assert (broker.port, broker.is_secure, broker.user) == (port, scheme == "mqtts", "u")
    assert machine.inbox.topic == "spBv1.0/hall 1/+/edge/#"
    assert broker.password == "key of second"
    assert "key of" not in repr(machine)
    machine.close()


def test_a_prusalink_printer_is_asked_with_its_key(secrets: SecretFiles) -> None:
    machine = machine_source("prusalink:http://127.0.0.1?secret=second", secrets)

    assert isinstance(machine, PrusaLink)
    assert machine.site.headers == {"X-Api-Key": "key of second"}
    machine.close()
    with_user = machine_source("prusalink:http://127.0.0.1?user=maker&secret=second", secrets)
    assert isinstance(with_user, PrusaLink)
    assert (with_user.site.headers, isinstance(with_user.site.auth, httpx.DigestAuth)) == ({}, True)
    assert "key of" not in repr(with_user)
    with_user.close()


def test_reports_on_a_broker_are_named_by_their_topic(secrets: SecretFiles) -> None:
    machine = machine_source("mqtt:mqtts://127.0.0.1:1/hall%201/+/{job}/{phase}?user=u", secrets)

    assert isinstance(machine, Messages)
    assert machine.topic == Topic("hall 1/+/{job}/{phase}")
    assert (machine.inbox.topic, machine.inbox.broker.port) == ("hall 1/+/+/+", 1)
    machine.close()


@pytest.mark.parametrize(
    "uri", ["sparkplug:mqtt://127.0.0.1/hall/edge/lathe", "mqtt:mqtt://127.0.0.1/reports"]
)
def test_without_the_extra_its_name_is_said(
    secrets: SecretFiles, monkeypatch: pytest.MonkeyPatch, uri: str
) -> None:
    monkeypatch.setattr(registry, "find_spec", lambda _: None)

    with pytest.raises(registry.MachineExtraError) as caught:
        machine_source(uri, secrets)

    assert "guildmark[mqtt]" in caught.value.next_step


@pytest.mark.parametrize("uri", ["lathe:http://127.0.0.1", "folder", "", "http://127.0.0.1"])
def test_an_unknown_kind_is_refused_with_the_list(secrets: SecretFiles, uri: str) -> None:
    with pytest.raises(
        MachineKindError,
        match="folder, octoprint, moonraker, prusalink, mtconnect, sparkplug, opcua, mqtt",
    ):
        machine_source(uri, secrets)


@pytest.mark.parametrize(
    "uri",
    [
        "folder:relative",
        "folder:/x?secret=y",
        "octoprint:http://127.0.0.1?password=x",
        "octoprint:ftp://127.0.0.1",
        "octoprint:http://",
        "octoprint:http://127.0.0.1:99999",
        "octoprint:http://user:word@127.0.0.1",
        "octoprint:http://127.0.0.1#part",
        "mtconnect:ftp://127.0.0.1",
        "sparkplug:http://127.0.0.1/hall/edge/lathe",
        "sparkplug:mqtt://127.0.0.1/hall/edge",
        "sparkplug:mqtt:///hall/edge/lathe",
        "sparkplug:mqtt://u:p@127.0.0.1/hall/edge/lathe",
        "sparkplug:mqtt://127.0.0.1/hall/+/lathe",
        "sparkplug:mqtt://127.0.0.1/hall/edge/%23",
        "prusalink:ftp://127.0.0.1?secret=second",
        "mqtt:http://127.0.0.1/reports",
        "mqtt:mqtt://u:p@127.0.0.1/reports",
        "mqtt:mqtt://127.0.0.1/reports#all",
        "mqtt:mqtt://127.0.0.1",
        "mqtt:mqtt://127.0.0.1/",
        "mqtt:mqtt://127.0.0.1/hall//reports",
        "mqtt:mqtt://127.0.0.1/hall/%23",
        "mqtt:mqtt://127.0.0.1/{job}/{job}",
        "mqtt:mqtt://127.0.0.1/{serial}",
    ],
)
def test_an_address_that_cannot_be_one_is_refused(secrets: SecretFiles, uri: str) -> None:
    with pytest.raises(MachineAddressError):
        machine_source(uri, secrets)


@pytest.mark.parametrize("name", ["missing", "../octoprint", ".hidden", ""])
def test_a_secret_that_is_not_there_is_refused(secrets: SecretFiles, name: str) -> None:
    with pytest.raises(MachineSecretError):
        secrets.read(name)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_secret_that_others_may_touch_is_refused(
    secrets: SecretFiles, tmp_path: Path, mode: int
) -> None:
    (tmp_path / "second").chmod(mode)

    with pytest.raises(MachineSecretError, match="Others"):
        secrets.read("second")


@pytest.mark.parametrize("content", [b"", b"\n", b"two\nlines", b"\xff", "schl\u00fcssel".encode()])
def test_a_secret_that_is_not_one_plain_line_is_refused(
    secrets: SecretFiles, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "second").write_bytes(content)

    with pytest.raises(MachineSecretError):
        secrets.read("second")


@pytest.mark.parametrize(("size", "is_read"), [(4_096, True), (4_097, False)])
def test_a_secret_has_an_upper_size(
    secrets: SecretFiles, tmp_path: Path, size: int, is_read: bool
) -> None:
    (tmp_path / "second").write_text("k" * size)
    if is_read:
        assert len(secrets.read("second")) == size
        return
    with pytest.raises(MachineSecretError):
        secrets.read("second")


def test_an_opc_ua_machine_is_named_by_server_and_variables(secrets: SecretFiles) -> None:
    uri = "opcua:opc.tcp://127.0.0.1:4840/hall?execution=ns=2;s=E&count=ns=2;s=C&user=u"
    machine = machine_source(f"{uri}&secret=second", secrets)

    assert isinstance(machine, OpcUa)
    server = machine.subscription.server
    assert (server.url, server.user) == ("opc.tcp://127.0.0.1:4840/hall", "u")
    assert server.password == "key of second"
    assert server.nodes == Nodes(execution="ns=2;s=E", count="ns=2;s=C")
    machine.close()


@pytest.mark.parametrize(
    "place",
    [
        "opc.tcp://127.0.0.1/hall",
        "http://127.0.0.1/hall?execution=i=1",
        "opc.tcp:///hall?execution=i=1",
        "opc.tcp://u:p@127.0.0.1/hall?execution=i=1",
    ],
)
def test_an_opc_ua_address_is_refused_without_server_or_variable(
    secrets: SecretFiles, place: str
) -> None:
    with pytest.raises(MachineAddressError):
        machine_source(f"opcua:{place}", secrets)
