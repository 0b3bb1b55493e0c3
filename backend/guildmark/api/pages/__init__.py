"""Pages that a phone opens: written by the server, readable without JavaScript."""
