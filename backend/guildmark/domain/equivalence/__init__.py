"""Whether sites make equivalent parts: plans, data, gates and verdicts.

Plans, data and verdicts need the standard library alone; what computes needs the extra
`equivalence` and is imported by its edge, never from here.
"""
