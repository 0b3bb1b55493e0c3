"""The agent's work beside machines."""
