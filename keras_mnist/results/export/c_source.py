"""C: one header and one file without allocation or dependencies, for any microcontroller with a C compiler."""

from __future__ import annotations

import math
import re
import textwrap
from pathlib import Path

import numpy as np

from keras_mnist.results import runtimes
from keras_mnist.results.export import c_functions
from keras_mnist.results.export.c_memory import plan
from keras_mnist.results.export.formats import export_format
from keras_mnist.results.graph import Operation, operations
from keras_mnist.utils.lazy import keras

HEADER = """\
/* {name}: predicts a handwritten digit from 28x28 raw pixels, 0 to 255, bright on black. Made with keras_mnist.
 *
 * Flash:      {flash:,} bytes of weights ({weights}), and 1 to 4 kB of code
 * RAM:        {memory:,} bytes, static: nothing is allocated, and two threads must not call it at once
 * Mult-adds:  {mult_adds:,} for an image, in float
 *
 * C99 with the standard library's mathematics (-lm), nothing else.
 */
#ifndef {guard}_H
#define {guard}_H

#include <stdint.h>

#define {guard}_CLASSES {classes}

#ifdef __cplusplus
extern "C" {{
#endif

/* Gives the digit, and writes the probabilities of all. Pixels come row by row. */
int {name}_predict(const uint8_t pixels[{pixels}], float probabilities[{guard}_CLASSES]);

#ifdef __cplusplus
}}
#endif

#endif
"""

BODY = """\
#include "{name}.h"

#include <math.h>
#include <string.h>

{parts}
static float memory[{memory}];

int {name}_predict(const uint8_t pixels[{pixels}], float probabilities[{classes}]) {{
{calls}
  memcpy(probabilities, memory + {result}, {classes} * sizeof(float));
  int digit = 0;
  for (int c = 1; c < {classes}; c++)
    if (probabilities[c] > probabilities[digit]) digit = c;
  return digit;
}}
"""


@export_format(library="c")
def c(model: keras.Model, gives_logits: bool, path: Path) -> runtimes.Predict:
    """<name>.h and <name>.c with float weights: `int <name>_predict(pixels, probabilities)`."""
    return _write(model, gives_logits, path, whole_numbers=False)


@export_format(least_agreement=0.99, library="c")
def c_int8(model: keras.Model, gives_logits: bool, path: Path) -> runtimes.Predict:
    """The same with kernels of int8 and a scale for each output: a quarter of the flash; it computes in float."""
    return _write(model, gives_logits, path, whole_numbers=True)


def _write(model: keras.Model, gives_logits: bool, path: Path, whole_numbers: bool) -> runtimes.Predict:
    runtimes.c_compiler()  # before the work
    name = re.sub(r"\W|^(?=\d)", "_", model.name)
    header, body = _Source(operations(model, gives_logits), whole_numbers).texts(name)
    (path / f"{name}.h").write_text(header)
    (path / f"{name}.c").write_text(body)
    return runtimes.c(path)


class _Source:
    """The text of a network in C."""

    def __init__(self, steps: list[Operation], whole_numbers: bool):
        self.steps, self.whole_numbers = steps, whole_numbers
        self.offsets, self.memory = plan(steps)
        self.arrays: list[str] = []
        self.names: dict[tuple, str] = {}  # of arrays, by what they hold: a layer that is called twice is written once
        self.flash = 0
        self.calls = [call for index, step in enumerate(steps) for call in self._calls(index, step)]

    def texts(self, name: str) -> tuple[str, str]:
        """The header and the file."""
        facts = {
            "name": name,
            "guard": name.upper(),
            "pixels": math.prod(self.steps[0].shape),
            "classes": math.prod(self.steps[-1].shape),
            "flash": self.flash,
            "weights": "int8 kernels, float biases" if self.whole_numbers else "float",
            "mult_adds": sum(map(_mult_adds, self.steps)),
        }
        header = HEADER.format(**facts, memory=self.memory * 4)
        calls = "\n".join(f"  {call};" for call in self.calls)
        parts = "\n".join([*self._functions(), *self.arrays])
        return header, BODY.format(**facts, memory=self.memory, parts=parts, calls=calls, result=self.offsets[-1])

    def _functions(self) -> list[str]:
        kinds = {step.kind for step in self.steps}
        used = dict.fromkeys(text for kind, text in c_functions.FUNCTIONS.items() if kind in kinds)
        types = [c_functions.TYPES] * any("shape" in text for text in used)
        types += [c_functions.WINDOW] * any("window" in text for text in used)
        kept = r"\1" if self.whole_numbers else ""
        weight = "int8_t" if self.whole_numbers else "float"
        return [re.sub(r"SCALED\((.*?)\)", kept, text).replace("WEIGHT", weight) for text in [*types, *used]]

    def _calls(self, index: int, step: Operation) -> list[str]:
        """The lines that compute a step."""
        count, result = math.prod(step.shape), f"memory + {self.offsets[index]}"
        given = [f"memory + {self.offsets[other]}" for other in step.inputs]
        match step.kind:
            case "input":
                return [f"for (int i = 0; i < {count}; i++) ({result})[i] = pixels[i]"]
            case "reshape":
                return []
            case "convolution" | "dense" | "depthwise":
                taken = ", ".join(self._weights(index, step))
                function = "depthwise" if step.kind == "depthwise" else "convolution"
                return [f"{function}({given[0]}, {self._shape(step)}, {result}, {self._to(step)}, {taken})"]
            case "max_pool" | "average_pool":
                window = _window(step.attributes["pool"], step.attributes)
                return [f"{step.kind}({given[0]}, {self._shape(step)}, {result}, {self._to(step)}, {window})"]
            case "global_average":
                return [f"global_average({given[0]}, {self._shape(step)}, {result})"]
        copied = [f"memcpy({result}, {given[0]}, {count} * sizeof(float))"] * (given[0] != result)
        match step.kind:
            case "add":
                return copied + [f"add({result}, {other}, {count})" for other in given[1:]]
            case "scale":
                taken = ", ".join(self._array(f"{name}_{index}", values) for name, values in step.weights.items())
                return [*copied, f"scale({result}, {count}, {step.shape[-1]}, {taken})"]
            case "softmax":
                return [*copied, f"softmax({result}, {count}, {step.shape[-1]})"]
        return [*copied, f"{'hyperbolic_tangent' if step.kind == 'tanh' else step.kind}({result}, {count})"]

    def _shape(self, step: Operation) -> str:
        return _shape(self.steps[step.inputs[0]].shape)

    def _to(self, step: Operation) -> str:
        return _shape(step.shape)

    def _weights(self, index: int, step: Operation) -> list[str]:
        """A linear step's window, and the names of its arrays."""
        kernel, bias = step.weights["kernel"], step.weights["bias"]
        plain = {"strides": (1, 1), "padding": (0, 0, 0, 0), "dilation": (1, 1)}
        window = _window(kernel.shape[:2] if step.attributes else (1, 1), step.attributes or plain)
        if not self.whole_numbers:
            return [window, self._array(f"kernel_{index}", kernel), self._array(f"bias_{index}", bias)]
        most = np.abs(kernel).reshape(-1, kernel.shape[-1]).max(axis=0)
        scale = np.where(most > 0, most / 127, 1).astype("f4")
        numbers = self._array(f"kernel_{index}", np.rint(kernel / scale).astype("i1"))
        return [window, numbers, self._array(f"scale_{index}", scale), self._array(f"bias_{index}", bias)]

    def _array(self, name: str, values: np.ndarray) -> str:
        """Add an array unless there is one that holds the same: its name."""
        known = self.names.setdefault((values.dtype.str, values.tobytes()), name)
        if known != name:
            return known
        self.flash += values.nbytes
        kind, end = ("int8_t", "") if values.dtype == np.int8 else ("float", "f")
        numbers = textwrap.fill(", ".join(f"{value!s}{end}" for value in values.flat), 118, break_on_hyphens=False)
        self.arrays.append(f"static const {kind} {name}[{values.size}] = {{\n{textwrap.indent(numbers, '  ')}\n}};\n")
        return name


def _mult_adds(step: Operation) -> int:
    return math.prod(step.shape) * math.prod(step.weights["kernel"].shape[:-1]) if "kernel" in step.weights else 0


def _shape(shape: tuple[int, ...]) -> str:
    """A shape as rows, columns and channels: one of fewer axes has single rows."""
    rows, columns, channels = (1,) * (3 - len(shape)) + tuple(shape)
    return f"(shape){{{rows}, {columns}, {channels}}}"


def _window(size: tuple[int, int], attributes: dict) -> str:
    numbers = *size, *attributes["strides"], *attributes["padding"][:2], *attributes.get("dilation", (1, 1))
    return f"(window){{{', '.join(map(str, numbers))}}}"
