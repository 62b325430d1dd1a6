"""A process that starts a cluster of one provider, and is killed, or keeps the cluster and ends.

Run as `python -m e2e.cluster.conformance.holding keep|hold PROVIDER [ARGUMENT…] -- NAME [FOLDER]`. It
prints the name of each phase that it begins. With `hold` it waits before the teardown until its standard
input closes.
"""

from __future__ import annotations

import sys

from fixtures.providers.rig import rig_class


def main() -> None:
    then, *rest = sys.argv[1:]
    split = rest.index("--")
    provider, *arguments = rest[:split]
    cluster = rig_class(provider)(*arguments).cluster(rest[split + 1])
    print("start-up", flush=True)
    cluster.start()
    print("run", flush=True)
    if then == "keep":
        cluster.keep()
        return
    sys.stdin.read()
    print("teardown", flush=True)
    cluster.stop()
    print("end", flush=True)


if __name__ == "__main__":
    main()
