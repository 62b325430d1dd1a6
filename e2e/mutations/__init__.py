"""The mutation check: each fault that is planted on purpose has to turn the row red that should see it."""
