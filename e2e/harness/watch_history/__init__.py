"""A recorder in trouble, compared with etcd's own history: see `__main__`."""
