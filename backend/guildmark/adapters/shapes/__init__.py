"""Files of shapes, which strangers made: read in a child process with limits, never trusted."""
