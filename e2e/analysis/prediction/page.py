"""Makes `docs/prediction.md` of the results of real releases."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from e2e.analysis.prediction.configurations import FACTOR, RATE
from e2e.analysis.prediction.results import ALPHA, Cell, Release, cells
from fixtures.core.shares import percent

_HEAD = f"""\
# Prediction against reality

`firedamp check` with `--rate N` simulates releases of versions that fail a share of their requests. It says
how many of them the analyses abort. Here are real releases beside it: six canaries and four error rates. Each
canary is written with the durations of a real one, from 13 to 18 minutes, and released with a [time
scale](time-scale.md) of {FACTOR:g}. Clients send {RATE:g} requests/s.

```sh
python -m e2e.analysis.prediction run --results docs/prediction.jsonl --batch 3 --minutes 10
python -m e2e.analysis.prediction page --results docs/prediction.jsonl
```

The first command makes 10 releases of each version with each canary, six side by side, and appends them
to the file. It can be stopped and given again: it goes on where it was. A release counts only if the load
was what was asked for. The second makes this page.

A prediction agrees if it is within the exact {100 * (1 - ALPHA):g}% interval of what was seen. With 10
releases such an interval is wide. So all releases of a batch are compared together as well: how many
aborts were predicted, and how many there were.
"""
_CAUSES = """\
## What was mended after the first batch

The simulation of the first batch had these faults. Each was found in the cells that differ, and none was
a number that did not fit:

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

The second batch has new releases of everything, and predictions of the mended simulation.
"""


def page(releases: Sequence[Release]) -> str:
    """The page for these releases."""
    table = cells(releases)
    batches = sorted({each.batch for each in table})
    parts = [_HEAD]
    for batch in reversed(batches):
        parts += ["\n".join(_batch(batch, [each for each in table if each.batch == batch]))]
    if len(batches) > 1:
        parts.insert(-1, _CAUSES)
    return "\n".join(parts)


def together(those: Sequence[Cell]) -> tuple[float, int, float]:
    """Of all releases of some cells: aborts predicted, aborts seen, standard deviation of both."""
    predicted = sum(each.predicted * each.aborted.n for each in those)
    variance = sum(each.predicted * (1 - each.predicted) * each.aborted.n for each in those)
    return predicted, sum(each.aborted.k for each in those), math.sqrt(variance)


def _batch(batch: int, those: Sequence[Cell]) -> Iterator[str]:
    differing = [each for each in those if not each.agrees]
    releases = sum(each.aborted.n for each in those)
    yield f"## Batch {batch}: {len(those) - len(differing)} of {len(those)} predictions agree"
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
        f"All {releases} releases together: {predicted:.1f} aborts predicted, {aborted} seen. The standard "
        f"deviation\nof such a number is {deviation:.1f}."
    )
    yield ""
