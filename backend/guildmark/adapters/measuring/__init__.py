"""Files of measured values in others' formats: tables (CSV) and QIF 3 results."""
