"""Shops: how small makers join a hub."""
