"""The matrix of faults: faults at moments of releases, by each strategy, judged by the invariants."""
