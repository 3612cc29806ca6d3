"""dlib's face recognition network as ONNX: reads dlib's own serialisation and writes the graph anew.

The network is `anet_type` of dlib's example dnn_face_recognition_ex.cpp: 29 convolutions in residual blocks, each
followed by an affine layer (folded into the convolution here), global average pooling and one matrix. The format is
dlib's serialize.h (integers), tensor.h and dnn/layers.h (tensors and layers), as of the public model of 2017.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from kith.errors import ModelCorrupt
from kith.types import Floats

SIDE = 150
LENGTH = 128
MEAN_RGB = (122.782, 117.001, 104.298)
BLOCKS = (3, 3, 2, 2, 0)  # plain residual blocks in each stage; every stage but the first begins with a halving one
OPSET = 13
KINDS = (b"con_4", b"affine_", b"fc_2")


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A layer's kind, its weights (flat) and the integers that follow or precede them."""

    kind: str
    weights: Floats
    numbers: tuple[int, ...]


def convert(data: bytes) -> bytes:
    """dlib_face_recognition_resnet_model_v1.dat as a serialised ONNX model.

    Input "input": (N, 3, 150, 150) float32, RGB 0..255. Output "embedding": (N, 128) float32, not normalised, equal
    to dlib's but for rounding. Raises ModelCorrupt for anything else than that network.
    """
    try:
        return bytes(_Builder(iter(read_layers(data))).model().SerializeToString(deterministic=True))
    except (AssertionError, IndexError, StopIteration, ValueError) as error:
        raise ModelCorrupt(
            f"This is not dlib's face recognition network in a form that Kith reads: {error}."
        ) from error


def read_layers(data: bytes) -> list[Layer]:
    """All layers that have weights, from the input's side to the output's."""
    starts = []
    for kind in KINDS:
        tag = bytes([1, len(kind)]) + kind  # a serialised string: its length as an integer, then its letters
        at = data.find(tag)
        while at >= 0:
            starts.append((at + len(tag), kind.decode()))
            at = data.find(tag, at + 1)
    return [_read_layer(data, at, kind) for at, kind in sorted(starts)]


def _read_layer(data: bytes, at: int, kind: str) -> Layer:
    before: list[int] = []
    if kind == "fc_2":
        before, at = _integers(data, at, 2)
    weights, at = _tensor(data, at)
    after = _integers(data, at, 7)[0] if kind == "con_4" else []
    return Layer(kind, weights, tuple(before + after))


def _integers(data: bytes, at: int, count: int) -> tuple[list[int], int]:
    """dlib's integers: a byte with the sign (bit 7) and the number of bytes that follow, little end first."""
    values = []
    for _ in range(count):
        size, negative = data[at] & 0x0F, data[at] & 0x80
        _check(1 <= size <= 8, f"no integer at byte {at}")
        value = int.from_bytes(data[at + 1 : at + 1 + size], "little")
        values.append(-value if negative else value)
        at += 1 + size
    return values, at


def _tensor(data: bytes, at: int) -> tuple[Floats, int]:
    (version, *shape), at = _integers(data, at, 5)
    _check(version == 2, f"tensor version {version} at byte {at}")
    size = int(np.prod(shape))
    return np.frombuffer(data, "<f4", size, at).astype(np.float32), at + 4 * size


def _check(condition: bool, problem: str) -> None:
    if not condition:
        raise ValueError(problem)


@dataclass
class _Builder:
    """Takes layers in order and strings nodes together; tensors are named after their node."""

    layers: Iterator[Layer]
    nodes: list[Any] = field(default_factory=list)
    weights: list[Any] = field(default_factory=list)

    def model(self) -> Any:
        mean = self._weight("mean", np.array(MEAN_RGB, np.float32).reshape(1, 3, 1, 1))
        scale = self._weight("scale", np.array(1 / 256, np.float32))
        x = self._node("Mul", [self._node("Sub", ["input", mean]), scale])
        x, channels = self._convolution(x, 3)
        x = self._node("MaxPool", [self._node("Relu", [x])], kernel_shape=[3, 3], strides=[2, 2])
        side = ((SIDE - 7) // 2 + 1 - 3) // 2 + 1
        for stage, blocks in enumerate(BLOCKS):
            if stage:
                x, channels, side = self._halving_block(x, channels, side)
            for _ in range(blocks):
                x = self._plain_block(x, channels)
        x = self._node("Flatten", [self._node("GlobalAveragePool", [x])])
        self._matrix(x, channels)
        _check(next(self.layers, None) is None, "layers are left over")
        return self._finished()

    def _finished(self) -> Any:
        value = helper.make_tensor_value_info
        graph = helper.make_graph(
            self.nodes,
            "dlib_face_recognition_resnet",
            [value("input", TensorProto.FLOAT, ["N", 3, SIDE, SIDE])],
            [value("embedding", TensorProto.FLOAT, ["N", LENGTH])],
            self.weights,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="kith")
        model.ir_version = 8
        onnx.checker.check_model(model)
        return model

    def _weight(self, name: str, values: Any) -> str:
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def _node(self, kind: str, inputs: list[str], output: str = "", **attributes: Any) -> str:
        output = output or f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def _convolution(self, x: str, channels: int) -> tuple[str, int]:
        """A convolution with the affine layer behind it folded in; gives its output and number of filters."""
        layer, affine = next(self.layers), next(self.layers)
        _check((layer.kind, affine.kind) == ("con_4", "affine_"), "a convolution is missing")
        filters, rows, columns, step_y, step_x, pad_y, pad_x = layer.numbers
        count = filters * channels * rows * columns
        _check(layer.weights.size == count + filters and affine.weights.size == 2 * filters, "weights are missing")
        gain, shift = affine.weights[:filters], affine.weights[filters:]
        kernel = layer.weights[:count].reshape(filters, channels, rows, columns) * gain[:, None, None, None]
        name = f"conv_{len(self.nodes)}"
        inputs = [x, self._weight(f"{name}_w", kernel), self._weight(f"{name}_b", layer.weights[count:] * gain + shift)]
        shape = {"kernel_shape": [rows, columns], "strides": [step_y, step_x], "pads": [pad_y, pad_x, pad_y, pad_x]}
        return self._node("Conv", inputs, name, **shape), filters

    def _two_convolutions(self, x: str, channels: int) -> tuple[str, int]:
        x, filters = self._convolution(x, channels)
        return self._convolution(self._node("Relu", [x]), filters)

    def _plain_block(self, x: str, channels: int) -> str:
        y, _ = self._two_convolutions(x, channels)
        return self._node("Relu", [self._node("Add", [y, x])])

    def _halving_block(self, x: str, channels: int, side: int) -> tuple[str, int, int]:
        """The short cut is pooled; where the two ways differ in size or channels, the smaller is padded with zeros."""
        y, filters = self._two_convolutions(x, channels)
        x = self._node("AveragePool", [x], kernel_shape=[2, 2], strides=[2, 2])
        convolved, pooled = (side - 3) // 2 + 1, (side - 2) // 2 + 1
        side = max(convolved, pooled)
        y = self._padded(y, 0, side - convolved)
        x = self._padded(x, filters - channels, side - pooled)
        return self._node("Relu", [self._node("Add", [y, x])]), filters, side

    def _padded(self, x: str, channels: int, side: int) -> str:
        if not (channels or side):
            return x
        pads = self._weight(f"pads_{len(self.nodes)}", np.array([0, 0, 0, 0, 0, channels, side, side], np.int64))
        return self._node("Pad", [x, pads], mode="constant")

    def _matrix(self, x: str, channels: int) -> None:
        layer = next(self.layers)
        _check(layer.kind == "fc_2" and layer.weights.size == channels * LENGTH, "the last matrix is missing")
        self._node("MatMul", [x, self._weight("matrix", layer.weights.reshape(channels, LENGTH))], "embedding")
