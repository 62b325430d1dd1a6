"""Which images the nodes have pulled."""

from __future__ import annotations

from collections.abc import Collection

from fixtures.core.retry import PendingError, until
from fixtures.kube.client import Kube
from fixtures.kube.kinds import EVENT


def pulled_images(kube: Kube, expected: Collection[str]) -> dict[str, str]:
    """The images that were pulled, with the time that each pull took, from kubelet's events.

    Waits for the events of all wanted images, because they may come after the pods are ready.

    Raises:
        ConditionNotMetError: Some of the wanted images were not pulled.
    """

    def pulled() -> dict[str, str]:
        images = _pulled(kube)
        if missing := sorted({*expected} - images.keys()):
            raise PendingError(f"not pulled: {', '.join(missing)}")
        return images

    return until(pulled, what="images pulled by the node", timeout=30)


def _pulled(kube: Kube) -> dict[str, str]:
    events, _ = kube.list(EVENT)
    messages = [event["message"] for event in events if event.get("reason") == "Pulled"]
    return {
        message.split('"')[1]: message.partition(" in ")[2].partition(" (")[0]
        for message in messages
        if message.startswith("Successfully pulled image")
    }
