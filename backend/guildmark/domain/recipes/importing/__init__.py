"""Recipes out of what machines' own programs keep: slicer profiles and manifests."""
