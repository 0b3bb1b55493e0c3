"""The files' names say what Alembic says of the schema's history."""

from pathlib import Path

from alembic.script import ScriptDirectory

from guildmark.adapters.store import migrations
from guildmark.adapters.store.migrations import is_known


def test_every_step_follows_the_one_whose_number_is_before_its_own() -> None:
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))

    steps = list(scripts.walk_revisions())

    numbers = [step.revision for step in steps]
    assert numbers == sorted(numbers, reverse=True)
    assert [step.down_revision for step in steps] == [*numbers[1:], None]
    assert scripts.get_heads() == [max(migrations._revisions())]
    assert migrations._revisions() == set(numbers)
    assert all(is_known(number) for number in numbers)
    assert not is_known("9999")
