"""The test process that is killed: an environment, a trial under traffic, and their end.

Run as `python -m e2e.cluster.victim NAME FOLDER`. It says on its standard output
what it is about to do, and goes on to its end when its standard input closes.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fixtures.environment import Options, start
from fixtures.trial import Trial

# A small part of the load that a machine can bear: it waits for that before it goes on.
_RATE = 50


def main() -> None:
    name, folder = sys.argv[1:]
    print("start-up", flush=True)
    with start(Options(name=name)) as environment:
        print("run", flush=True)
        with Trial(environment, "deployment", Path(folder)) as app, app.traffic(_RATE):
            sys.stdin.read()
        print("teardown", flush=True)
    print("end", flush=True)


if __name__ == "__main__":
    main()
