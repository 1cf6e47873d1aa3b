"""A file of tensors with a JSON header inside: the one format of model checkpoints and resume states.

The file is what ``torch.save`` writes for a flat dict from name to tensor, so that plain PyTorch can read it too:
``torch.load(path, weights_only=True)["policy/0.weight"]``. One reserved entry holds JSON (UTF-8 bytes as a uint8
tensor): kind and version of the format, the metadata, and the outline that turns the flat table into the nested state
again. Because the header travels in the same file, it can never belong to other tensors.

Nothing in such a file is ever executed. Beside ``weights_only=True``, archives are looked at before torch sees them:
TorchScript archives, compressed entries and the tar and raw-pickle forms of old torch versions are refused (torch
before 2.6 could be made to run code through them in spite of ``weights_only``, CVE-2025-32434), and the checksums,
which torch does not verify, are verified.
"""

import io
import json
import zipfile
from pathlib import Path
from typing import Any, BinaryIO, Dict, List, Mapping, NamedTuple, Tuple

import torch

from ..atomic import PathLike, save_tensors
from ..errors import CheckpointError
from .state_codec import flatten_state, restore_state

HEADER_KEY = "__dnne__"
FORMAT_VERSION = 1

_BROKEN = "the file is truncated or damaged"


class Content(NamedTuple):
    """What a tensor file holds."""

    state: Any
    metadata: Dict[str, Any]


def write_tensor_file(path: PathLike, kind: str, state: Mapping[Any, Any], metadata: Mapping[str, Any]) -> None:
    """Write nested state and JSON metadata atomically.

    Raises:
        CheckpointError: an entry of the state cannot be stored; names its path.
        StorageError: the file cannot be written; the old file is as it was.
    """
    save_tensors(path, _table(kind, state, metadata))


def encode_tensor_file(kind: str, state: Mapping[Any, Any], metadata: Mapping[str, Any]) -> bytes:
    """The content of such a file.

    Raises:
        CheckpointError: an entry of the state cannot be stored; names its path.
    """
    buffer = io.BytesIO()
    torch.save(_table(kind, state, metadata), buffer)
    return buffer.getvalue()


def _table(kind: str, state: Mapping[Any, Any], metadata: Mapping[str, Any]) -> Dict[str, torch.Tensor]:
    tensors, outline = flatten_state(state)
    if HEADER_KEY in tensors:
        raise CheckpointError(f"the state has an entry {HEADER_KEY!r}, a name that is reserved; rename the entry")
    header = {"kind": kind, "format_version": FORMAT_VERSION, "metadata": dict(metadata), "outline": outline}
    encoded = json.dumps(header, allow_nan=False).encode("ascii")
    return {**tensors, HEADER_KEY: torch.frombuffer(bytearray(encoded), dtype=torch.uint8)}


def read_tensor_file(path: PathLike, kind: str) -> Content:
    """Read what :func:`write_tensor_file` wrote, with all tensors in main memory.

    Raises:
        CheckpointError: the file is missing, unreadable, truncated, damaged, not of DNNE, of another kind or version,
            or holds something else than tensors; the message names file, expected and found.
    """
    source = Path(path)
    try:
        with source.open("rb") as file:
            return _read(source, file, kind)
    except OSError as error:
        raise CheckpointError(f"{source} cannot be read: {error.strerror or error}") from error


def decode_tensor_file(name: PathLike, content: bytes, kind: str) -> Content:
    """What :func:`read_tensor_file` returns, from the content of a file.

    Args:
        name: Of the file, for messages.

    Raises:
        CheckpointError: as there.
    """
    return _read(Path(name), io.BytesIO(content), kind)


def _read(source: Path, file: BinaryIO, kind: str) -> Content:
    _check_archive(source, file)
    file.seek(0)
    tensors, header = _split(source, _load_tensors(source, file))
    _check_header(source, header, kind)
    try:
        state = restore_state(tensors, header["outline"])
    except (CheckpointError, RecursionError) as error:
        raise CheckpointError(f"{source}: {error}") from error
    return Content(state, header["metadata"])


def _check_archive(path: Path, file: BinaryIO) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            _refuse_foreign_archives(path, archive.infolist())
            damaged = archive.testzip()
    except CheckpointError:
        raise
    except Exception as error:
        raise CheckpointError(f"{path}: {_BROKEN}, or it was not written by DNNE: {error}") from error
    if damaged is not None:
        raise CheckpointError(f"{path}: {_BROKEN}: the checksum of its entry {damaged!r} is wrong")


def _refuse_foreign_archives(path: Path, entries: List[zipfile.ZipInfo]) -> None:
    if any(entry.filename.endswith("constants.pkl") for entry in entries):
        raise CheckpointError(f"{path} is a TorchScript archive, which holds code; expected a checkpoint of tensors")
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise CheckpointError(
            f"{path} has compressed entries, which torch never writes; expected a checkpoint of tensors"
        )


def _load_tensors(path: Path, file: BinaryIO) -> Dict[str, torch.Tensor]:
    try:
        loaded = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        raise CheckpointError(
            f"{path} was refused: it is damaged, or holds something other than tensors, which is never loaded because "
            f"it could run code ({type(error).__name__}); expected a checkpoint of tensors"
        ) from error
    if not isinstance(loaded, dict) or not all(
        isinstance(name, str) and isinstance(tensor, torch.Tensor) for name, tensor in loaded.items()
    ):
        raise CheckpointError(f"{path} was not written by DNNE: expected a flat dict from name to tensor")
    return loaded


def _split(path: Path, loaded: Dict[str, torch.Tensor]) -> Tuple[Dict[str, torch.Tensor], Any]:
    encoded = loaded.pop(HEADER_KEY, None)
    if encoded is None:
        raise CheckpointError(f"{path} was not written by DNNE: its metadata, the entry {HEADER_KEY!r}, is missing")
    if encoded.dtype is not torch.uint8 or encoded.dim() != 1:
        raise CheckpointError(f"{path}: its metadata, the entry {HEADER_KEY!r}, is damaged: expected bytes")
    try:
        return loaded, json.loads(bytes(encoded.tolist()).decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: its metadata, the entry {HEADER_KEY!r}, is no JSON: {error}") from error


def _check_header(path: Path, header: Any, kind: str) -> None:
    if not isinstance(header, dict):
        raise CheckpointError(f"{path}: its metadata, the entry {HEADER_KEY!r}, is no JSON object")
    if header.get("format_version") != FORMAT_VERSION:
        raise CheckpointError(
            f"{path} has format version {header.get('format_version')!r}; this version of DNNE reads version "
            f"{FORMAT_VERSION}: use the version of DNNE that wrote it"
        )
    if header.get("kind") != kind:
        raise CheckpointError(f"{path} is a {header.get('kind')!r}; expected a {kind!r}")
    if not isinstance(header.get("metadata"), dict) or "outline" not in header:
        raise CheckpointError(f"{path}: its metadata, the entry {HEADER_KEY!r}, is incomplete")
