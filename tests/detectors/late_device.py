"""A stand-in for CuPy on machines without a GPU, as strict and lazy as CUDA can be.

Arrays of the device and of the host never mix, new memory holds NaN, and queued work
runs as late as its order allows: when a result is read or an event is waited for. Code
that reuses a buffer too early gets wrong values here.
"""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin


class Stream:
    """A queue of work that runs, in order, when something waits for it."""

    def __init__(self):
        self.queued = 0
        self._waiting: list[Callable[[], None]] = []

    def put(self, work):
        """Queue work."""
        self.queued += 1
        self._waiting.append(work)

    @property
    def idle(self):
        """Nothing waits: buffers may be used again."""
        return not self._waiting

    def synchronize(self, until=None):
        """Run the work that was queued before an event."""
        done = self.queued - len(self._waiting)
        count = len(self._waiting) if until is None else max(0, until - done)
        work, self._waiting = self._waiting[:count], self._waiting[count:]
        for each in work:
            each()


STREAM = Stream()


class Event:
    """An event of a stream; one that was never recorded has passed."""

    def __init__(self):
        self._moment = 0

    def record(self, stream):
        """Record the work that is queued so far."""
        self._moment = stream.queued

    def synchronize(self):
        """Run the work queued before the event."""
        STREAM.synchronize(self._moment)


class DeviceArray(NDArrayOperatorsMixin):
    """An array that NumPy must not read."""

    def __init__(self, data):
        self.data = data

    shape = property(lambda self: self.data.shape)
    dtype = property(lambda self: self.data.dtype)
    ndim = property(lambda self: self.data.ndim)
    T = property(lambda self: DeviceArray(self.data.T))

    def __array__(self, *args, **kwargs):
        msg = "implicit conversion of a device array"
        raise TypeError(msg)

    def __len__(self):
        return len(self.data)

    def __iter__(self):
        return (DeviceArray(row) for row in self.data)

    def __getitem__(self, key):
        if isinstance(key, DeviceArray):
            return _called(np.take, (self, key), {})
        view = self.data[key]
        assert view.base is not None  # a slice: nothing is read yet
        return DeviceArray(view)

    def __setitem__(self, key, value):
        value, key = _of_device(value), _of_device(key)
        STREAM.put(lambda: self.data.__setitem__(key, value))

    def __array_ufunc__(self, ufunc, method, *inputs, out=None, **kwargs):
        if out is not None:
            (target,) = out
            target[...] = self.__array_ufunc__(ufunc, method, *inputs, **kwargs)
            return target
        return _called(getattr(ufunc, method), inputs, kwargs)

    def __getattr__(self, name):
        if name not in {"astype", "mean", "sort"}:
            raise AttributeError(name)
        return lambda *args, **kwargs: _called(getattr(self.data, name), args, kwargs)

    def set(self, array, stream):
        """Queue a copy from the host."""
        assert self.data.flags.c_contiguous
        assert (array.shape, array.dtype) == (self.shape, self.dtype)
        STREAM.put(lambda: np.copyto(self.data, array))


def _of_device(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return type(value)(map(_of_device, value))
    if isinstance(value, np.ndarray):
        msg = "an array of the host among device arrays"
        raise TypeError(msg)
    return value.data if isinstance(value, DeviceArray) else value


def _called(function, args, kwargs):
    args = [_of_device(each) for each in args]
    STREAM.synchronize()
    result = function(*args, **kwargs)
    return DeviceArray(np.asarray(result)) if result is not None else None


class LateDevice:
    """The part of CuPy that the code uses."""

    cuda = SimpleNamespace(
        runtime=SimpleNamespace(memGetInfo=lambda: (1 << 34, 1 << 34)),
        alloc_pinned_memory=lambda nbytes: np.full(nbytes, 255, np.uint8),
        get_current_stream=lambda: STREAM,
        Event=Event,
    )
    float64, nan = np.float64, np.nan

    @staticmethod
    def get_default_memory_pool():
        return SimpleNamespace(free_bytes=lambda: 0)

    @staticmethod
    def empty(shape, dtype=np.float64):
        return DeviceArray(np.full(shape, np.nan, dtype))

    @staticmethod
    def asarray(array):
        return array if isinstance(array, DeviceArray) else DeviceArray(array.copy())

    @staticmethod
    def asnumpy(array):
        STREAM.synchronize()
        return array.data.copy()

    def __getattr__(self, name):
        if name not in FUNCTIONS:
            raise AttributeError(name)
        return lambda *args, **kwargs: _called(getattr(np, name), args, kwargs)


FUNCTIONS = {
    "abs", "concatenate", "isfinite", "log", "maximum", "minimum", "ones_like",
    "searchsorted", "sqrt", "stack", "where", "zeros",
}  # fmt: skip
