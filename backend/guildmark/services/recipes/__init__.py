"""Recipes, and documents behind digests on chain."""
