"""The settings of the next run: a form of the command line's own options, checked as the command line checks them."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, List, Optional

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QTabWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from runtime.errors import DnneError
from runtime.modes import INFER, TRAIN

from ..background import Task, Tasks
from ..dialogs.choose import choose_file, choose_folder
from ..panels.editors.choice import CalmComboBox
from ..panels.widgets import set_style, text_label
from ..theme import icon
from .controller import RunController
from .process_host import check_interpreter
from .run_options import HOSTS, PROCESS, Option, check, options_of

TITLES = {TRAIN: "Train", INFER: "Infer"}
HOST_TEXTS = {"thread": "in the editor", "process": "in a process of its own"}
HOST_TIP = (
    "A process survives no crash of its own, but leaves the editor alone, and may have\n"
    "another Python, such as the one of Isaac Gym."
)
SEVERAL_TEXT = "{count} processes train together: outside the editor, neither paused nor edited while they run."


class OptionField(QWidget):
    """One option: a switch, a choice, or a text with what is wrong with it.

    Signals:
        edited: The new text; empty for the default.
    """

    edited = Signal(str)

    def __init__(self, option: Option, parent: Optional[QWidget] = None):
        super().__init__(parent)
        self.option = option
        self.input: QWidget
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        row = QHBoxLayout()
        row.setSpacing(2)
        layout.addLayout(row)
        if option.is_switch:
            self.input = QCheckBox(self)
            self.input.toggled.connect(lambda on: self.edited.emit("on" if on else ""))
        elif option.choices:
            self.input = CalmComboBox()
            self.input.addItems([f"default: {option.default}", *option.choices])
            self.input.activated.connect(lambda _: self.edited.emit(self.text))
        else:
            self.input = QLineEdit(self, clearButtonEnabled=True, placeholderText=f"default: {option.default}")
            self.input.textEdited.connect(self._typed)
        self.input.setObjectName("option" + "".join(word.capitalize() for word in option.name.split("_")))
        self.input.setAccessibleName(option.label)
        self.input.setToolTip(f"{option.help}\n{option.flag} (default: {option.default})")
        row.addWidget(self.input, 1)
        if option.path:
            row.addWidget(self._browse_button())
        self.hint = text_label("", "error")
        self.hint.hide()
        layout.addWidget(self.hint)

    def _browse_button(self) -> QToolButton:
        tip = f"Choose a {self.option.path}: {self.option.label}"
        button = QToolButton(self, icon=icon("folder", "text"), toolTip=tip)
        button.setAccessibleName(button.toolTip())
        button.setProperty("flat", True)
        button.clicked.connect(self._browse)
        return button

    def _browse(self) -> None:
        folder = Path(self.text) if self.text else None
        choose = choose_folder if self.option.path == "folder" else choose_file
        choose(self.window(), "optionPath", self.option.label, folder, lambda path: self._choose(str(path)))

    def _choose(self, text: str) -> None:
        self.show_text(text)
        self._typed(text)

    def _typed(self, text: str) -> None:
        self._say(self.option.problem(text.strip()))
        self.edited.emit(text.strip())

    def _say(self, problem: str) -> None:
        self.hint.setText(problem)
        self.hint.setVisible(bool(problem))

    @property
    def text(self) -> str:
        """What is set; empty for the default."""
        if isinstance(self.input, QCheckBox):
            return "on" if self.input.isChecked() else ""
        if isinstance(self.input, QComboBox):
            return "" if self.input.currentIndex() == 0 else self.input.currentText()
        assert isinstance(self.input, QLineEdit)
        return self.input.text().strip()

    def show_text(self, text: str) -> None:
        """Show a value that was set elsewhere."""
        blocked = self.input.blockSignals(True)
        if isinstance(self.input, QCheckBox):
            self.input.setChecked(bool(text))
        elif isinstance(self.input, QComboBox):
            self.input.setCurrentIndex(max(self.input.findText(text), 0) if text else 0)
        elif isinstance(self.input, QLineEdit):
            self.input.setText(text)
            self._say(self.option.problem(text))
        self.input.blockSignals(blocked)


class RunSettingsPanel(QWidget):
    """The form. Values go to the controller's options at once, and are kept by the window.

    Signals:
        edited: Something was set.
    """

    edited = Signal()

    def __init__(self, controller: RunController, tasks: Tasks):
        super().__init__()
        self.setObjectName("runSettings")
        self.setAccessibleName("Run settings")
        self.setProperty("panel", True)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._controller, self._tasks = controller, tasks
        self._checking: Optional[Task] = None
        self.fields: Dict[str, Dict[str, OptionField]] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        self._host_group = self._host_box()
        layout.addWidget(self._host_group)
        self.tabs = QTabWidget(self, documentMode=True)
        self.tabs.currentChanged.connect(self._judge)
        layout.addWidget(self.tabs, 1)
        self.verdict = text_label("", "dim")
        self.verdict.setObjectName("runSettingsVerdict")
        layout.addWidget(self.verdict)
        controller.state_changed.connect(lambda _: self._follow_state())

    def build_pages(self) -> None:
        """Make the forms; the options come with torch, which loads behind the window."""
        if self.tabs.count():
            return
        for mode, title in TITLES.items():
            self.tabs.addTab(self._page(mode), title)
        self.show_options()

    # Building

    def _host_box(self) -> QWidget:
        box = QGroupBox("Where it runs", self)
        form = QFormLayout(box)
        self.host = CalmComboBox()
        self.host.setObjectName("optionHost")
        self.host.addItems([HOST_TEXTS[host] for host in HOSTS])
        self.host.setToolTip(HOST_TIP)
        self.host.activated.connect(self._choose_host)
        self.interpreter = QLineEdit(box, objectName="optionInterpreter", placeholderText="the editor's own")
        self.interpreter.setAccessibleName("Interpreter")
        self.interpreter.editingFinished.connect(self._check_interpreter)
        self.interpreter.textEdited.connect(self._type_interpreter)
        browse = QToolButton(box, icon=icon("folder", "text"), toolTip="Choose a Python interpreter")
        browse.setAccessibleName("Choose a Python interpreter")
        browse.setProperty("flat", True)
        browse.clicked.connect(self._browse_interpreter)
        row = QHBoxLayout()
        row.addWidget(self.interpreter, 1)
        row.addWidget(browse)
        self.interpreter_says = text_label("", "dim")
        self.interpreter_says.setObjectName("interpreterSays")
        self.several = text_label("", "dim")
        self.several.setObjectName("severalProcesses")
        form.addRow("Host", self.host)
        form.addRow(self.several)
        form.addRow("Interpreter", row)
        form.addRow("", self.interpreter_says)
        self._browse = browse
        return box

    def _page(self, mode: str) -> QWidget:
        body = QWidget()
        column = QVBoxLayout(body)
        groups: Dict[str, List[Option]] = {}
        for option in options_of(mode):
            groups.setdefault(option.group, []).append(option)
        self.fields[mode] = {}
        for title, options in groups.items():
            box = QGroupBox(title.capitalize(), body)
            form = QFormLayout(box)
            form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
            for option in options:
                form.addRow(self._label(option), self._field(mode, option))
            column.addWidget(box)
        column.addStretch(1)
        area = QScrollArea(widgetResizable=True, frameShape=QScrollArea.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(body)
        return area

    def _label(self, option: Option) -> QLabel:
        return QLabel(option.label, toolTip=option.help)

    def _field(self, mode: str, option: Option) -> OptionField:
        field = OptionField(option)
        field.edited.connect(lambda text: self._put(mode, option.name, text))
        self.fields[mode][option.name] = field
        return field

    # Values

    @property
    def mode(self) -> str:
        """The mode whose page is shown."""
        return list(TITLES)[self.tabs.currentIndex()]

    def show_mode(self, mode: str) -> None:
        """Bring a mode's page to the front."""
        self.tabs.setCurrentIndex(list(TITLES).index(mode))

    def show_options(self) -> None:
        """Show the controller's options, for example those of another workflow."""
        if not self.tabs.count():
            return
        options = self._controller.options
        for mode, fields in self.fields.items():
            for name, field in fields.items():
                field.show_text(options.values[mode].get(name, ""))
        self.interpreter.setText(options.interpreter)
        self._judge()

    def _put(self, mode: str, name: str, text: str) -> None:
        self._controller.options.put(mode, name, text)
        self._changed()

    def _changed(self) -> None:
        self._judge()
        self.edited.emit()

    def _judge(self, _: int = 0) -> None:
        """Say what the runtime thinks of it all, and where the run would be."""
        if not self.fields:
            return
        processes = 1
        try:
            words = self._controller.options.words(self.mode, self._controller.folder().absolute())
            processes = check(words, self.mode)
        except DnneError as error:
            self._say(str(error), "error")
            return
        finally:
            self._show_host(processes)
        self._say("dnne " + " ".join([self.mode, "FILE", *words]), "dim")

    def _say(self, text: str, role: str) -> None:
        self.verdict.setText(text)
        set_style(self.verdict, "role", role)

    # Host

    def _choose_host(self, index: int) -> None:
        self._controller.options.host = HOSTS[index]
        self._changed()

    def _show_host(self, processes: int) -> None:
        """The chosen host; several processes leave no choice."""
        host = self._controller.options.host_for(processes)
        is_process, are_several = host == PROCESS, processes > 1
        self.host.setCurrentIndex(HOSTS.index(host))
        self.host.setEnabled(not are_several)
        self.several.setText(SEVERAL_TEXT.format(count=processes) if are_several else "")
        self.several.setVisible(are_several)
        for widget in (self.interpreter, self._browse):
            widget.setEnabled(is_process)
        self.interpreter_says.setVisible(is_process and bool(self.interpreter_says.text()))

    def _type_interpreter(self, text: str) -> None:
        self._controller.options.interpreter = text.strip()
        self._changed()

    def _browse_interpreter(self) -> None:
        choose_file(self.window(), "interpreterDialog", "Choose a Python interpreter", None, self._take_interpreter)

    def _take_interpreter(self, path: Path) -> None:
        self.interpreter.setText(str(path))
        self._type_interpreter(str(path))
        self._check_interpreter()

    def _check_interpreter(self) -> None:
        """Start the interpreter in the background, and say what it is."""
        path = self.interpreter.text().strip()
        if self._checking is not None:
            self._checking.cancel()
        self._hear("Checking…", "dim")
        self._checking = self._tasks.start(
            lambda tell: check_interpreter(path), lambda says: self._hear(says, "dim"),
            lambda error: self._hear(str(error), "error"),
        )  # fmt: skip

    def _hear(self, text: str, role: str) -> None:
        self.interpreter_says.setText(text)
        set_style(self.interpreter_says, "role", role)
        self.interpreter_says.show()

    def _follow_state(self) -> None:
        for widget in (self.tabs, self._host_group):
            widget.setEnabled(not self._controller.is_active)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Fetch icons again in the colours of a new theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            for button in self.findChildren(QToolButton):
                if button.property("flat"):
                    button.setIcon(icon("folder", "text"))
