"""What the scripts that the workflows call share."""
