"""A wire to a server that can be cut at a word: before it is heard, or before it is answered."""

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum

_PIECE = 65_536


class Cut(Enum):
    """When the wire is cut."""

    BEFORE = "the word does not arrive"
    AFTER = "the answer does not arrive"


@dataclass(kw_only=True)
class Wire:
    """A listener in front of a server; ``cut`` is done once, at the first ``word``."""

    server: tuple[str, int]
    word: bytes
    port: int = 0
    cut: Cut | None = None
    was_cut: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def opened(self) -> Iterator["Wire"]:
        """Listen until the end of the block."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
            thread = threading.Thread(target=self._accept, args=[listener], daemon=True)
            thread.start()
            try:
                yield self
            finally:
                listener.shutdown(socket.SHUT_RDWR)
                thread.join()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=[client], daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        with client, socket.create_connection(self.server) as server:
            chosen = selectors.DefaultSelector()
            chosen.register(client, selectors.EVENT_READ)
            chosen.register(server, selectors.EVENT_READ)
            while True:
                for key, _ in chosen.select():
                    source = client if key.fileobj is client else server
                    piece = source.recv(_PIECE)
                    if not piece or (source is client and self._is_cut(piece, server)):
                        return
                    (server if source is client else client).sendall(piece)

    def _is_cut(self, piece: bytes, server: socket.socket) -> bool:
        if self.cut is None or self.word not in piece:
            return False
        if self.cut is Cut.AFTER:
            server.sendall(piece)
            # The server answers when it is done.
            server.recv(_PIECE)
        self.cut = None
        self.was_cut.set()
        return True
