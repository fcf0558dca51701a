"""The workflows, held to docs/pipeline-checklist.md."""
