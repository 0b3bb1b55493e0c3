"""How texts look to people."""

from typing import Protocol


class Names(Protocol):
    """How texts look to people, whatever letters they are written with."""

    def skeleton(self, text: str) -> str:
        """Return what a text has in common with all that look like it (UTS 39, section 4)."""
        ...

    def scripts(self, text: str) -> frozenset[str]:
        """Return the scripts of a text's letters, as Unicode names them in capitals."""
        ...
