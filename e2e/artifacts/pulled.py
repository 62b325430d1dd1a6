"""What nodes have pulled."""

from __future__ import annotations

from fixtures.cluster.kinds import EVENT
from fixtures.cluster.kube import Kube


def pulled_images(kube: Kube) -> dict[str, str]:
    """Images by kubelet's own account, with how long it took."""
    events, _ = kube.list(EVENT)
    messages = [event["message"] for event in events if event.get("reason") == "Pulled"]
    return {
        message.split('"')[1]: message.partition(" in ")[2].partition(" (")[0]
        for message in messages
        if message.startswith("Successfully pulled image")
    }
