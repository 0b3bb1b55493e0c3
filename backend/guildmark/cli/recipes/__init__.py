"""Writing recipes: templates, imports, findings, differences, and jobs against recipes."""
