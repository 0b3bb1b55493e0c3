"""The main job, end to end, told by the programs and services that do it."""
