"""The form at work, until its designer ends it."""

from collections.abc import Callable, Sequence
from pathlib import Path

from guildmark.agent.editing.pages import Pages
from guildmark.agent.editing.sheet import read_sheet
from guildmark.agent.local import Door, listen, server
from guildmark.domain.recipes.clause import Clause


def edit(
    data: bytes,
    file: Path,
    before: Sequence[Clause] | None,
    *,
    announce: Callable[[str], None],
) -> None:
    """Serve a recipe's form to this machine's browser until SIGTERM or Ctrl-C.

    Args:
        data: The recipe to begin with, while there is no file.
        file: Where it is saved.
        before: The clauses of the version to compare with.
        announce: Hears the address, which works once.

    Raises:
        JsonError: The bytes are outside the input profile.
        FormUnfitError: A form could not show the recipe.
    """
    start = read_sheet(data)
    listener, hosts = listen(0)
    with listener:
        pages = Pages(file=file, start=start, before=before, door=Door(hosts=hosts))
        port = listener.getsockname()[1]
        announce(f"http://127.0.0.1:{port}/enter?ticket={pages.ticket}")
        server(pages.application()).run(sockets=[listener])
