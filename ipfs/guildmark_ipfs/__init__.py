"""Content addressing as a library: identifiers, blocks, files, encryption."""
