"""Running nodes for the tests of what others read of logs."""

from playing import played

__all__ = ["played"]
