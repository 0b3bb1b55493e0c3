"""An operator's log: from the door to the chain."""
