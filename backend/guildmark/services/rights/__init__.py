"""Designs, licenses and lawful use."""
