"""Guildmark: parts built under license, each with a record that anyone can check."""

__version__ = "0.1.0"
