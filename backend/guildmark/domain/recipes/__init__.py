"""Recipes: clauses and their salted trees, quantities and units, masters and sites' recipes."""
