from pathlib import Path

import pytest

from fakes.world import RECIPE
from guildmark.adapters.fieldwork.settings import (
    BY_HAND,
    AgentHomeMissingError,
    AgentSettingError,
    AgentSettings,
    PostUnknownError,
    machine_table,
    read_agent,
    write_agent,
)
from guildmark.domain.builds.predicate import Setting
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import IdentityId, LaneNumber, SiteRecipeId
from guildmark.domain.recipes.clause import ClausePath
from guildmark.domain.shopfloor.fieldwork import Post

ID = "0x" + "ab" * 32
GOOD = f"""
[agent]
node = "https://node.example/"

[[machine]]
name = "printer"
id = "{ID}"
key = "machine"
lane = 7
site_recipe = "{ID}"
host = "id.example.org"
"""


def read(folder: Path, text: str) -> AgentSettings:
    (folder / "agent.toml").write_text(text)
    return read_agent(folder)


def test_what_is_left_out_has_its_usual_value(tmp_path: Path) -> None:
    settings = read(tmp_path, GOOD)

    (watch,) = settings.watches
    assert (settings.node, settings.port) == ("https://node.example", 0)
    assert (settings.poll_seconds, settings.ask_seconds) == (2.0, 15.0)
    assert (watch.source, watch.post.holds, watch.post.is_alone) == (BY_HAND, False, True)
    assert (watch.post.delay, watch.post.job, watch.post.gtin) == (3600, None, None)
    assert settings.watch(None) == settings.watch("printer") == watch
    with pytest.raises(PostUnknownError, match="printer"):
        settings.watch("other")


def test_files_are_read_beside_the_home(tmp_path: Path) -> None:
    (tmp_path / "job").write_bytes(b"job")
    (tmp_path / "settings.json").write_text('{"settings": {"/a/b": {"value": "1", "unit": "mm"}}}')

    post = read(tmp_path, GOOD + 'job = "job"\nsettings = "settings.json"\n').watches[0].post

    assert (post.job, post.observed) == (sha256(b"job"), ())
    assert post.settings == (Setting(path=ClausePath("/a/b"), value="1", unit="mm"),)


def test_recipe_and_g_code_are_read_beside_the_home(tmp_path: Path) -> None:
    (tmp_path / "job.gcode").write_text("G1 Z1\nG1 X1 E1\n")
    (tmp_path / "recipe.json").write_bytes(RECIPE.encode())

    text = GOOD + 'job = "job.gcode"\nrecipe = "recipe.json"\n'
    post = read(tmp_path, text).watches[0].post

    assert post.clauses == RECIPE.clauses
    assert "/process/print_speed" in {one.path for one in post.observed}
    for content in (b"{}", None):
        (tmp_path / "recipe.json").unlink()
        if content is not None:
            (tmp_path / "recipe.json").write_bytes(content)
        with pytest.raises(AgentSettingError, match="site's recipe"):
            read(tmp_path, text)


def test_measuring_machine_makes_jobs_wait_and_has_a_place_of_its_own(tmp_path: Path) -> None:
    text = GOOD + 'measured = "folder:/var/spool/measured"\n'
    (watch,) = read(tmp_path, text).watches
    (plain,) = read(tmp_path, GOOD).watches

    assert watch.gauge is not None
    assert (watch.gauge.source, watch.gauge.post.name) == (
        "folder:/var/spool/measured",
        "printer/measured",
    )
    assert (watch.post.holds, watch.gauge.gauge, plain.gauge, plain.post.holds) == (
        True,
        None,
        None,
        False,
    )
    other = GOOD[GOOD.index("[[machine]]") :].replace('"printer"', '"printer/measured"')
    with pytest.raises(AgentSettingError, match="different names"):
        read(tmp_path, GOOD + other)


def test_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    post = Post(
        name="printer",
        machine=IdentityId(b"\1" * 32),
        key="tpm:handle=0x81010001",
        lane=LaneNumber(7),
        site_recipe=SiteRecipeId(b"\2" * 32),
        host="id.example.org",
        holds=True,
    )
    settings = AgentSettings(home=tmp_path, node="http://node.example", port=8021)

    write_agent(settings, [machine_table(post, "folder:/var/spool")])

    again = read_agent(tmp_path)
    assert (again.watches[0].post, again.watches[0].source) == (post, "folder:/var/spool")
    assert again.port == 8021


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('"https://node.example/"', '"node.example"', "node"),
        ('"https://node.example/"', "7", "node"),
        ('"https://node.example/"', '"http://x"\nport = 65536', "port"),
        ('"https://node.example/"', '"http://x"\npoll_seconds = 0', "poll_seconds"),
        ('"https://node.example/"', '"http://x"\nask_seconds = "1"', "ask_seconds"),
        ('"https://node.example/"', '"http://x"\ncolour = 1', "colour"),
        ("lane = 7", "lane = 0", "lane"),
        ("lane = 7", "lane = true", "lane"),
        (f'id = "{ID}"', 'id = "0x12"', "id"),
        ('host = "id.example.org"', "", "host"),
        ('host = "id.example.org"', 'host = "x"\njob = "nowhere"', "job"),
        ('host = "id.example.org"', 'host = "x"\nsettings = "nowhere"', "settings"),
        ('host = "id.example.org"', 'host = "x"\nsettings = "list.json"', "settings"),
        ('host = "id.example.org"', 'host = "x"\nsettings = "flat.json"', "settings"),
        ('host = "id.example.org"', 'host = "x"\ndelay_minutes = 0', "delay_minutes"),
        ("[[machine]]", "[[machine]]\nspeed = 1", "speed"),
        ("[agent]", "colour = 1\n[agent]", "colour"),
    ],
)
def test_value_that_cannot_work_is_named(tmp_path: Path, old: str, new: str, named: str) -> None:
    (tmp_path / "list.json").write_text('{"settings": []}')
    (tmp_path / "flat.json").write_text('{"settings": {"/a/b": "1"}}')

    with pytest.raises(AgentSettingError) as caught:
        read(tmp_path, GOOD.replace(old, new))

    assert caught.value.detail["setting"] == named


def test_file_must_be_there_and_be_toml(tmp_path: Path) -> None:
    with pytest.raises(AgentHomeMissingError):
        read_agent(tmp_path)
    with pytest.raises(AgentSettingError, match="is not TOML"):
        read(tmp_path, "[agent")
    with pytest.raises(AgentSettingError, match="is a table"):
        read(tmp_path, 'machine = [1]\n[agent]\nnode = "http://x"\n')
    _, _, machine = GOOD.partition("[[machine]]")
    with pytest.raises(AgentSettingError, match="different names"):
        read(tmp_path, GOOD + "[[machine]]" + machine)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("", None),
        ("shown = []", ()),
        ('shown = ["/tolerance", "/process/a"]', ("/tolerance", "/process/a")),
    ],
)
def test_what_everybody_may_see_is_named_by_paths(
    tmp_path: Path, line: str, shown: tuple[str, ...] | None
) -> None:
    assert read(tmp_path, GOOD.replace("[agent]", f"[agent]\n{line}")).shown == shown


@pytest.mark.parametrize("value", ['"/tolerance"', '["tolerance"]', "[1]"])
def test_what_names_no_paths_is_refused(tmp_path: Path, value: str) -> None:
    with pytest.raises(AgentSettingError, match="shown in"):
        read(tmp_path, GOOD.replace("[agent]", f"[agent]\nshown = {value}"))
