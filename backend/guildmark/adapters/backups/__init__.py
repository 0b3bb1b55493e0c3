"""Copies of a whole home: made while its node runs, checked without one, put back elsewhere."""
