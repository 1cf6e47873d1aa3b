"""From the text of an earlier file to a workflow."""

from __future__ import annotations

import json
import math
from typing import Any, Dict, List, Tuple

from ..errors import WorkflowError
from ..workflow import FORMAT_KEY, Workflow, format_workflow, parse_workflow
from .api_form import is_api_form, read_api_form
from .layout import place_nodes
from .notes import ImportResult, shown
from .rewards import take_rewards_from_step
from .source import SourceWorkflow
from .translate import Translator
from .ui_form import is_ui_form, read_ui_form

EXPECTED = (
    "expected a workflow of the earlier DNNE: the API form, nodes by id with 'class_type' and 'inputs' "
    "(with or without an outer 'prompt'), or the editor's form with a list of 'nodes' and 'links'"
)


def import_workflow(text: str, name: str) -> ImportResult:
    """Read a workflow of the earlier DNNE or of ComfyUI's editor.

    Node ids stay, since they name checkpoint folders. Types without a counterpart stay as placeholders.

    Args:
        text: The file's content.
        name: Name of the new workflow.

    Raises:
        WorkflowError: The text is no JSON or no such workflow, or is a DNNE workflow already; the message says what
            was expected.
    """
    try:
        source = _read(_decode(text))
        take_rewards_from_step(source)
        place_nodes(source)
        nodes = Translator(source).translate()
        workflow = Workflow(name=name, nodes=nodes, groups=source.groups)
        parse_workflow(format_workflow(workflow))
    except RecursionError as error:
        raise WorkflowError("the JSON is nested too deeply") from error
    return ImportResult(workflow, source.notes)


def _decode(text: str) -> Any:
    try:
        document = json.loads(
            text.lstrip("\ufeff"), object_pairs_hook=_object, parse_constant=_refuse_number, parse_float=_finite
        )
        json.dumps(document, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise WorkflowError(f"not valid JSON at {place}: {error.msg}; {EXPECTED}") from error
    except ValueError as error:
        raise WorkflowError(f"not valid JSON: {error}; {EXPECTED}") from error
    return document


def _object(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    result: Dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise WorkflowError(f"{key!r} is given twice in one object ({shown(result[key])} and {shown(value)})")
        result[key] = value
    return result


def _refuse_number(text: str) -> Any:
    raise WorkflowError(f"{text} is no JSON number; values are finite")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse_number(text)


def _read(document: Any) -> SourceWorkflow:
    source = SourceWorkflow()
    if isinstance(document, dict) and FORMAT_KEY in document:
        raise WorkflowError("this is a DNNE workflow already: it needs no import, open it as it is")
    document = _without_wrapping(document, source)
    if is_ui_form(document):
        read_ui_form(document, source)
    elif is_api_form(document):
        read_api_form(document, source)
    else:
        raise WorkflowError(f"{shown(document)} is no workflow; {EXPECTED}")
    return source


def _without_wrapping(document: Any, source: SourceWorkflow) -> Any:
    """The nodes of the API form, which may stand under ``prompt``."""
    prompt = document.get("prompt") if isinstance(document, dict) else None
    if not isinstance(prompt, dict) or "class_type" in prompt:
        return document
    others = sorted(set(document) - {"prompt"})
    if others:
        source.note(None, "", f"parts of the file beside 'prompt' were left out: {', '.join(others)}")
    return prompt
