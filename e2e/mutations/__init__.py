"""All planted faults, and the mutation check: each fault has to turn the row red that should see it."""
