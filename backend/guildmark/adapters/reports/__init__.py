"""Reports as files: what an auditor opens, prints and files."""
