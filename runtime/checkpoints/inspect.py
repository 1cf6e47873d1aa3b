"""Checkpoints and resume states described as text, for ``dnne inspect-checkpoint``."""

from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

import torch

from ..atomic import PathLike
from ..errors import CheckpointError
from .disk import format_bytes
from .layout import BEST_FOLDER, MODEL_FILE, NODE_KIND, history, node_folders
from .metadata import dtype_name
from .resume import RESUME_FOLDER, RESUME_KIND, STATE_FILE, ResumeStore
from .state_codec import named_tensors
from .tensor_file import Content, read_tensor_file

_RIGHT = {"iteration", "steps", "elements", "bytes"}
_NODE_COLUMNS = (
    "node",
    "class",
    "title",
    "iteration",
    "steps",
    "metric",
    "saved because",
    "created",
    "kept",
    "problem",
)
_TENSOR_COLUMNS = ("tensor", "shape", "dtype", "elements", "bytes", "flags")


def describe_checkpoint(path: PathLike) -> str:
    """Return tables of what a checkpoint holds.

    Args:
        path: A folder of checkpoints, a run folder, the folder of one node, or a ``model.pt`` or ``state.pt``.

    Raises:
        CheckpointError: there is no checkpoint, or the one file that was asked for cannot be read.
    """
    target = Path(path)
    if target.is_file():
        return _describe_file(target)
    if (target / MODEL_FILE).is_file():
        return _describe_node(target)
    if (target / STATE_FILE).is_file():
        return _describe_resume_file(target / STATE_FILE)
    parts = [_describe_folder(folder) for folder in _checkpoint_folders(target)]
    resume = _describe_resume(target)
    parts += [resume] if resume else []
    if not parts:
        raise CheckpointError(_nothing_found(target))
    return "\n\n".join(parts)


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return rows as aligned text under their headings. Columns without content are left out."""
    texts = [["" if cell is None else str(cell) for cell in row] for row in rows]
    used = [index for index in range(len(columns)) if any(row[index] for row in texts)]
    widths = {index: max(len(row[index]) for row in [list(columns), *texts]) for index in used}

    def line(cells: Sequence[str]) -> str:
        aligned = [
            cells[index].rjust(widths[index]) if columns[index] in _RIGHT else cells[index].ljust(widths[index])
            for index in used
        ]
        return "  ".join(aligned).rstrip()

    return "\n".join([line(columns), line(["-" * widths.get(i, 0) for i in range(len(columns))]), *map(line, texts)])


def _checkpoint_folders(target: Path) -> List[Path]:
    return [folder for folder in (target, target / "checkpoints") if node_folders(folder)]


def _nothing_found(target: Path) -> str:
    expected = (
        f"expected a folder with node_ID/{MODEL_FILE}, a run folder, a node's folder, {MODEL_FILE} or {STATE_FILE}"
    )
    if not target.exists():
        return f"{target} does not exist; {expected}"
    names = sorted(entry.name for entry in target.iterdir() if not entry.name.startswith("."))
    found = ", ".join(names[:8]) or "nothing"
    return f"{target} holds no checkpoint: found {found}; {expected}"


def _describe_folder(folder: Path) -> str:
    rows, details = [], []
    for node_id, node in node_folders(folder).items():
        content, problem = _try_read(node / MODEL_FILE, NODE_KIND)
        rows.append(_node_row(node_id, node, content, problem))
        if content is not None:
            details.append(_tensor_section(f"node {node_id}: {node / MODEL_FILE}", content))
    return "\n\n".join([f"Checkpoints in {folder}\n\n" + table(_NODE_COLUMNS, rows), *details])


def _describe_node(folder: Path) -> str:
    content = read_tensor_file(folder / MODEL_FILE, NODE_KIND)
    row = _node_row(content.metadata.get("node_id"), folder, content, None)
    return table(_NODE_COLUMNS, [row]) + "\n\n" + _tensor_section(str(folder / MODEL_FILE), content)


def _describe_file(path: Path) -> str:
    if path.name == STATE_FILE:
        return _describe_resume_file(path)
    content = read_tensor_file(path, NODE_KIND)
    row = _node_row(content.metadata.get("node_id"), None, content, None)
    return table(_NODE_COLUMNS, [row]) + "\n\n" + _tensor_section(str(path), content)


def _describe_resume_file(path: Path) -> str:
    return _tensor_section(f"Resume state {path}", read_tensor_file(path, RESUME_KIND))


def _describe_resume(target: Path) -> Optional[str]:
    run = target.parent if target.name == RESUME_FOLDER else target
    rows = []
    for entry in ResumeStore(run).entries():
        content, problem = _try_read(entry.path / STATE_FILE, RESUME_KIND)
        metadata = content.metadata if content is not None else {}
        size = None if content is None else format_bytes(_total_bytes(content.state))
        created, reason = metadata.get("created"), metadata.get("reason")
        rows.append((entry.path.name, entry.iteration, entry.step, size, reason, created, problem))
    columns = ("resume state", "iteration", "steps", "bytes", "saved because", "created", "problem")
    return f"Resume states in {run / RESUME_FOLDER}\n\n" + table(columns, rows) if rows else None


def _try_read(path: Path, kind: str) -> Tuple[Optional[Content], Optional[str]]:
    try:
        return read_tensor_file(path, kind), None
    except CheckpointError as error:
        return None, str(error)


def _node_row(
    node_id: Any, folder: Optional[Path], content: Optional[Content], problem: Optional[str]
) -> Sequence[Any]:
    metadata = content.metadata if content is not None else {}
    return (
        node_id,
        metadata.get("class_type"),
        metadata.get("title"),
        metadata.get("iteration"),
        metadata.get("step"),
        _metric_text(metadata.get("metric")),
        metadata.get("reason"),
        metadata.get("created"),
        _kept_text(folder),
        problem,
    )


def _metric_text(metric: Any) -> str:
    return f"{metric.get('name')} = {metric.get('value')}" if isinstance(metric, dict) else ""


def _kept_text(folder: Optional[Path]) -> str:
    if folder is None:
        return ""
    kept = [str(iteration) for iteration in history(folder)]
    parts = [f"iterations {', '.join(kept)}"] if kept else []
    best = folder / BEST_FOLDER / MODEL_FILE
    if best.is_file():
        content, _ = _try_read(best, NODE_KIND)
        parts.append("best damaged" if content is None else f"best {content.metadata.get('iteration')}")
    return "; ".join(parts)


def _tensor_section(heading: str, content: Content) -> str:
    tensors = dict(named_tensors(content.state))
    count = sum(tensor.numel() for tensor in tensors.values())
    total = f"{len(tensors)} tensors, {count:,} elements, {format_bytes(_total_bytes(content.state))}"
    lines = [heading, f"{total}; {_versions_text(content.metadata)}"]
    if tensors:
        lines += ["", table(_TENSOR_COLUMNS, [_tensor_row(name, tensor) for name, tensor in tensors.items()])]
    return "\n".join(lines)


def _tensor_row(name: str, tensor: torch.Tensor) -> Sequence[Any]:
    shape = str(tuple(tensor.shape))
    return name, shape, dtype_name(tensor), f"{tensor.numel():,}", f"{_bytes(tensor):,}", _flags(tensor)


def _flags(tensor: torch.Tensor) -> str:
    if not (tensor.is_floating_point() or tensor.is_complex()):
        return ""
    flags = {"NaN": bool(torch.isnan(tensor).any()), "infinite": bool(torch.isinf(tensor).any())}
    return ", ".join(name for name, is_set in flags.items() if is_set)


def _versions_text(metadata: Dict[str, Any]) -> str:
    versions = metadata.get("versions")
    if not isinstance(versions, dict):
        return "versions unknown"
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _total_bytes(state: Any) -> int:
    return sum(_bytes(tensor) for _, tensor in named_tensors(state))


def _bytes(tensor: torch.Tensor) -> int:
    return tensor.numel() * tensor.element_size()
