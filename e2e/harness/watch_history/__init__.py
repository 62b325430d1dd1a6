"""Compares what a recorder writes, while components fail, with etcd's own history: see `__main__`."""
