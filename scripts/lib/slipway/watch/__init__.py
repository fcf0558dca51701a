"""host/observability at work: its programs on a host of the lab, its dashboards, and pictures of their panels."""
