"""Recipes by form: a page of the designer's own machine."""
