"""ONNX: for ONNX Runtime and all that reads its format, on most machines and in browsers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from keras_mnist.results import runtimes
from keras_mnist.results.export.formats import export_format
from keras_mnist.results.graph import Operation, operations
from keras_mnist.utils.lazy import keras

OPSET, IR_VERSION = 17, 8  # of 2022: what was built since then reads it


@export_format(suffix=".onnx", library="onnx")
def onnx(model: keras.Model, gives_logits: bool, path: Path) -> runtimes.Predict:
    """A file of opset 17: `image` uint8 (n, 28, 28, 1) -> `probabilities` float32 (n, 10), `digit` int64 (n,)."""
    runtimes.optional("onnx")
    path.write_bytes(_Graph(operations(model, gives_logits)).model(model.name).SerializeToString())
    return runtimes.onnx(path)


class _Graph:
    """The nodes of an ONNX graph. Between them, images have the channels first, as ONNX knows them alone."""

    def __init__(self, steps: list[Operation]):
        from onnx import helper, numpy_helper

        self.helper, self.numpy_helper = helper, numpy_helper
        self.nodes, self.constants = [], []
        self.names: dict[tuple, str] = {}  # of constants, by what they hold: a layer that is called twice is one
        self.classes = steps[-1].shape[-1]
        self.results: list[str] = []  # of each step
        for step in steps:
            given = [self.results[index] for index in step.inputs]
            shapes = [steps[index].shape for index in step.inputs]
            self.results.append(getattr(self, f"_{step.kind}", self._other)(step, given, shapes))
        self.node("Identity", self.results[-1], output="probabilities")
        self.node("ArgMax", self.results[-1], output="digit", axis=-1, keepdims=0)

    def model(self, name: str):
        """The whole, checked."""
        import onnx

        info, kinds = self.helper.make_tensor_value_info, onnx.TensorProto
        outputs = [info("probabilities", kinds.FLOAT, ["n", self.classes]), info("digit", kinds.INT64, ["n"])]
        image = info("image", kinds.UINT8, ["n", 28, 28, 1])
        graph = self.helper.make_graph(self.nodes, name, [image], outputs, self.constants)
        opset = self.helper.make_opsetid("", OPSET)
        model = self.helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION, producer_name="keras_mnist")
        onnx.checker.check_model(model, full_check=True)
        return model

    def node(self, kind: str, *inputs: str, output: str | None = None, **attributes) -> str:
        """Add a node: the name of its result."""
        output = output or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(self.helper.make_node(kind, inputs, [output], **attributes))
        return output

    def constant(self, values) -> str:
        """Add an array unless there is one that holds the same: its name."""
        values, name = np.asarray(values), f"constant_{len(self.constants)}"
        known = self.names.setdefault((values.dtype.str, values.shape, values.tobytes()), name)
        if known == name:
            self.constants.append(self.numpy_helper.from_array(values, name))
        return known

    def _input(self, step, given, shapes):
        pixels = self.node("Cast", "image", to=1)  # to float32
        return self._channels_first(pixels, step.shape)

    def _convolution(self, step, given, shapes):
        kernel = self.constant(np.ascontiguousarray(step.weights["kernel"].transpose(3, 2, 0, 1)))
        attributes = self._window(step) | {"dilations": step.attributes["dilation"]}
        return self.node("Conv", given[0], kernel, self.constant(step.weights["bias"]), **attributes)

    def _depthwise(self, step, given, shapes):
        kernel = self.constant(np.ascontiguousarray(step.weights["kernel"].transpose(2, 0, 1)[:, None]))
        attributes = self._window(step) | {"dilations": step.attributes["dilation"], "group": shapes[0][-1]}
        return self.node("Conv", given[0], kernel, self.constant(step.weights["bias"]), **attributes)

    def _dense(self, step, given, shapes):
        kernel, bias = self.constant(step.weights["kernel"]), self.constant(step.weights["bias"])
        product = self.node("MatMul", self._channels_last(given[0], shapes[0]), kernel)
        return self._channels_first(self.node("Add", product, bias), step.shape)

    def _scale(self, step, given, shapes):
        channels = (-1, 1, 1) if len(step.shape) == 3 else (-1,)
        scale, offset = (self.constant(step.weights[name].reshape(channels)) for name in ("scale", "offset"))
        return self.node("Add", self.node("Mul", given[0], scale), offset)

    def _max_pool(self, step, given, shapes):
        return self.node("MaxPool", given[0], kernel_shape=step.attributes["pool"], **self._window(step))

    def _average_pool(self, step, given, shapes):
        window = self._window(step) | {"count_include_pad": 0}
        return self.node("AveragePool", given[0], kernel_shape=step.attributes["pool"], **window)

    def _global_average(self, step, given, shapes):
        mean = self.node("GlobalAveragePool", given[0])
        return mean if len(step.shape) == 3 else self._reshaped(mean, step.shape)

    def _reshape(self, step, given, shapes):
        flat = self._reshaped(self._channels_last(given[0], shapes[0]), step.shape)
        return self._channels_first(flat, step.shape)

    def _softmax(self, step, given, shapes):
        return self.node("Softmax", given[0], axis=1 if len(step.shape) == 3 else -1)

    def _add(self, step, given, shapes):
        total = given[0]
        for other in given[1:]:
            total = self.node("Add", total, other)
        return total

    def _other(self, step, given, shapes):
        return self.node({"relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh"}[step.kind], *given)

    def _window(self, step) -> dict:
        return {"strides": step.attributes["strides"], "pads": step.attributes["padding"]}

    def _reshaped(self, given: str, shape) -> str:
        return self.node("Reshape", given, self.constant(np.array([-1, *shape], np.int64)))

    def _channels_first(self, given: str, shape) -> str:
        return self.node("Transpose", given, perm=[0, 3, 1, 2]) if len(shape) == 3 else given

    def _channels_last(self, given: str, shape) -> str:
        return self.node("Transpose", given, perm=[0, 2, 3, 1]) if len(shape) == 3 else given
