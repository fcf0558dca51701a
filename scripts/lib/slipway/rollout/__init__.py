"""A roll-out over several hosts, each with deploy and rollback of its own; what runs where is asked of them."""
