"""A model of how GitHub schedules workflows: it reads the shipped YAML and plays timelines. What it takes for true of
GitHub stands in facts.py, with sources, so that a person can correct it."""
