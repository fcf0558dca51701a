"""The main job: build, gate, image, registry, host, deploy, roll back, and three bad releases."""
