"""Generated mutants: faults of the controller that no author has chosen."""
