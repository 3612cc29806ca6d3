"""Opening ONNX models: one thread each, inputs of any size, the same bytes that were verified."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import onnxruntime as ort


def open_session(model: bytes, free: Collection[int], threads: int = 1) -> Any:
    """An onnxruntime session over a serialised model whose input dimensions `free` may take any size.

    Models that declare those dimensions as numbers are relaxed first. Raises what onnxruntime raises.
    """
    session = _session(model, threads)
    shape = session.get_inputs()[0].shape
    if any(isinstance(shape[axis], int) for axis in free):
        session = _session(relaxed(model, free), threads)
    return session


def relaxed(model: bytes, free: Collection[int]) -> bytes:
    """The model with its first input's dimensions `free`, and all output dimensions, declared open."""
    import onnx

    proto = onnx.load_from_string(model)
    weights = {tensor.name for tensor in proto.graph.initializer}
    first = next(value for value in proto.graph.input if value.name not in weights)
    for axis in free:
        first.type.tensor_type.shape.dim[axis].dim_param = f"free_{axis}"
    for output in proto.graph.output:
        for axis, dim in enumerate(output.type.tensor_type.shape.dim):
            dim.dim_param = f"{output.name}_{axis}"
    del proto.graph.value_info[:]
    return bytes(proto.SerializeToString(deterministic=True))


def _session(model: bytes, threads: int) -> Any:
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
