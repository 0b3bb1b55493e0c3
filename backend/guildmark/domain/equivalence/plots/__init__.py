"""Pictures of equivalence as SVG: the same bytes for the same figures, light and dark by CSS."""
