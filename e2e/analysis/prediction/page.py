"""Makes `docs/prediction.md` of the results of real releases."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from e2e.analysis.prediction.configurations import FACTOR, RATE
from e2e.analysis.prediction.results import ALPHA, Cell, Release, cells
from fixtures.check.detection import RUNS
from fixtures.core.shares import percent

_HEAD = f"""\
# Prediction against reality

`firedamp check` with `--rate N` simulates releases of versions that fail a share of their requests. It says
how many of them the analyses abort. Here are real releases beside it: six canaries and four error rates. Each
canary is written with the durations of a real one, from 13 to 18 minutes, and released with a [time
scale](time-scale.md) of {FACTOR:g}. Clients send {RATE:g} requests/s.

```sh
python -m e2e.analysis.prediction run --results docs/prediction.jsonl --batch 4 --minutes 10
python -m e2e.analysis.prediction page --results docs/prediction.jsonl
```

The first command makes 10 releases of each version with each canary, six side by side, and appends them
to the file. It can be stopped and given again: it goes on where it was. A release counts only if the load
was what was asked for. The second makes this page.

A prediction is the share of {RUNS} simulated releases. It agrees if Fisher's exact test at {100 * ALPHA:g}%
does not tell them from the real ones. With 10 releases that is a mild test. So all releases are compared
together as well: how many aborts were predicted, and how many there were.
"""
_CAUSES = """\
## What was mended after the first batch

The simulation of that day had these faults. Each is a cause that was left out, and none a number that was
chosen to fit:

- A new version was without data for its first 10 s, always. Prometheus takes between 1 and 10 s, and the
  pods run for a while before they get requests. In these releases the first value came after 3.6 s in the
  median, and after at most 9 s. A canary whose analysis begins after 6 s and takes missing data for an
  error (`bare`) was predicted never to be aborted.
- Before Prometheus has data of the new version, it has data of the stable one. A query over both (`both
  versions`) has an answer then, and was taken for one without.
- A label with the namespace was taken for one that selects the canary, if the namespace has the word in
  its name. The query over both versions was so taken for one of the canary alone.
- A measurement was taken to see all requests in its range. It sees those between the first and the last
  scrape in it, and `rate()` extrapolates from them.
- Prometheus was taken to look for a pod from its first request on. It does so from the pod's start on, which
  is at least one period of the readiness probe earlier. This was found by later releases of `bare`.

The releases of the first batch that differed are not among those of today's table: they would agree with
what was made of them.
"""

# The probability of an abort by configuration, and by the share of its requests that a version fails.
Predictions = Mapping[str, Mapping[float, float]]


def page(releases: Sequence[Release], today: Predictions) -> str:
    """The page for these releases.

    Args:
        releases: All releases.
        today: What the simulation of today predicts.
    """
    first = cells([each for each in releases if each.batch == 1])
    latest = predicted_today(releases, today)
    return "\n".join(
        [
            _HEAD,
            *_table("## Today: {} agree", latest),
            _CAUSES,
            *_table("## The first batch: {} agree", first),
        ]
    )


def predicted_today(releases: Sequence[Release], today: Predictions) -> list[Cell]:
    """The cells with the predictions of today, and with all releases that did not help to make those.

    The simulation was mended by what had differed in the first batch. Those releases are left out.
    """
    first = cells([each for each in releases if each.batch == 1])
    mended = {(each.configuration, each.share) for each in first if not each.agrees}
    counted = [each for each in releases if each.batch > 1 or (each.configuration, each.share) not in mended]
    return [replace(each, predicted=today[each.configuration][each.share]) for each in cells(counted)]


def together(those: Sequence[Cell]) -> tuple[float, int, float]:
    """Of all releases of some cells: aborts predicted, aborts seen, standard deviation of both."""
    predicted = sum(each.predicted * each.aborted.n for each in those)
    variance = sum(each.predicted * (1 - each.predicted) * each.aborted.n for each in those)
    return predicted, sum(each.aborted.k for each in those), math.sqrt(variance)


def _table(title: str, those: Sequence[Cell]) -> Iterator[str]:
    agreeing = sum(each.agrees for each in those)
    yield title.format(f"{agreeing} of {len(those)} predictions")
    yield ""
    yield "| canary | fails | predicted | aborted | 99% interval | |"
    yield "|---|---|---|---|---|---|"
    for each in those:
        seen = f"{each.aborted.k} of {each.aborted.n}"
        verdict = "agrees" if each.agrees else "**differs**"
        yield (
            f"| {each.configuration} | {percent(each.share)}% | {percent(each.predicted)}% | {seen} "
            f"| {each.aborted.interval} | {verdict} |"
        )
    predicted, aborted, deviation = together(those)
    yield ""
    yield (
        f"All {sum(each.aborted.n for each in those)} releases together: {predicted:.1f} aborts predicted, "
        f"{aborted} seen. The standard deviation\nof such a number is {deviation:.1f}."
    )
    yield ""
