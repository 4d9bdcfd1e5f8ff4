"""TensorFlow operations that Numba compiles: TensorFlow's threads run them side by side, without Python and its lock.

Source: TensorFlow's C interface for plugins, tensorflow/c/ops.h and tensorflow/c/kernels.h.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import glob
import hashlib
import threading
from pathlib import Path

import llvmlite.binding
import numba
import numpy as np
import tensorflow as tf
from numba import types
from numba.core import caching, ccallback

from keras_mnist.utils.garbage import uncollected

ADDRESS = types.intp
# NumPy's numbers, here and below: Numba compiles a function anew for each Python number that it is called with.
FLOAT32, FLOAT64 = np.int32(tf.float32.as_datatype_enum), np.int32(tf.float64.as_datatype_enum)

# Not "fastmath": it lets results depend on how a loop was compiled, and on where in memory its arrays happen to lie.
ARITHMETIC = {"error_model": "numpy"}
THIS_FILE = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()

# TensorFlow aborts the process if a name is registered twice, and calls what is registered until the process ends. So
# the compiled functions are kept, by name, with TensorFlow itself: this module may be loaded again.
_LOCK, _REGISTERED = tf.__dict__.setdefault("_keras_mnist_operations", (threading.Lock(), {}))


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


def compiled(function, **options):
    """Compile a function that operations call, when the first of them is compiled; Python itself cannot call it."""
    return numba.njit(**ARITHMETIC, no_cpython_wrapper=True, no_cfunc_wrapper=True, **options)(function)


def inlined(function):
    """Make a few lines a part of each function that calls them: they are compiled sooner than a function is."""
    return compiled(function, inline="always")


def operation(*inputs: str, gives: str):
    """Make an operation of a function that is called with TensorFlow's context as its second argument.

    The function may call compiled functions of its own file and of this one: they are compiled into it, and it is
    kept for later processes until one of the two files changes.

    The result is a function from tensors and the output's shape to a tensor. An operation's name is registered once
    in a process: a function that is defined again with the same name gets what the first one computes.

    Args:
        inputs, gives: name and type as in "values: float".
    """

    def make(function):
        name = "KerasMnist" + "".join(word.title() for word in function.__name__.split("_"))
        output_type = tf.as_dtype(gives.split(": ")[1])

        def add(*tensors, shape):
            _register_once(name, inputs, gives, function)
            graph = tf.compat.v1.get_default_graph()
            result = graph.create_op(name, list(tensors), [output_type]).outputs[0]
            result.set_shape(shape)
            return result

        graph_of_one = tf.function(add, autograph=False, reduce_retracing=True)

        @functools.wraps(function)
        def call(*tensors, shape):
            if not tf.executing_eagerly():
                return add(*tensors, shape=shape)
            # A concrete function stays a graph where functions are told to run eagerly. Operations have no gradients of
            # their own; stopped, tapes do not ask for them.
            given = [tf.stop_gradient(tensor) for tensor in tensors]
            return graph_of_one.get_concrete_function(*given, shape=shape)(*given)

        return call

    return make


def _register_once(name: str, inputs, output: str, function) -> None:
    with _LOCK:
        if name not in _REGISTERED:
            compute = _Callback(function)
            _register(name, inputs, output, compute.address)
            _REGISTERED[name] = compute


class _Callback(ccallback.CFunc):
    """A function compiled for TensorFlow to call, taken from Numba's cache where that has it."""

    def __init__(self, function):
        super().__init__(function, ((ADDRESS, ADDRESS), types.void), locals={}, options=ARITHMETIC)
        with contextlib.suppress(RuntimeError):  # nowhere to write
            self._cache = _Cache(function)
        with uncollected():
            self.compile()


def _keyed(locator):
    """A locator of Numba's whose files are named by the content of the function's file and of this one."""

    class Keyed(locator):
        def get_disambiguator(self):
            return hashlib.sha256(repr((self.get_source_stamp(), THIS_FILE)).encode()).hexdigest()[:16]

    return Keyed


class _CacheFiles(caching.CompileResultCacheImpl):
    _locator_classes = [_keyed(locator) for locator in caching.CompileResultCacheImpl._locator_classes]


class _Cache(caching.FunctionCache):
    _impl_class = _CacheFiles

    def save_overload(self, signature, result):
        with contextlib.suppress(OSError):  # a full disk, say: the next process compiles again
            self._remove_old()
            super().save_overload(signature, result)

    def _remove_old(self):
        """Remove what earlier versions of the sources were compiled to."""
        key = self._impl.locator.get_disambiguator()
        for path in Path(self.cache_path).glob(glob.escape(self._impl.filename_base.partition(key)[0]) + "*"):
            if key not in path.name:
                path.unlink(missing_ok=True)


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
_count = _function("TF_TensorElementCount", types.int64, ADDRESS)
_rank = _function("TF_NumDims", types.int32, ADDRESS)
_length = _function("TF_Dim", types.int64, ADDRESS, types.int32)
_bytes = _function("TF_DataTypeSize", types.intp, types.int32)


@compiled
def _take(context, index):
    """Memory, number of values and shape of an input; the context keeps the memory while the operation runs."""
    status, pointer = _new_status(), np.empty(1, np.intp)
    _input(context, index, pointer.ctypes.data, status)
    _delete_status(status)
    tensor = pointer[0]
    shape = np.empty(np.int64(_rank(tensor)), np.int64)
    for axis in range(len(shape)):
        shape[axis] = _length(tensor, np.int32(axis))
    data, count = _data(tensor), _count(tensor)
    _delete_tensor(tensor)
    return data, count, shape


@compiled
def _give(context, shape, kind):
    """Memory of the output and number of its values; raises where there is none."""
    status, size = _new_status(), _bytes(kind)
    for axis in range(len(shape)):
        size *= shape[axis]
    tensor = _output(context, 0, kind, shape.ctypes.data, len(shape), size, status)
    failed = _code(status) != 0
    if failed:
        _fail(context, status)
    _delete_status(status)
    if failed:
        raise MemoryError
    data, count = _data(tensor), _count(tensor)
    _delete_tensor(tensor)
    return data, count


@inlined
def floats(context, index):
    """A float32 input: (array, shape)."""
    data, count, shape = _take(context, np.int32(index))
    return numba.carray(data, count, np.float32), shape


@inlined
def doubles(context, index):
    """A float64 input: (array, shape)."""
    data, count, shape = _take(context, np.int32(index))
    return numba.carray(data, count, np.float64), shape


@inlined
def integers(context, index):
    """An int64 input: array."""
    data, count, _ = _take(context, np.int32(index))
    return numba.carray(data, count, np.int64)


@inlined
def floats_out(context, shape):
    """The output, float32: array."""
    data, count = _give(context, shape, FLOAT32)
    return numba.carray(data, count, np.float32)


@inlined
def doubles_out(context, shape):
    """The output, float64: array."""
    data, count = _give(context, shape, FLOAT64)
    return numba.carray(data, count, np.float64)
