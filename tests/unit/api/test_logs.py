"""Lines of the process's log: JSON, in their order, and none of them late when it matters."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from guildmark.api.logs import JsonLines, Lines


class Stream(io.StringIO):
    """Notes each write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[str] = []

    def write(self, text: str) -> int:
        self.writes.append(text)
        return super().write(text)


@pytest.fixture
def stream() -> Stream:
    return Stream()


@pytest.fixture
def logger(stream: Stream) -> Iterator[logging.Logger]:
    logger, handler = logging.getLogger("a.room"), Lines(stream)
    handler.setFormatter(JsonLines())
    logger.addHandler(handler)
    before, logger.level = logger.level, logging.INFO
    yield logger
    logger.level = before
    logger.removeHandler(handler)


def _told(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_line_says_when_where_what_and_the_fields(logger: logging.Logger, stream: Stream) -> None:
    logger.info("answered", extra={"fields": {"status": 200, "route": None}})

    line = _told(stream.getvalue())[0]
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "info",
        "logger": "a.room",
        "message": "answered",
        "status": 200,
        "route": None,
    }


@pytest.mark.parametrize("odd", ["\ud800", 2**64, {1: "a"}], ids=["surrogate", "integer", "key"])
def test_odd_field_costs_no_line(logger: logging.Logger, stream: Stream, odd: object) -> None:
    logger.info("odd", extra={"fields": {"odd": odd}})

    found = _told(stream.getvalue())[0]["odd"]
    assert found == ({"1": "a"} if isinstance(odd, dict) else odd)


def test_fault_is_in_the_line(logger: logging.Logger, stream: Stream) -> None:
    try:
        int("a word")
    except ValueError:
        logger.exception("failed")

    assert "a word" in _told(stream.getvalue())[0]["exception"]


def test_lines_of_one_turn_of_a_loop_are_written_together(
    logger: logging.Logger, stream: Stream
) -> None:
    async def turns() -> None:
        logger.info("one")
        logger.info("two")
        assert stream.writes == []
        await asyncio.sleep(0)
        logger.info("three")
        await asyncio.sleep(0)

    asyncio.run(turns())

    assert [len(_told(text)) for text in stream.writes] == [2, 1]
    assert [line["message"] for line in _told(stream.getvalue())] == ["one", "two", "three"]


def test_warning_waits_for_no_turn_and_stays_behind_what_came_before(
    logger: logging.Logger, stream: Stream
) -> None:
    async def turn() -> None:
        logger.info("one")
        logger.warning("two")

        assert [line["message"] for line in _told(stream.getvalue())] == ["one", "two"]

    asyncio.run(turn())


def test_thread_writes_at_once(logger: logging.Logger, stream: Stream) -> None:
    async def turn() -> None:
        await asyncio.to_thread(logger.info, "one")

        assert _told(stream.getvalue())[0]["message"] == "one"

    asyncio.run(turn())


def test_line_that_cannot_be_written_stops_nobody(
    stream: Stream, capsys: pytest.CaptureFixture[str]
) -> None:
    record = logging.LogRecord("a.room", logging.INFO, "", 0, "%d", ("no number",), None)

    # Not by a logger: pytest's own handler would raise.
    Lines(stream).handle(record)

    assert "no number" in capsys.readouterr().err
    assert stream.writes == []
