"""A home's settings: read strictly, written whole, read back alike."""

from dataclasses import replace
from pathlib import Path

import pytest

from guildmark.adapters.home import default_home
from guildmark.adapters.store.places import DatabaseUrl, DatabaseUrlError
from guildmark.domain.builds.granting import GrantPolicy
from guildmark.domain.chain.contracts import ChainClass
from guildmark.domain.chain.finality import FinalityRule
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Address, ChainId, IdentityId, LogNumber, to_hex
from guildmark.ports.keys import KeyName
from guildmark.settings import (
    FILE_NAME,
    ChainSettings,
    ContentSettings,
    NodeSettings,
    SettingInvalidError,
    SettingMissingError,
    Settings,
    SettingsMalformedError,
    SettingsMissingError,
    load,
    save,
    with_environment,
    with_node,
)

CHAIN = ChainSettings(
    url="http://127.0.0.1:8545",
    chain_id=ChainId(2**40 + 1),
    genesis=sha256(b"genesis"),
    chain_class=ChainClass.LOCAL,
    directory=Address(b"\1" * 20),
)
NODE = NodeSettings(
    operator=IdentityId(sha256(b"operator")),
    log=LogNumber(3),
    writer=KeyName("writer"),
    public_url="https://node.example",
    batch_seconds=0.5,
    peers=("https://peer.example",),
)

TEXT = f"""\
[chain]
url = "http://127.0.0.1:8545"
chain_id = 7
genesis = "{to_hex(CHAIN.genesis)}"
class = "consortium"
directory = "{to_hex(CHAIN.directory)}"

[node]
operator = "{to_hex(NODE.operator)}"
log = 3
writer = "writer"
host = "127.0.0.1"
port = 8480
public_url = "https://node.example/"
batch_seconds = 0.5
peers = ["https://peer.example/"]
"""


def written(home: Path, text: str) -> Path:
    (home / FILE_NAME).write_text(text)
    return home


@pytest.mark.parametrize(
    "node", [None, NODE, *(replace(NODE, page_seconds=seconds) for seconds in (0, 60))]
)
def test_settings_are_read_as_they_were_written(tmp_path: Path, node: NodeSettings | None) -> None:
    settings = Settings(home=tmp_path / "new", chain=CHAIN, node=node)

    save(settings)

    assert load(settings.home) == settings


@pytest.mark.parametrize("shown", [None, (), ("/tolerance", "/process/infill")])
def test_what_is_shown_of_values_is_read_as_it_was_written(
    tmp_path: Path, shown: tuple[str, ...] | None
) -> None:
    save(Settings(home=tmp_path, chain=CHAIN, shown=shown))

    assert load(tmp_path).shown == shown


@pytest.mark.parametrize("shown", ["[1]", '["tolerance"]', '"/tolerance"', "true"])
def test_what_is_shown_of_values_is_named_by_paths(tmp_path: Path, shown: str) -> None:
    with pytest.raises(SettingInvalidError, match=r"values\.shown"):
        load(written(tmp_path, f"{TEXT}\n[values]\nshown = {shown}\n"))


@pytest.mark.parametrize("granted", [(), ("/process/infill",)])
def test_what_is_granted_is_read_as_it_was_written(
    tmp_path: Path, granted: tuple[str, ...]
) -> None:
    grants = GrantPolicy(auditor=granted)
    save(Settings(home=tmp_path, chain=CHAIN, grants=grants))

    assert load(tmp_path) == Settings(home=tmp_path, chain=CHAIN, grants=grants)


@pytest.mark.parametrize("role", ["designer", "auditor"])
def test_what_is_granted_is_named_by_paths(tmp_path: Path, role: str) -> None:
    with pytest.raises(SettingInvalidError, match=rf"values\.{role}"):
        load(written(tmp_path, f'{TEXT}\n[values]\n{role} = ["process"]\n'))


def test_hand_written_settings_are_read(tmp_path: Path) -> None:
    settings = load(written(tmp_path, TEXT))

    assert settings.chain == replace(CHAIN, chain_id=ChainId(7), chain_class=ChainClass.CONSORTIUM)
    # Addresses are compared and joined: none ends in a slash.
    assert settings.own_node() == NODE


def test_everything_of_a_home_lies_in_its_folder(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, chain=CHAIN)

    places = [settings.database, settings.keys, settings.content, settings.documents]
    assert places == [tmp_path / name for name in ("node.db", "keys", "content", "documents")]


def test_home_without_a_node_table_is_no_operators(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, chain=CHAIN)

    with pytest.raises(SettingMissingError) as caught:
        settings.own_node()

    assert caught.value.code == "settings.valueMissing"
    assert with_node(settings, NODE).own_node() == NODE


def test_folder_without_settings_is_no_home(tmp_path: Path) -> None:
    with pytest.raises(SettingsMissingError) as caught:
        load(tmp_path)

    assert caught.value.code == "settings.missing"
    assert str(tmp_path) in caught.value.message


@pytest.mark.parametrize("data", [b"[chain", b"\xff\xfe"])
def test_file_that_is_no_toml_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(data)

    with pytest.raises(SettingsMalformedError) as caught:
        load(tmp_path)

    assert caught.value.code == "settings.malformed"


@pytest.mark.parametrize(
    ("line", "setting"),
    [
        ("url", "chain.url"),
        ("chain_id", "chain.chain_id"),
        ("genesis", "chain.genesis"),
        ("class", "chain.class"),
        ("directory", "chain.directory"),
        ("operator", "node.operator"),
        ("log", "node.log"),
        ("peers", "node.peers"),
        ("batch_seconds", "node.batch_seconds"),
    ],
)
def test_missing_setting_is_named(tmp_path: Path, line: str, setting: str) -> None:
    kept = [text for text in TEXT.splitlines() if not text.startswith(f"{line} =")]

    with pytest.raises(SettingMissingError) as caught:
        load(written(tmp_path, "\n".join(kept)))

    assert caught.value.detail == {"setting": setting}


def test_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingMissingError) as caught:
        load(written(tmp_path, TEXT[TEXT.index("[node]") :]))

    assert caught.value.detail == {"setting": "chain"}


@pytest.mark.parametrize(
    ("old", "new", "setting"),
    [
        ('"http://127.0.0.1:8545"', '"ftp://127.0.0.1"', "chain.url"),
        ("chain_id = 7", "chain_id = 0", "chain.chain_id"),
        ("chain_id = 7", "chain_id = true", "chain.chain_id"),
        ("chain_id = 7", 'chain_id = "7"', "chain.chain_id"),
        (f'genesis = "{to_hex(CHAIN.genesis)}"', 'genesis = "0x12"', "chain.genesis"),
        ("consortium", "private", "chain.class"),
        (f'directory = "{to_hex(CHAIN.directory)}"', 'directory = "0xAA"', "chain.directory"),
        ("log = 3", "log = 0", "node.log"),
        ("port = 8480", "port = 65536", "node.port"),
        ("port = 8480", "port = -1", "node.port"),
        ("batch_seconds = 0.5", "batch_seconds = -0.5", "node.batch_seconds"),
        ("batch_seconds = 0.5", "batch_seconds = 3600.5", "node.batch_seconds"),
        ("batch_seconds = 0.5", "batch_seconds = 0.5\npage_seconds = -1", "node.page_seconds"),
        ("batch_seconds = 0.5", "batch_seconds = 0.5\npage_seconds = 61", "node.page_seconds"),
        ('peers = ["https://peer.example/"]', "peers = [1]", "node.peers"),
    ],
)
def test_setting_that_cannot_be_is_named(tmp_path: Path, old: str, new: str, setting: str) -> None:
    with pytest.raises(SettingInvalidError) as caught:
        load(written(tmp_path, TEXT.replace(old, new)))

    assert caught.value.code == "settings.valueInvalid"
    assert caught.value.detail == {"setting": setting}


def test_table_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingInvalidError) as caught:
        load(written(tmp_path, "chain = 1"))

    assert caught.value.detail == {"setting": "chain"}


@pytest.mark.parametrize("port", [0, 65535])
def test_port_is_any_or_none(tmp_path: Path, port: int) -> None:
    settings = load(written(tmp_path, TEXT.replace("port = 8480", f"port = {port}")))

    assert settings.own_node().port == port


def test_home_is_the_one_that_the_environment_names(tmp_path: Path) -> None:
    assert default_home({"GUILDMARK_HOME": str(tmp_path)}) == tmp_path
    assert default_home({}) == Path("~/.guildmark").expanduser()


STORES = ContentSettings(
    stores=("kubo+http://127.0.0.1:5001", "file:/mnt/other"), copies=3, challenge_hours=0.5
)


@pytest.mark.parametrize("stores", [ContentSettings(), STORES, replace(STORES, copies=None)])
def test_content_stores_are_read_as_they_were_written(
    tmp_path: Path, stores: ContentSettings
) -> None:
    settings = Settings(home=tmp_path, chain=CHAIN, stores=stores)

    save(settings)

    assert load(tmp_path) == settings


def test_content_stores_have_defaults(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text(f"{TEXT}[content]\nstores = []\n")

    assert load(tmp_path).stores == ContentSettings(stores=(), copies=None, challenge_hours=24.0)


@pytest.mark.parametrize(
    ("lines", "setting"),
    [
        ("stores = [7]", "content.stores"),
        ('stores = "kubo"', "content.stores"),
        ('stores = ["a"]\ncopies = 0', "content.copies"),
        ('stores = ["a"]\ncopies = 3', "content.copies"),
        ("stores = []\nchallenge_hours = 0.0", "content.challenge_hours"),
        ("stores = []\nchallenge_hours = 168.1", "content.challenge_hours"),
        ("stores = []\nchallenge_hours = true", "content.challenge_hours"),
    ],
)
def test_content_stores_that_cannot_be_are_refused(
    tmp_path: Path, lines: str, setting: str
) -> None:
    (tmp_path / FILE_NAME).write_text(f"{TEXT}[content]\n{lines}\n")

    with pytest.raises(SettingInvalidError) as caught:
        load(tmp_path)

    assert caught.value.detail["setting"] == setting


def test_the_environment_names_content_stores() -> None:
    settings = Settings(home=Path("home"), chain=CHAIN, stores=STORES)

    named = with_environment(settings, {"GUILDMARK_CONTENT": " file:/a  file:/b "})

    assert named.stores == replace(STORES, stores=("file:/a", "file:/b"))
    assert with_environment(settings, {"GUILDMARK_CONTENT": ""}).stores.stores == ()
    assert with_environment(settings, {}) == settings


URL = "postgresql://guildmark:canary-secret@db.example.org:5433/node?sslmode=require"


def test_a_database_on_a_server_is_kept_and_shown_without_its_secrets(tmp_path: Path) -> None:
    save(Settings(home=tmp_path, chain=CHAIN, shared=DatabaseUrl(URL)))

    found = load(tmp_path)

    assert found.database == DatabaseUrl(URL)
    assert str(found.database) == "postgresql://db.example.org:5433/node"
    assert "canary" not in repr(found)


def test_a_home_without_a_server_has_a_file() -> None:
    assert Settings(home=Path("home"), chain=CHAIN).database == Path("home/node.db")


def test_the_environment_names_a_database_that_is_never_written(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, chain=CHAIN)

    named = with_environment(settings, {"GUILDMARK_DATABASE_URL": URL})

    save(named)
    assert str(named.database) == "postgresql://db.example.org:5433/node"
    assert load(tmp_path) == settings
    assert with_environment(settings, {"GUILDMARK_DATABASE_URL": ""}) == settings


@pytest.mark.parametrize(
    "url",
    [
        "mysql://guildmark:canary-secret@host/node",
        "postgresql://guildmark:canary-secret@host",
        "postgresql://guildmark:canary-secret@host/",
        "postgresql://guildmark:canary-secret@host:99999/node",
        "postgresql://guildmark:canary-secret@host:0/node",
        "canary-secret",
    ],
)
def test_what_names_no_database_is_refused_and_not_repeated(tmp_path: Path, url: str) -> None:
    (tmp_path / FILE_NAME).write_text(f'{TEXT}[database]\nurl = "{url}"\n')

    with pytest.raises(DatabaseUrlError) as named:
        with_environment(Settings(home=tmp_path, chain=CHAIN), {"GUILDMARK_DATABASE_URL": url})
    with pytest.raises(SettingInvalidError) as kept:
        load(tmp_path)

    assert named.value.code == "settings.databaseUrl"
    assert kept.value.detail["setting"] == "database.url"
    assert "canary" not in f"{named.value} {kept.value} {kept.value.__cause__}"


def test_witnesses_of_a_node_are_kept(tmp_path: Path) -> None:
    node = replace(
        NODE,
        witnesses=("name+00000000+AAAA http://127.0.0.1:9",),
        mirrors=(
            "7 name+00000000+AAAA http://127.0.0.1:8",
            "8 name+00000000+AAAA http://127.0.0.1:8 100",
        ),
    )
    save(Settings(home=tmp_path, chain=CHAIN, node=node))

    assert load(tmp_path).own_node() == node


@pytest.mark.parametrize("named", ['"key"', '"key ftp://x"', '" http://x"', "7"])
def test_a_witness_without_key_or_address_is_refused(tmp_path: Path, named: str) -> None:
    save(Settings(home=tmp_path, chain=CHAIN, node=NODE))
    file = tmp_path / FILE_NAME
    text = file.read_text()
    file.write_text(text.replace("[node]\n", f"[node]\nwitnesses = [{named}]\n"))

    with pytest.raises(SettingInvalidError):
        load(tmp_path)


@pytest.mark.parametrize(
    "named",
    [
        *('"7 key"', '"x key http://x"', '"7 key ftp://x"', "7"),
        *('"7 key http://x y"', '"7 key http://x -1"', '"7 key http://x 1 2"'),
    ],
)
def test_a_mirror_without_log_key_or_address_is_refused(tmp_path: Path, named: str) -> None:
    save(Settings(home=tmp_path, chain=CHAIN, node=NODE))
    file = tmp_path / FILE_NAME
    text = file.read_text()
    file.write_text(text.replace("[node]\n", f"[node]\nmirrors = [{named}]\n"))

    with pytest.raises(SettingInvalidError):
        load(tmp_path)


@pytest.mark.parametrize(
    ("written_as", "rule"),
    [
        ('"finalized"', FinalityRule()),
        ("0", FinalityRule(depth=0)),
        ("100000", FinalityRule(depth=100_000)),
    ],
)
def test_finality_may_be_chosen(tmp_path: Path, written_as: str, rule: FinalityRule) -> None:
    text = TEXT.replace("[node]", f"finality = {written_as}\n\n[node]")

    found = load(written(tmp_path, text))
    save(found)

    assert found.chain.finality == rule
    assert load(tmp_path) == found
    assert load(written(tmp_path, TEXT)).chain.finality is None


@pytest.mark.parametrize("value", ["-1", "100001", '"latest"', "true", "1.5"])
def test_finality_that_cannot_be_is_named(tmp_path: Path, value: str) -> None:
    text = TEXT.replace("[node]", f"finality = {value}\n\n[node]")

    with pytest.raises(SettingInvalidError) as refused:
        load(written(tmp_path, text))

    assert refused.value.detail["setting"] == "chain.finality"


def test_targets_of_batches_may_be_set(tmp_path: Path) -> None:
    found = load(
        written(tmp_path, TEXT + "latency_seconds = 30.0\nbatch_entries = 50\nreplay_hours = 0.0\n")
    )
    save(found)

    node = load(tmp_path).own_node()
    assert (node.latency_seconds, node.batch_entries, node.replay_hours) == (30.0, 50, 0)
    assert load(written(tmp_path, TEXT)).own_node().latency_seconds == 0


def test_what_is_kept_of_scans_may_be_set(tmp_path: Path) -> None:
    usual = load(written(tmp_path, TEXT)).own_node()
    found = load(written(tmp_path, TEXT + 'scan_days = 0\ncountry_header = "CF-IPCountry"\n'))
    save(found)

    node = load(tmp_path).own_node()
    assert (usual.scan_days, usual.country_header) == (365, "")
    assert usual.letter_days == 90
    assert (node.scan_days, node.country_header) == (0, "CF-IPCountry")


@pytest.mark.parametrize(
    ("line", "setting"),
    [
        ("scan_days = -1", "node.scan_days"),
        ("letter_days = 0", "node.letter_days"),
        ("letter_days = 3651", "node.letter_days"),
        ("scan_days = 3651", "node.scan_days"),
        ('country_header = ""', "node.country_header"),
        ('country_header = "a b"', "node.country_header"),
        ("latency_seconds = -0.1", "node.latency_seconds"),
        ("latency_seconds = 86400.1", "node.latency_seconds"),
        ("latency_seconds = 5", "node.latency_seconds"),
        ("replay_hours = 8760.1", "node.replay_hours"),
        ("batch_entries = 0", "node.batch_entries"),
        ("batch_entries = 1048577", "node.batch_entries"),
    ],
)
def test_targets_that_cannot_be_are_named(tmp_path: Path, line: str, setting: str) -> None:
    with pytest.raises(SettingInvalidError) as refused:
        load(written(tmp_path, TEXT + line + "\n"))

    assert refused.value.detail["setting"] == setting


@pytest.mark.parametrize("days", [1, 3650])
def test_how_long_delivered_letters_are_kept_may_be_set(tmp_path: Path, days: int) -> None:
    save(load(written(tmp_path, TEXT + f"letter_days = {days}\n")))

    assert load(tmp_path).own_node().letter_days == days
