"""Labels of parts: as pictures, for label printers, and on sheets of labels."""
