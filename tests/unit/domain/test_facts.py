"""What the index keeps: every class of facts is on the list of them."""

import inspect

from guildmark.domain.chain import facts


def test_every_class_of_facts_is_listed() -> None:
    classes = [
        kind
        for name, kind in inspect.getmembers(facts, inspect.isclass)
        if name.endswith("Fact") and kind is not facts.Fact
    ]

    assert set(facts.KINDS) == set(classes)
    assert len(facts.KINDS) == len(classes)
