"""A trained policy as one file, TorchScript or ONNX, compared with the agent before it is written."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import tempfile
import warnings
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, Optional, Tuple, Union

import torch
from torch import Tensor

from .. import __version__
from ..atomic import write_bytes
from ..graph import Graph
from .errors import ExportError
from .policy import TrainedPolicy, load_policy

TORCHSCRIPT, ONNX = "torchscript", "onnx"
ENDINGS = {".pt": TORCHSCRIPT, ".pth": TORCHSCRIPT, ".ts": TORCHSCRIPT, ".torchscript": TORCHSCRIPT, ".onnx": ONNX}
ABOUT_FILE = "dnne_policy.json"
TOLERANCE = 1e-6
ROWS = (1, 64, 7)
INPUT, OUTPUT = "observations", "actions"

Run = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class PolicyReport:
    """What was exported.

    Attributes:
        path: The file.
        format: ``torchscript`` or ``onnx``.
        source: The output whose values the policy takes.
        observations: Their shape and dtype, in words.
        actions: Shape and dtype of the actions, in words.
        files: The checkpoints that were loaded.
        difference: The largest one between the file's actions and the agent's, on random observations.
    """

    path: Path
    format: str
    source: str
    observations: str
    actions: str
    files: Tuple[str, ...]
    difference: float

    def __str__(self) -> str:
        lines = [
            f"wrote {self.path} ({self.format})",
            f"  takes    {self.observations}: {self.source}",
            f"  gives    {self.actions}: the most probable actions, not clamped or scaled by action nodes",
            f"  weights  {', '.join(self.files)}",
            f"  differs  by {self.difference:.1e} at most from the agent, on {sum(ROWS)} random observations",
        ]
        return "\n".join(lines)


def export_policy(
    graph: Graph,
    checkpoint_dir: Union[str, PathLike[str]],
    out_path: Union[str, PathLike[str]],
    format: Optional[str] = None,
    node: Optional[str] = None,
) -> PolicyReport:
    """Write the policy of a graph's agent, with the observation normaliser inside.

    Args:
        graph: A checked graph.
        checkpoint_dir: The folder with ``node_{id}/model.pt``.
        out_path: The file.
        format: ``torchscript`` or ``onnx``; by the file's ending where it is not given.
        node: Id or title of the agent, where there are several.

    Raises:
        ExportError: The policy cannot be exported, or the file's actions differ from the agent's by more than 1e-6.
        CheckpointError: Nothing to load, or it does not fit.
        StorageError: The file cannot be written.
    """
    path = Path(out_path)
    kind = _format(path, format)
    trained = load_policy(graph, str(checkpoint_dir), node)
    write = {TORCHSCRIPT: torchscript_bytes, ONNX: onnx_bytes}[kind]
    read = {TORCHSCRIPT: run_torchscript, ONNX: run_onnx}[kind]
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        example = trained.example(2, generator)
        takes, gives = _described(example), _described(trained.policy(example))
        content = write(trained, _about(trained, takes, gives))
        difference = largest_difference(trained, read(content), generator)
    write_bytes(path, content)
    return PolicyReport(path, kind, trained.source, takes, gives, trained.files, difference)


def _format(path: Path, format: Optional[str]) -> str:
    if format in (TORCHSCRIPT, ONNX):
        return str(format)
    if format is not None:
        raise ExportError(f"there is no format {format!r}; expected {TORCHSCRIPT} or {ONNX}")
    kind = ENDINGS.get(path.suffix.lower())
    if kind is None:
        raise ExportError(f"{path.name}: the ending says no format; expected {', '.join(ENDINGS)}, or give the format")
    return kind


def _described(values: Tensor) -> str:
    """Dtype and shape of a batch: ``float32 (N, 4)``."""
    shape = ", ".join(["N", *(str(size) for size in values.shape[1:])])
    return f"{str(values.dtype).replace('torch.', '')} ({shape}{',' if values.dim() == 1 else ''})"


def _about(trained: TrainedPolicy, takes: str, gives: str) -> Dict[str, Any]:
    return {
        "dnne_version": __version__,
        "agent": trained.agent,
        "observations": {"source": trained.source, "values": takes},
        "actions": {"values": gives, "meaning": "most probable actions, not clamped or scaled by action nodes"},
    }


def largest_difference(trained: TrainedPolicy, run: Run, generator: torch.Generator) -> float:
    """Compare a written policy with the agent on random observations, for several batch sizes.

    Raises:
        ExportError: It gives other shapes, or actions that differ by more than 1e-6 of the largest action (of 1, where
            all are smaller).
    """
    differences, scale = [], 1.0
    for rows in ROWS:
        observations = trained.example(rows, generator)
        expected, actual = trained.expected_actions(observations), run(observations)
        if expected.shape != actual.shape or expected.dtype != actual.dtype:
            wanted, got = (f"{value.dtype} {tuple(value.shape)}" for value in (expected, actual))
            raise ExportError(f"the exported policy gives {got} where the agent gives {wanted}")
        differences.append((expected - actual).abs().max())
        scale = max(scale, float(expected.abs().max()))
    largest = float(torch.stack(differences).max())  # NaN, where there is one
    if not largest <= TOLERANCE * scale:
        raise ExportError(
            f"the exported policy differs from the agent by {largest:.3g}, more than {TOLERANCE * scale:.3g}"
        )
    return largest


# TorchScript


def torchscript_bytes(trained: TrainedPolicy, about: Dict[str, Any]) -> bytes:
    """The policy, traced; the batch may have any size."""
    example = trained.example(2, torch.Generator().manual_seed(1))
    buffer = io.BytesIO()
    with _no_deprecation():
        traced = torch.jit.trace(trained.policy, example)
        torch.jit.save(traced, buffer, _extra_files={ABOUT_FILE: json.dumps(about, indent=2).encode()})
    return buffer.getvalue()


def run_torchscript(content: bytes) -> Run:
    """The policy of a TorchScript file."""
    with _no_deprecation():
        return torch.jit.load(io.BytesIO(content))


@contextlib.contextmanager
def _no_deprecation() -> Iterator[None]:
    """Recent versions of torch deprecate TorchScript in favour of torch.export; it is asked for here by name."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r".*torch\.jit\.", category=DeprecationWarning)
        yield


# ONNX


def onnx_bytes(trained: TrainedPolicy, about: Dict[str, Any]) -> bytes:
    """The policy as an ONNX model; the batch may have any size.

    Raises:
        ExportError: What ONNX needs is not installed.
    """
    onnx = _optional("onnx")
    example = trained.example(2, torch.Generator().manual_seed(1))
    options: Dict[str, Any] = {"dynamic_axes": {INPUT: {0: "batch"}, OUTPUT: {0: "batch"}}}
    if _has_new_exporter():
        _optional("onnxscript")
        shapes = {INPUT: {0: torch.export.Dim("batch")}}
        options = {"dynamo": True, "dynamic_shapes": shapes, "external_data": False, "verbose": False}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own code on its own code; the result is compared with the agent
        path = str(Path(folder) / "policy.onnx")
        torch.onnx.export(trained.policy, (example,), path, input_names=[INPUT], output_names=[OUTPUT], **options)
        model = onnx.load(path)
    onnx.helper.set_model_props(model, {ABOUT_FILE: json.dumps(about)})
    return bytes(model.SerializeToString())


def _has_new_exporter() -> bool:
    """From torch 2.9 on the exporter of torch 2.4 is deprecated; before, the new one is unfinished."""
    major, minor = (int(part) for part in torch.__version__.split(".")[:2])
    return (major, minor) >= (2, 9)


def run_onnx(content: bytes) -> Run:
    """The policy of an ONNX file, on ONNX Runtime."""
    session = _optional("onnxruntime").InferenceSession(content, providers=["CPUExecutionProvider"])

    def run(observations: Tensor) -> Tensor:
        (actions,) = session.run([OUTPUT], {INPUT: observations.numpy()})
        return torch.from_numpy(actions)

    return run


def _optional(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ExportError(
            f'ONNX needs {module}, which cannot be imported ({error}): pip install "dnne[onnx]"'
        ) from error
