"""Envoy's response flags: what each means, and whether the answer was made by Envoy or came from a pod.

https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage#response-flags
"""

from __future__ import annotations

NO_FLAG = "-"
"""The flags of an answer for which Envoy has set none."""

MEANINGS = {
    "DC": "the client closed the connection",
    "DF": "DNS resolution failed",
    "DI": "delayed by fault injection",
    "DO": "dropped because of overload",
    "DPE": "the client broke the protocol",
    "DT": "the request or the connection lasted too long",
    "FI": "aborted by fault injection",
    "IH": "an invalid value in a header",
    "LH": "the proxy failed its own health check",
    "LR": "the connection was reset by the proxy",
    "NC": "no such cluster",
    "NFCF": "a filter has no configuration",
    "NR": "no route",
    "OM": "the proxy is overloaded",
    "RFCF": "a filter's configuration is missing",
    "RL": "rate limited",
    "RLSE": "the rate limit service failed",
    "SI": "idle for too long",
    "UAEX": "refused by external authorization",
    "UC": "the pod closed the connection",
    "UF": "no connection to the pod",
    "UH": "no healthy upstream",
    "UMSDR": "the request lasted too long",
    "UO": "too many requests upstream",
    "UPE": "the pod broke the protocol",
    "UR": "the pod reset the request",
    "URX": "no retries left",
    "UT": "the pod took too long",
}
"""What each flag means, in a few words."""

# Envoy also sets these on an answer that it passes on: the last one after retries, one that was delayed, and
# one for which the rate limit service could not be asked.
_OF_ANSWERS_PASSED_ON = {"DI", "RLSE", "URX"}


def made_by_proxy(flags: str) -> bool:
    """Whether an answer with these flags, separated by commas, was made by Envoy and not by a pod."""
    return not _OF_ANSWERS_PASSED_ON.issuperset(flags.split(","))


def in_words(flags: str) -> str:
    """Return flags with their meaning: `UF, no connection to the pod; URX, no retries left`."""
    return "; ".join(", ".join(filter(None, [flag, MEANINGS.get(flag)])) for flag in flags.split(","))
