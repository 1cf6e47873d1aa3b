"""Texts, lists, paths and JSON."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog


def test_a_text_is_handed_over_key_by_key(make, type_into):
    watched = make("text")
    type_into(watched.editor.input, "ab")
    assert watched.values == ["a", "ab"]


@pytest.mark.parametrize("text", ["64, 32", "64,32", "64 32", "[64, 32]", "64, 32,"])
def test_a_list_is_written_with_commas(make, type_into, text):
    watched = make("sizes")
    type_into(watched.editor.input, text, Qt.Key.Key_Return)
    assert watched.values[-1] == [64, 32]
    assert watched.editor.line.text() == "64, 32"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("64, x", "'x' is not a whole number"), ("64,, 32", "nothing between two commas"), ("0", "out of range"),
        ("1.5", "not a list of whole number"),
    ],
)  # fmt: skip
def test_a_wrong_list_says_what_is_wrong(make, type_into, text, reason):
    watched = make("sizes")
    type_into(watched.editor.input, text)
    assert reason in watched.reason
    assert watched.editor.line.text() == text


def test_an_emptied_list_is_empty(make, type_into):
    watched = make("sizes")
    type_into(watched.editor.input, "")
    assert watched.values == [[]]


def test_lists_of_real_numbers_and_of_texts(make, type_into):
    clip = make("clip")
    type_into(clip.editor.input, "-1, 3e-4", Qt.Key.Key_Return)
    assert clip.values[-1] == [-1.0, 3e-4]
    names = make("names")
    type_into(names.editor.input, "train/*, episode/mean reward", Qt.Key.Key_Return)
    assert names.values[-1] == ["train/*", "episode/mean reward"]


def test_an_optional_number_is_none_when_empty(make, type_into):
    watched = make("limit")
    type_into(watched.editor.input, "2.5")
    type_into(watched.editor.input, "")
    assert watched.values[-2:] == [2.5, None]


def test_anything_else_is_written_as_json(make, type_into):
    watched = make("anything")
    type_into(watched.editor.input, '{"a": [1, true]}')
    assert watched.values[-1] == {"a": [1, True]}
    type_into(watched.editor.input, "{")
    assert "not valid JSON at column" in watched.reason


def test_several_lines_of_text(make, qtbot):
    watched = make("notes")
    watched.editor.input.setFocus()
    qtbot.keyClicks(watched.editor.input, "a")
    qtbot.keyClick(watched.editor.input, Qt.Key.Key_Return)
    qtbot.keyClicks(watched.editor.input, "b")
    assert watched.values[-1] == "a\nb"
    watched.editor.show_value("a\nb")
    assert watched.editor.text.textCursor().position() == 3


@pytest.mark.parametrize(
    ("name", "dialog", "answer"),
    [
        ("folder", "getExistingDirectory", "/data/runs"),
        ("file", "getOpenFileName", ("/data/model.pt", "All files (*)")),
    ],
)
def test_a_path_is_chosen_in_a_dialog(make, qtbot, monkeypatch, name, dialog, answer):
    watched = make(name)
    monkeypatch.setattr(QFileDialog, dialog, lambda *_: answer)
    qtbot.mouseClick(watched.editor.button, Qt.MouseButton.LeftButton)
    path = answer if isinstance(answer, str) else answer[0]
    assert (watched.values, watched.editor.line.text()) == ([path], path)


def test_a_cancelled_dialog_changes_nothing(make, qtbot, monkeypatch):
    watched = make("folder")
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    qtbot.mouseClick(watched.editor.button, Qt.MouseButton.LeftButton)
    assert watched.values == []
