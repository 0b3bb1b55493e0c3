"""Recalls: issuing and closing them, and what they hold back."""
