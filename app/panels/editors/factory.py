"""Chooses the editor of a declaration."""

from __future__ import annotations

from typing import Any, Dict, List, Union, get_args, get_origin

from app.panels.number_text import format_number, parse_number
from runtime.parameters import Parameter

from .base import ValueEditor
from .choice import ChoiceEditor, SwitchEditor
from .mapping import MappingEditor
from .number import NumberEditor
from .path import PathEditor
from .text import JsonEditor, ListEditor, MultilineEditor, OptionalEditor, TextEditor


def make_editor(declared: Parameter) -> ValueEditor:
    """The editor that suits a parameter's type, choices and widget hint; JSON where nothing else does."""
    annotation = declared.annotation
    if declared.choices:
        return ChoiceEditor(declared)
    if annotation is bool:
        return SwitchEditor()
    if annotation in (int, float):
        return NumberEditor(declared, annotation is int)
    if annotation is str:
        return _text_editor(declared)
    return _compound_editor(declared, annotation)


def _text_editor(declared: Parameter) -> ValueEditor:
    if declared.widget in ("file", "folder"):
        return PathEditor(declared, declared.widget == "folder")
    if declared.widget == "multiline":
        return MultilineEditor(declared)
    return TextEditor(declared)


def _compound_editor(declared: Parameter, annotation: Any) -> ValueEditor:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (list, List) and arguments[0] in (int, float, str):
        return ListEditor(declared, arguments[0])
    if origin in (dict, Dict):
        return MappingEditor(declared, make_editor)
    optional = [option for option in arguments if option is not type(None)]
    if origin is Union and len(optional) == 1 and len(arguments) == 2 and optional[0] in (int, float, str):
        return _optional_editor(declared, optional[0])
    return JsonEditor(declared)


def _optional_editor(declared: Parameter, kind: type) -> OptionalEditor:
    if kind is str:
        return OptionalEditor(declared, str, str)
    return OptionalEditor(declared, lambda text: parse_number(text.strip(), kind is int), format_number)
