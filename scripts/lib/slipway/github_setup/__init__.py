"""scripts/github-setup: what GitHub must be told once, since YAML cannot hold it."""
