"""Why something is recalled, as it is published: readable text, and the digest on chain."""

import pytest

from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.recall_reason import (
    REASON_TEXT_MAX,
    ReasonMismatchError,
    ReasonUnreadableError,
    RecallReason,
)


def test_a_reason_is_the_very_text_of_the_file() -> None:
    data = "Cracks at the weld.\r\n\tSee page 3 — ü\n".encode()

    reason = RecallReason.of_file(data)

    reason.check(sha256(data))
    assert reason.digest == sha256(data)
    assert RecallReason.parse(reason.encode()) == reason


def test_another_text_is_refused() -> None:
    with pytest.raises(ReasonMismatchError) as caught:
        RecallReason("Cracks").check(sha256(b"cracks"))

    assert caught.value.code == "recall.reasonMismatch"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n",
        "a\0",
        "a\x1b[31m",
        # It would read backwards.
        "safe \u202eton",
        "invisible\u200b",
        "\ue000",
        "a" * (REASON_TEXT_MAX + 1),
    ],
)
def test_what_nobody_can_read_is_refused(text: str) -> None:
    with pytest.raises(ReasonUnreadableError) as caught:
        RecallReason(text)

    assert caught.value.code == "recall.reasonUnreadable"


def test_a_text_may_be_as_long_as_the_bound() -> None:
    reason = RecallReason("ü" * REASON_TEXT_MAX)

    assert RecallReason.parse(reason.encode()) == reason


def test_a_file_that_is_no_text_is_refused() -> None:
    with pytest.raises(ReasonUnreadableError):
        RecallReason.of_file(b"%PDF-1.7\n\xff\xfe")
