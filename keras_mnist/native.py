"""TensorFlow operations that Numba compiles: TensorFlow's threads run them side by side, without Python and its lock.

Source: TensorFlow's C interface for plugins, tensorflow/c/ops.h and tensorflow/c/kernels.h.
"""

from __future__ import annotations

import ctypes
import functools
from pathlib import Path

import llvmlite.binding
import numba
import numpy as np
import tensorflow as tf
from numba import types

ADDRESS = types.intp
FLOAT32, FLOAT64 = tf.float32.as_datatype_enum, tf.float64.as_datatype_enum


def _load() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(str(Path(tf.sysconfig.get_lib()) / "libtensorflow_framework.so.2"))
        return library if hasattr(library, "TF_RegisterKernelBuilder") else None
    except OSError:
        return None


LIBRARY = _load()


def available() -> bool:
    """Whether operations can be added to this TensorFlow: on Linux they can."""
    return LIBRARY is not None


def compiled(function):
    """Compile at the first call, and keep the result for later processes where a folder can be written.

    Numba compiles a function anew if its own file has changed, not if one that it calls has: after a change of this
    file delete __pycache__ beside those that use it.
    """
    return _kept(numba.njit, function)


def _kept(compiler, function, *signature):
    # No "fastmath": it lets results depend on how a loop was compiled, and on where in memory its arrays happen to lie.
    try:
        return compiler(*signature, cache=True, error_model="numpy")(function)
    except RuntimeError:  # nowhere to write
        return compiler(*signature, error_model="numpy")(function)


def operation(*inputs: str, gives: str):
    """Make an operation of a function that is called with TensorFlow's context as its second argument.

    The result is a function from tensors and the output's shape to a tensor.

    Args:
        inputs, gives: name and type as in "values: float".
    """

    def make(function):
        name = "KerasMnist" + "".join(word.title() for word in function.__name__.split("_"))
        output_type = tf.as_dtype(gives.split(": ")[1])

        @functools.cache
        def register():
            compute = _kept(numba.cfunc, function, types.void(ADDRESS, ADDRESS))
            _register(name, inputs, gives, compute.address)
            return compute  # its memory stays as long as this does

        def add(*tensors, shape):
            register()
            graph = tf.compat.v1.get_default_graph()
            result = graph.create_op(name, list(tensors), [output_type]).outputs[0]
            result.set_shape(shape)
            return result

        graph_of_one = tf.function(add, autograph=False, reduce_retracing=True)

        @functools.wraps(function)
        def call(*tensors, shape):
            if not tf.executing_eagerly():
                return add(*tensors, shape=shape)
            # A concrete function stays a graph where functions are told to run eagerly.
            return graph_of_one.get_concrete_function(*tensors, shape=shape)(*tensors)

        return call

    return make


def _register(name: str, inputs, output: str, compute: int) -> None:
    pointer = ctypes.c_void_p
    for function in (LIBRARY.TF_NewStatus, LIBRARY.TF_NewOpDefinitionBuilder, LIBRARY.TF_NewKernelBuilder):
        function.restype = pointer
    status, name = pointer(LIBRARY.TF_NewStatus()), name.encode()
    definition = pointer(LIBRARY.TF_NewOpDefinitionBuilder(name))
    for text in inputs:
        LIBRARY.TF_OpDefinitionBuilderAddInput(definition, text.encode())
    LIBRARY.TF_OpDefinitionBuilderAddOutput(definition, output.encode())
    LIBRARY.TF_RegisterOpDefinition(definition, status)
    kernel = pointer(LIBRARY.TF_NewKernelBuilder(name, b"CPU", None, pointer(compute), None))
    LIBRARY.TF_RegisterKernelBuilder(name, kernel, status)
    code = LIBRARY.TF_GetCode(status)
    LIBRARY.TF_DeleteStatus(status)
    if code:
        raise RuntimeError(f"TensorFlow refused the operation {name.decode()}, code {code}")


def _function(name: str, result, *arguments):
    """A function of TensorFlow's library, for compiled code."""
    if available():
        llvmlite.binding.add_symbol(name, ctypes.cast(getattr(LIBRARY, name), ctypes.c_void_p).value)
    return types.ExternalFunction(name, result(*arguments))


_new_status = _function("TF_NewStatus", ADDRESS)
_delete_status = _function("TF_DeleteStatus", types.void, ADDRESS)
_code = _function("TF_GetCode", types.int32, ADDRESS)
_fail = _function("TF_OpKernelContext_Failure", types.void, ADDRESS, ADDRESS)
_input = _function("TF_GetInput", types.void, ADDRESS, types.int32, ADDRESS, ADDRESS)
_output = _function(
    "TF_AllocateOutput", ADDRESS, ADDRESS, types.int32, types.int32, ADDRESS, types.int32, ADDRESS, ADDRESS
)
_delete_tensor = _function("TF_DeleteTensor", types.void, ADDRESS)
_data = _function("TF_TensorData", types.voidptr, ADDRESS)
_rank = _function("TF_NumDims", types.int32, ADDRESS)
_size = _function("TF_Dim", types.int64, ADDRESS, types.int32)


@compiled
def _take(context, index):
    """Memory and shape of an input; the context keeps both while the operation runs.

    The index is an int32, for Numba compiles a function anew for each Python number that it is called with.
    """
    status, place = _new_status(), np.zeros(1, np.intp)
    _input(context, index, place.ctypes.data, status)
    _delete_status(status)
    tensor = place[0]
    shape = np.empty(np.int64(_rank(tensor)), np.int64)
    for axis in range(len(shape)):
        shape[axis] = _size(tensor, np.int32(axis))
    data = _data(tensor)
    _delete_tensor(tensor)
    return data, shape


@compiled
def _give(context, shape, kind, size):
    """Memory of the output; raises where there is none."""
    status = _new_status()
    tensor = _output(context, 0, kind, shape.ctypes.data, len(shape), shape.prod() * size, status)
    failed = _code(status) != 0
    if failed:
        _fail(context, status)
    _delete_status(status)
    if failed:
        raise MemoryError
    data = _data(tensor)
    _delete_tensor(tensor)
    return data


@compiled
def floats(context, index):
    """A float32 input: (array, shape)."""
    data, shape = _take(context, np.int32(index))
    return numba.carray(data, shape.prod(), np.float32), shape


@compiled
def doubles(context, index):
    """A float64 input: array."""
    data, shape = _take(context, np.int32(index))
    return numba.carray(data, shape.prod(), np.float64)


@compiled
def integers(context, index):
    """An int64 input: array."""
    data, shape = _take(context, np.int32(index))
    return numba.carray(data, shape.prod(), np.int64)


@compiled
def floats_out(context, shape):
    """The output, float32: array."""
    return numba.carray(_give(context, shape, FLOAT32, 4), shape.prod(), np.float32)


@compiled
def doubles_out(context, shape):
    """The output, float64: array."""
    return numba.carray(_give(context, shape, FLOAT64, 8), shape.prod(), np.float64)
