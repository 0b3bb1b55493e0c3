"""The files that pages load, each with what it may do where it is a program."""

import os
from importlib.resources import files

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from guildmark.api.frame import ASKING_HEADERS

_ASKING = "verifier/asking.js"


class Assets(StaticFiles):
    """The folder of static files; a worker follows the policy that comes with its own file."""

    def __init__(self) -> None:
        """Serve what is in the package."""
        self.folder = str(files("guildmark.api") / "static")
        super().__init__(directory=self.folder)

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Return a file; the program that asks a visitor's own node has a policy of its own."""
        answer = super().file_response(full_path, stat_result, scope, status_code)
        if os.path.relpath(full_path, os.path.realpath(self.folder)) == _ASKING:
            answer.headers.update(ASKING_HEADERS)
        return answer
