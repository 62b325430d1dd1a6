"""Decides how many users of each stream every worker has.

Locust's own dispatcher gives the users one after the other to the workers. With two streams and two workers,
one worker would get all users of the first stream, and the other one all users of the second.
"""

from __future__ import annotations

from locust.dispatch import UsersDispatcher

from loadgen.division import Part


class EvenDispatcher(UsersDispatcher):
    """Gives each worker its part of the users of each class, all of them at once."""

    def ranked(self) -> list[str]:
        """Locust's ids of the workers, in the order of their parts."""
        raise NotImplementedError

    def new_dispatch(self, *_: object, **__: object) -> None:
        """Dispatch all users of all classes; how many there are is a property of the class."""
        ranked = self.ranked()
        parts = {client: Part(index, len(ranked)) for index, client in enumerate(ranked)}
        users = {
            client: {each.__name__: part.users(each.fixed_count) for each in self._user_classes}
            for client, part in parts.items()
        }
        self._dispatcher_generator = (each for each in [users])
