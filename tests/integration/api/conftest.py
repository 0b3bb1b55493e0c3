"""A running node for the tests of its HTTP interface."""

from playing import other_web, played, web

__all__ = ["other_web", "played", "web"]
