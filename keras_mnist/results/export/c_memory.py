"""Where the results of operations lie in one array, so that those needed at different times share its room."""

from __future__ import annotations

import dataclasses
import math

from keras_mnist.results.graph import Operation

IN_PLACE = ("scale", "add", "relu", "sigmoid", "softmax", "tanh")


@dataclasses.dataclass(eq=False)
class _Buffer:
    """A piece of memory: the operations whose results it holds, one after the other, and where it begins."""

    steps: list[int]
    size: int
    last: int = 0  # operation that reads it
    start: int = 0

    def overlaps(self, other: _Buffer) -> bool:
        """Whether both are needed at one time."""
        return self.steps[0] <= other.last and other.steps[0] <= self.last


def plan(steps: list[Operation]) -> tuple[list[int], int]:
    """The offset of each operation's result in the array, and the length of the array.

    An operation that changes values one by one does so in place, where nothing else reads what it takes.
    """
    last = [max([index, *(at for at, step in enumerate(steps) if index in step.inputs)]) for index in range(len(steps))]
    last[-1] = len(steps)  # the result is read at the end
    buffers: list[_Buffer] = []
    homes: list[_Buffer] = []
    for index, step in enumerate(steps):
        shared = homes[step.inputs[0]] if step.inputs else None
        once = shared not in [homes[other] for other in step.inputs[1:]]  # in x + x, no x may change
        free = shared and once and step.kind in IN_PLACE and all(last[other] <= index for other in shared.steps)
        if step.kind == "reshape" or free:
            shared.steps.append(index)
        else:
            buffers.append(_Buffer([index], math.prod(step.shape)))
        homes.append(shared if step.kind == "reshape" or free else buffers[-1])
    for buffer in buffers:
        buffer.last = max(last[index] for index in buffer.steps)
    length = _arrange(buffers)
    return [home.start for home in homes], length


def _arrange(buffers: list[_Buffer]) -> int:
    """Give each buffer, the largest first, the first room that is free all the time it is needed: the length of all."""
    arranged: list[_Buffer] = []
    for buffer in sorted(buffers, key=lambda buffer: -buffer.size):
        for other in sorted(arranged, key=lambda other: other.start):
            if buffer.overlaps(other) and other.start < buffer.start + buffer.size:
                buffer.start = max(buffer.start, other.start + other.size)
        arranged.append(buffer)
    return max(buffer.start + buffer.size for buffer in buffers)
