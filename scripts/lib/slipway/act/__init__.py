"""The shipped workflows under act, and what stands in for GitHub there."""
