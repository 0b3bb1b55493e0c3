"""Other operators' nodes, over HTTP."""
