"""All planted faults, and the mutation check: each fault has to make the test fail that should notice it."""
