"""The README's pictures are there, say what they show, and load nothing."""

import re

from PIL import Image

import pictures
from environments import ROOT

PNG_MAX = 150 * 1024
_PICTURE = re.compile(
    r"!\[(?P<text>[^]]*)\]\((?P<path>[^)]+)\)"
    r"|<img src=\"(?P<source>[^\"]+)\"[^>]* alt=\"(?P<alt>[^\"]*)\""
)


def test_the_readme_shows_every_picture_in_words_too() -> None:
    found = _PICTURE.finditer((ROOT / "README.md").read_text(encoding="utf-8"))

    shown = {match["path"] or match["source"]: match["text"] or match["alt"] for match in found}

    taken = {path.relative_to(ROOT).as_posix() for path in (pictures.TERMINAL, pictures.PAGE)}
    assert set(shown) == {"docs/line.svg", *taken}
    for path, words in shown.items():
        assert (ROOT / path).is_file(), path
        assert len(words.split()) >= 4, path


def test_the_phone_s_picture_is_sharp_and_small() -> None:
    with Image.open(pictures.PAGE) as picture:
        assert picture.size == (720, 1480)

    assert pictures.PAGE.stat().st_size <= PNG_MAX


def test_the_terminal_s_picture_tells_the_end_and_loads_nothing() -> None:
    text = pictures.TERMINAL.read_text(encoding="utf-8").replace("&#160;", " ")

    for words in ("60 parts on record", "Four bad parts", "verify.signatureInvalid"):
        assert words in text, words
    assert set(re.findall(r"https?://[^\"]+", text)) == {"http://www.w3.org/2000/svg"}
    assert "url(" not in text.replace("url(#", "")
