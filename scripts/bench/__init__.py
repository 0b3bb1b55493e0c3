"""What it costs, measured against limits and peers: the rows of docs/performance.md."""
