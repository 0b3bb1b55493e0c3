"""Builds, inspections and parts."""
