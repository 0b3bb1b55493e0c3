"""An agent's own database."""
