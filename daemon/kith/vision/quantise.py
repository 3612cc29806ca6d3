"""Models as 8-bit integers, from activation ranges that were measured once and ship as numbers in the recipe."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import onnx

OPSET = 13  # the first with a scale for each channel
OPERATORS = ["Conv", "Add", "MaxPool", "AveragePool", "Relu", "Pad"]


def quantised(model: bytes, ranges: Mapping[str, tuple[float, float]], shape: tuple[int, ...]) -> bytes:
    """The model with weights and activations as 8-bit integers; the same bytes for the same library versions.

    `ranges` gives lowest and highest value by tensor, `shape` any input that the model takes. Weights are unsigned:
    with signed ones, processors without VNNI saturate in their 16-bit sums (onnxruntime, "Quantize ONNX Models").
    """
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    proto = modern(model)
    name = proto.graph.input[0].name
    overrides = {
        tensor: [{"rmin": np.float32(low), "rmax": np.float32(high), "quant_type": QuantType.QUInt8}]
        for tensor, (low, high) in ranges.items()
    }
    with TemporaryDirectory() as folder:
        source, target = Path(folder, "float.onnx"), Path(folder, "int8.onnx")
        onnx.save(proto, str(source))
        quantize_static(
            source,
            target,
            _Once({name: np.zeros(shape, np.float32)}),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=OPERATORS,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QUInt8,
            extra_options={"TensorQuantOverrides": overrides},
        )
        return bytes(onnx.load(str(target)).SerializeToString(deterministic=True))


def modern(model: bytes) -> Any:
    """The model in the opset that quantising needs, its weights no longer declared as inputs."""
    proto = onnx.load_from_string(model)
    weights = {tensor.name for tensor in proto.graph.initializer}
    inputs = [value for value in proto.graph.input if value.name not in weights]
    del proto.graph.input[:]
    proto.graph.input.extend(inputs)
    if proto.opset_import[0].version < OPSET:
        proto = onnx.version_converter.convert_version(proto, OPSET)
    proto.ir_version = max(proto.ir_version, 8)
    used = {name for node in proto.graph.node for name in node.input}
    kept = [tensor for tensor in proto.graph.initializer if tensor.name in used]
    del proto.graph.initializer[:]
    proto.graph.initializer.extend(kept)
    onnx.helper.set_model_props(proto, {"onnx.quant.pre_process": "onnxruntime.quant"})  # else it advises to do that
    return proto


class _Once:
    """A calibration reader of one blank input: the library insists on one, the ranges override what it sees."""

    def __init__(self, feed: dict[str, Any]) -> None:
        self._feeds = iter([feed])

    def get_next(self) -> dict[str, Any] | None:
        return next(self._feeds, None)
