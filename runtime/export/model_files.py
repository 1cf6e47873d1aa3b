"""The files that a robot model names: included ones, meshes, textures, height fields, and models within it.

MuJoCo looks for a file in several folders: in those that ``compiler`` names, in the model's own, and in that of the
included file. What is there in any of them is carried, so that MuJoCo finds the same one in a copy.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Dict, Iterator, List
from xml.etree import ElementTree

from .errors import ExportError

ENDING = ".xml"
ROOTS = ("mujoco", "robot")
FOLDERS = ("assetdir", "meshdir", "texturedir")
NAMES = ("file", "filename", "fileright", "fileleft", "fileup", "filedown", "filefront", "fileback")
INCLUDE, SUBMODEL = "include", "model"


def referenced_files(model: Path) -> List[Path]:
    """All files that a model needs besides its own, each once; none where the file is no model.

    Args:
        model: Its MJCF file.

    Raises:
        ExportError: A file is named by an absolute path, is not there, or is no XML; says which.
    """
    if model.suffix.lower() != ENDING or _read(model).tag not in ROOTS:
        return []
    found: Dict[Path, None] = {}
    models = [_normal(model)]
    while models:
        models += _collect(models.pop(), found)
    return [path for path in found if path != _normal(model)]


def _collect(model: Path, found: Dict[Path, None]) -> List[Path]:
    """Add a model's files. Returns the models within it, which look for theirs from their own folders."""
    trees = _with_includes(model)
    within: List[Path] = []
    elements = [element for tree in trees.values() for element in tree.iter()]
    named = [element.get(folder) for element in elements for folder in FOLDERS]
    folders = ["", *(folder for folder in dict.fromkeys(named) if folder)]
    found.update(dict.fromkeys(trees))
    for source, tree in trees.items():
        for element in tree.iter():
            if element.tag == INCLUDE:
                continue
            for name in _names_in(element):
                files = _files_named(name, source, model.parent, folders)
                within += [path for path in files if element.tag == SUBMODEL and path not in found]
                found.update(dict.fromkeys(files))
    return within


def _with_includes(model: Path) -> Dict[Path, ElementTree.Element]:
    """The model and all that it includes."""
    trees: Dict[Path, ElementTree.Element] = {}
    waiting = [model]
    while waiting:
        path = waiting.pop()
        if path in trees:
            continue
        trees[path] = _read(path)
        names = [name for element in trees[path].iter(INCLUDE) for name in _names_in(element)]
        waiting += [included for name in names for included in _files_named(name, path, model.parent, [""])]
    return trees


def _read(path: Path) -> ElementTree.Element:
    try:
        return ElementTree.parse(str(path)).getroot()  # noqa: S314 - the user's own model, which MuJoCo parses as well
    except (ElementTree.ParseError, LookupError, OSError, ValueError) as error:
        raise ExportError(f"the model {path} cannot be read for the files that it names: {error}") from error


def _names_in(element: ElementTree.Element) -> Iterator[str]:
    for attribute in NAMES:
        name = element.get(attribute)
        if name:
            yield name.replace("\\", "/")


def _files_named(name: str, source: Path, model_folder: Path, folders: List[str]) -> List[Path]:
    """Every file that the name may mean; ``strippath`` lets the last part of it count alone."""
    parents = [start / folder.replace("\\", "/") for start in (model_folder, source.parent) for folder in folders]
    places = {_normal(parent / each): None for parent in parents for each in (name, PurePosixPath(name).name)}
    files = [path for path in places if os.path.isfile(path)]  # noqa: PTH113 - no error where the name is too long
    if not files:
        raise ExportError(f"{source} names the file {name}, which is not there")
    absolute = [text for text in (name, *folders) if _is_absolute(text)]
    if absolute:
        raise ExportError(
            f"{source} names {absolute[0]} by an absolute path, which other machines do not have; write it relative to "
            "the model"
        )
    return files


def _is_absolute(text: str) -> bool:
    return PurePosixPath(text).is_absolute() or PureWindowsPath(text).is_absolute()


def _normal(path: Path) -> Path:
    """Without ``..``, and links in the path left as they are: what counts is how files name one another."""
    return Path(os.path.normpath(path))
