"""Reports as PDF (ISO 32000), where the extra `pdf` is installed: equal bytes for equal reports."""

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec

from guildmark.adapters.reports.page import ReportPage
from guildmark.domain.errors import SettingsError


class PdfSupportError(SettingsError):
    """What writes PDF is not installed."""

    code = "report.pdfSupportMissing"
    hint = "pip install 'guildmark[pdf]', or print the page."


def check_installed() -> None:
    """Check that PDF can be written here.

    Raises:
        PdfSupportError: The extra `pdf` is not installed.
    """
    if find_spec("reportlab") is None:
        message = "PDF is written by a package that is not installed."
        raise PdfSupportError(message)


def pdf(page: ReportPage, pictures: Mapping[str, bytes]) -> bytes:
    """Return a report of equivalence as PDF.

    Args:
        page: The report in words.
        pictures: SVG by file name, as `guildmark.adapters.statistics.draw` makes them.

    Raises:
        PdfSupportError: The extra `pdf` is not installed.
    """
    check_installed()
    found: bytes = import_module(f"{__name__}.equivalence").written(page, pictures)
    return found
