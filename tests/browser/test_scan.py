"""People scan a label in the page: a real browser, whose camera shows a film of real labels."""

import io
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from browsing import AXE, DESK, PHONE, SCHEMES, SHOP, launch
from fakes.notes import key
from fakes.proof_codes import of_core, signed
from guildmark.adapters.labels import pictures
from guildmark.domain import bundle, trust
from guildmark.domain.trust import Witness
from stages import Played

pytestmark = [pytest.mark.chain, pytest.mark.needs("anvil", "chromium")]

VERIFIED = "Verified on this node's own chain"
SIZE = (640, 480)
_NATIVE = """
  window.BarcodeDetector = class {
    static async getSupportedFormats() { return ['qr_code'] }
    async detect() { window.asked = true; return [{ rawValue: '%s' }] }
  };
"""
_OTHER_KIND = """
  window.BarcodeDetector = class {
    static async getSupportedFormats() { return ['ean_13'] }
    constructor() { throw new Error('no such format') }
  };
"""


def scene(*texts: str, turned: float = 7) -> Image.Image:
    """Return what a camera sees: labels on a table, askew."""
    table = Image.new("L", SIZE, 90)
    for at, text in enumerate(texts):
        label = Image.open(io.BytesIO(pictures.png(text))).convert("L").resize((260, 260))
        table.paste(label.rotate(turned, expand=True, fillcolor=255), (20 + 310 * at, 80))
    return table


def film(picture: Image.Image) -> bytes:
    """Return one picture as a film of raw frames, as YUV4MPEG2 has them."""
    width, height = picture.size
    frame = b"FRAME\n" + picture.tobytes() + bytes([128]) * (width * height // 2)
    return f"YUV4MPEG2 W{width} H{height} F10:1 Ip A1:1 C420jpeg\n".encode() + frame * 3


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    """Return who starts browsers; it ends with this module, as its event loop does."""
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def plain(playwright: Playwright) -> Iterator[Browser]:
    """Return a browser of a device without a camera."""
    browser = launch(playwright)
    yield browser
    browser.close()


@pytest.fixture
def filmed(playwright: Playwright, tmp_path: Path) -> Iterator["Filmed"]:
    """Return what opens pages in browsers whose camera shows a film."""
    found = Filmed(playwright, tmp_path / "film.y4m")
    yield found
    found.close()


class Filmed:
    """Opens pages in browsers whose camera shows a film."""

    def __init__(self, playwright: Playwright, file: Path) -> None:
        self._playwright, self._file = playwright, file
        self._browsers: list[Browser] = []

    def context(self, *texts: str, allowed: bool = True) -> BrowserContext:
        """Return a window's context; ``texts`` are on the labels that its camera sees."""
        self._file.write_bytes(film(scene(*texts)))
        browser = launch(
            self._playwright,
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-video-capture={self._file}",
        )
        self._browsers.append(browser)
        context = browser.new_context(viewport={"width": PHONE[0], "height": PHONE[1]})
        if allowed:
            context.grant_permissions(["camera"])
        return context

    def close(self) -> None:
        """Close the browsers."""
        for browser in self._browsers:
            browser.close()


def opened(context: BrowserContext, played: Played) -> Page:
    page = context.new_page()
    page.goto(f"{played.node.url}/verify")
    return page


def scan(page: Page) -> None:
    page.get_by_role("button", name="Start the camera").click()


def headline(page: Page) -> str:
    return page.get_by_role("heading", level=1).inner_text()


def axe(page: Page) -> list[str]:
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run({resultTypes: ['violations']})")
    assert len(found["passes"]) > 10
    return [
        f"{each['id']}: {node['target']}" for each in found["violations"] for node in each["nodes"]
    ]


def test_a_label_before_the_camera_leads_to_its_part(filmed: Filmed, played: Played) -> None:
    page = opened(filmed.context(played.parts[0].label), played)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    scan(page)
    page.wait_for_url(f"**?p={played.parts[0].hint}")

    assert headline(page) == VERIFIED
    # The decoder is loaded once it is needed, and from this node.
    assert f"{played.node.url}/static/scanner/decoder.js" in asked
    assert all(each.startswith(f"{played.node.url}/") for each in asked), asked


def test_the_decoder_is_loaded_by_none_who_does_not_scan(filmed: Filmed, played: Played) -> None:
    asked: list[str] = []
    page = filmed.context("x").new_page()
    page.on("request", lambda request: asked.append(request.url))

    page.goto(f"{played.node.url}/verify")
    page.get_by_role("button", name="Start the camera").wait_for()

    assert not any(each.endswith(("decoder.js", "reader.js")) for each in asked), asked


def test_a_browser_s_own_reader_is_used_where_it_has_one(filmed: Filmed, played: Played) -> None:
    context = filmed.context("nothing of ours")
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    context.add_init_script(_NATIVE % played.parts[0].label)
    page = opened(context, played)

    scan(page)
    page.wait_for_url(f"**?p={played.parts[0].hint}")

    assert headline(page) == VERIFIED
    assert not any(each.endswith("decoder.js") for each in asked), asked


def test_a_browser_s_own_reader_of_other_codes_is_left_alone(
    filmed: Filmed, played: Played
) -> None:
    context = filmed.context(played.parts[0].label)
    context.add_init_script(_OTHER_KIND)
    page = opened(context, played)

    scan(page)
    page.wait_for_url(f"**?p={played.parts[0].hint}")

    assert headline(page) == VERIFIED


def test_a_stranger_s_code_is_never_opened(filmed: Filmed, played: Played) -> None:
    page = opened(filmed.context("https://shop.example/id/abcdefgh/1"), played)

    scan(page)
    page.get_by_text("typed.hostForeign").wait_for()

    assert page.url.startswith(f"{played.node.url}/verify?q=")
    assert headline(page) == "Not found"


def test_two_codes_lead_nowhere_and_the_camera_can_be_stopped(
    filmed: Filmed, played: Played
) -> None:
    page = opened(filmed.context(played.parts[0].label, "https://a.example/id/abcdefgh/1"), played)

    scan(page)
    page.get_by_text("Several codes are in the picture").wait_for()

    assert page.locator("video").is_visible()
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # of two
        for width, height in (PHONE, DESK):
            page.set_viewport_size({"width": width, "height": height})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert axe(page) == []
    page.get_by_role("button", name="Stop the camera").click()
    assert not page.locator("video").is_visible()
    assert page.get_by_text("The camera is off.").is_visible()
    assert page.evaluate("document.querySelector('video').srcObject === null")
    assert page.get_by_role("button", name="Start the camera").is_visible()


def test_whoever_refuses_the_camera_reads_what_to_do(filmed: Filmed, played: Played) -> None:
    page = opened(filmed.context("x", allowed=False), played)

    scan(page)
    page.get_by_text("this page may not use it").wait_for()

    assert page.get_by_role("button", name="Start the camera").is_visible()


def test_a_device_without_a_camera_is_told_so(plain: Browser, played: Played) -> None:
    context = plain.new_context(permissions=["camera"])
    page = opened(context, played)

    scan(page)
    page.get_by_text("this device has none").wait_for()

    context.close()


@pytest.mark.parametrize("javascript", [True, False])
def test_where_no_scanner_can_start_the_page_says_why(
    plain: Browser, played: Played, javascript: bool
) -> None:
    context = plain.new_context(java_script_enabled=javascript)
    page = context.new_page()
    port = played.node.url.rpartition(":")[2]
    page.goto(f"http://{SHOP}:{port}/verify")

    said = page.locator("main").inner_text()

    why = "came over plain http" if javascript else "cannot start without JavaScript"
    assert why in said
    assert not page.get_by_role("button", name="Start the camera").is_visible()
    context.close()


def test_a_browser_without_cameras_is_told_so(plain: Browser, played: Played) -> None:
    context = plain.new_context()
    context.add_init_script("delete Navigator.prototype.mediaDevices")
    page = opened(context, played)

    assert "gives no page a camera" in page.locator("#scan-said").inner_text()
    context.close()


def photo(*texts: str) -> dict[str, object]:
    sink = io.BytesIO()
    scene(*texts).save(sink, "JPEG")
    return {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": sink.getvalue()}


def test_a_photo_does_not_leave_the_telephone(plain: Browser, played: Played) -> None:
    context = plain.new_context()
    page = opened(context, played)
    methods: list[str] = []
    page.on("request", lambda request: methods.append(request.method))

    page.locator("#photo-file").set_input_files(photo(played.parts[0].label))  # type: ignore[arg-type]  # a file
    page.get_by_role("button", name="Read it").click()
    page.wait_for_url(f"**?p={played.parts[0].hint}")

    assert headline(page) == VERIFIED
    assert set(methods) == {"GET"}
    context.close()


def test_a_photo_that_the_browser_cannot_read_is_sent_when_asked_again(
    plain: Browser, played: Played
) -> None:
    context = plain.new_context()
    page = opened(context, played)
    button = page.get_by_role("button", name="Read it")

    page.locator("#photo-file").set_input_files(photo())  # type: ignore[arg-type]  # a file
    button.click()
    page.get_by_text("Press the button again").wait_for()
    assert page.url == f"{played.node.url}/verify"
    button.click()
    page.get_by_text("picture.noCode").wait_for()

    assert headline(page) == "Cannot be read"
    context.close()


def test_two_codes_in_a_photo_are_refused(plain: Browser, played: Played) -> None:
    context = plain.new_context()
    page = opened(context, played)

    page.locator("#photo-file").set_input_files(photo("a", "b"))  # type: ignore[arg-type]  # a file
    page.get_by_role("button", name="Read it").click()
    page.get_by_text("Several codes are in the picture").wait_for()

    assert page.url == f"{played.node.url}/verify"
    context.close()


def test_a_photo_is_read_without_javascript(plain: Browser, played: Played) -> None:
    context = plain.new_context(java_script_enabled=False)
    page = opened(context, played)

    page.locator("#photo-file").set_input_files(photo(played.parts[0].label))  # type: ignore[arg-type]  # a file
    page.get_by_role("button", name="Read it").click()
    page.wait_for_url(f"**?p={played.parts[0].hint}")

    assert headline(page) == VERIFIED
    context.close()


def witnessed(played: Played) -> tuple[str, str]:
    """Return the first part's proof code, signed by a witness, and a list that pins him."""
    url = played.node.url
    known = trust.parse(httpx.get(f"{url}/.well-known/guildmark-trust.json").content)
    core = bundle.read(httpx.get(f"{url}/v1/parts/{played.parts[0].hint}/bundle").content).core
    code = signed(of_core(core, records=core.record.seq + 1), known.chain, "w1")
    mine = known.with_witnesses([Witness(key=key("w1").encode())], 1)
    return code.text(), trust.serialise(mine).decode()


def proven(page: Page) -> str:
    return page.locator("#proof").inner_text()


def test_a_proof_code_in_a_photo_is_read_here_and_not_sent(plain: Browser, played: Played) -> None:
    text, mine = witnessed(played)
    context = plain.new_context()
    page = opened(context, played)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    picture = {"name": "code.png", "mimeType": "image/png", "buffer": pictures.png(text)}

    page.locator("#photo-file").set_input_files(picture)  # type: ignore[arg-type]  # a file
    page.get_by_role("button", name="Read it").click()
    page.get_by_text("Signed, not checked against the ledger.").wait_for()
    by_host = proven(page)
    page.evaluate("mine => localStorage.setItem('guildmark.trust', mine)", mine)
    page.get_by_role("button", name="Read it").click()
    page.get_by_text("Could not check more than the place in the log").wait_for()

    assert f"the list that {played.node.url.removeprefix('http://')} publishes" in by_host
    assert "(verify.witnessesTooFew)" in by_host
    assert "which 1 of your 1 witnesses signed." in proven(page)
    assert "Checked by you: in this browser, by your own list." in proven(page)
    assert "(3) place in the log: holds." in proven(page)
    assert page.url == f"{played.node.url}/verify"
    assert not any("GM1" in each for each in asked), asked
    assert {each.removeprefix(played.node.url).split("/")[1] for each in asked} == {
        "static",
        ".well-known",
    }
    assert axe(page) == []
    page.get_by_role("link", name="See what this node shows of it").click()
    page.wait_for_url(f"**/parts/{played.parts[0].hint}")
    context.close()


def test_a_proof_code_that_is_typed_is_judged_and_a_changed_one_found_out(
    plain: Browser, played: Played
) -> None:
    text, mine = witnessed(played)
    changed = f"{text[:30]}{'1' if text[30] != '1' else '2'}{text[31:]}"
    context = plain.new_context(viewport={"width": PHONE[0], "height": PHONE[1]})
    page = opened(context, played)
    page.evaluate("mine => localStorage.setItem('guildmark.trust', mine)", mine)
    field, button = page.locator("#typed-text"), page.get_by_role("button", name="Check")

    field.fill(changed)
    button.click()
    page.get_by_text("Problem found: place in the log.").wait_for()
    found = proven(page)
    field.fill("GM1:ABC")
    button.click()
    page.get_by_text("This code cannot be read").wait_for()

    assert "(verify.pathInvalid)" in found
    assert "This is no proof code: " in proven(page)
    assert not page.get_by_role("link", name="See what this node shows of it").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    context.close()


def test_a_proof_code_before_the_camera_is_not_sent(filmed: Filmed, played: Played) -> None:
    text, _ = witnessed(played)
    context = filmed.context("x")
    context.add_init_script(_NATIVE % text)
    page = opened(context, played)

    scan(page)
    page.get_by_text("Signed, not checked against the ledger.").wait_for()

    assert page.url == f"{played.node.url}/verify"


def test_without_the_program_the_node_looks_at_a_proof_code(plain: Browser, played: Played) -> None:
    text, _ = witnessed(played)
    context = plain.new_context()
    page = opened(context, played)
    page.route("**/proof_page.js", lambda route: route.abort())

    page.locator("#typed-text").fill(text)
    page.get_by_role("button", name="Check").click()
    page.wait_for_url(f"**/parts/{played.parts[0].hint}")

    context.close()
