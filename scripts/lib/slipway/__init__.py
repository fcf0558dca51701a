"""What scripts share; scripts/lib is its import root.

    ci         what the workflows call: registry, GitHub, history, outputs
    policy     the workflows held to docs/pipeline-checklist.md
    act        the shipped workflows on this machine, and the stand-ins they meet there
    lab        throw-away engines, registries and hosts
    rehearsal  the main job, made of these
"""
