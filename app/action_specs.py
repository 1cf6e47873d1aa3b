"""Every action of the window, declared once: menus, toolbar, shortcuts and the list of shortcuts come from here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Optional, Tuple


@dataclass(frozen=True)
class ActionSpec:
    """One action.

    Attributes:
        name: objectName.
        text: In the menu, with the letter to press marked by ``&``.
        tip: One line: what it does.
        does: What is called, as a path from the window: ``canvas.copy``.
        keys: Shortcuts; the first is shown in the menu.
        icon: Name of the drawing, if it has one.
        argument: Given to what is called; ``None`` for nothing.
        checkable: A switch, whose state is given to what is called.
        group: Exclusive choice to which a checkable action belongs.
        selected: Number of nodes that must be selected.
        on_canvas: The shortcut acts only while the canvas has the focus, since lists use the same key.
    """

    name: str
    text: str
    tip: str
    does: str
    keys: Tuple[str, ...] = ()
    icon: str = ""
    argument: Optional[Any] = None
    checkable: bool = False
    group: str = ""
    selected: int = 0
    on_canvas: bool = False


_ALIGNMENTS = (
    ("Left", "left", "left edges"), ("Right", "right", "right edges"), ("Top", "top", "upper edges"),
    ("Bottom", "bottom", "lower edges"), ("Centre", "centre", "centres, one above the other"),
    ("Middle", "middle", "middles, side by side"),
)  # fmt: skip

PANELS_BELOW = (("problems", "Problems"), ("plots", "Plots"), ("viewer", "Viewer"), ("log", "Log"), ("runs", "Runs"))
"""Name and title of the panels that lie below the canvas, in the order of their shortcuts."""

SPECS: Tuple[ActionSpec, ...] = (
    ActionSpec("actionNew", "&New", "Start an empty workflow", "files.new", ("Ctrl+N",), "new"),
    ActionSpec("actionTemplates", "New from &Template…", "Start from an example", "show_templates", ("Ctrl+Shift+N",),
               "templates"),
    ActionSpec("actionOpen", "&Open…", "Open a workflow file", "files.open", ("Ctrl+O",), "open"),
    ActionSpec("actionClearRecent", "&Clear This List", "Forget the recent files", "settings.clear_recent"),
    ActionSpec("actionSave", "&Save", "Save the workflow", "files.save", ("Ctrl+S",), "save"),
    ActionSpec("actionSaveAs", "Save &As…", "Save the workflow under another name", "files.save_as",
               ("Ctrl+Shift+S",)),
    ActionSpec("actionSaveVersion", "Save &Version",
               "Save as the next numbered version, name-v003.json, and go on there", "files.save_version",
               ("Ctrl+Alt+S",), "save-version"),
    ActionSpec("actionImport", "&Import…", "Read a workflow of the earlier DNNE or of ComfyUI", "files.import_file",
               ("Ctrl+I",), "import"),
    ActionSpec("actionExport", "&Export…", "Write the workflow as a Python folder that runs anywhere with PyTorch",
               "show_export", ("Ctrl+E",), "export"),
    ActionSpec("actionQuit", "&Quit", "Close DNNE", "close", ("Ctrl+Q",)),
    ActionSpec("actionUndo", "&Undo", "Take the last step back", "session.undo", ("Ctrl+Z",), "undo"),
    ActionSpec("actionRedo", "&Redo", "Do the step again", "session.redo", ("Ctrl+Shift+Z", "Ctrl+Y"), "redo"),
    ActionSpec("actionCut", "Cu&t", "Copy the selected nodes and remove them", "canvas.cut", ("Ctrl+X",), "cut",
               selected=1),
    ActionSpec("actionCopy", "&Copy", "Copy the selected nodes and the wires among them", "canvas.copy", ("Ctrl+C",),
               "copy", selected=1),
    ActionSpec("actionPaste", "&Paste", "Put the copied nodes onto the canvas", "canvas.paste", ("Ctrl+V",), "paste"),
    ActionSpec("actionDuplicate", "&Duplicate", "Copy and paste the selected nodes in one step",
               "canvas.duplicate_selection", ("Ctrl+D",), "duplicate", selected=1),
    ActionSpec("actionDelete", "De&lete", "Remove what is selected, with its wires", "canvas.delete_selection",
               ("Del", "Backspace"), "delete", on_canvas=True),
    ActionSpec("actionSelectAll", "Select &All", "Select every node", "canvas.select_all", ("Ctrl+A",)),
    ActionSpec("actionFind", "&Find Node…", "Find a node of this workflow by its title or type", "canvas.open_find",
               ("Ctrl+F",), "search"),
    ActionSpec("actionAddNode", "&Add Node…", "Search for a node type and add it (Tab on the canvas)",
               "canvas.open_search", ("Shift+A",), "add"),
    ActionSpec("actionRename", "&Rename", "Give the selected node another title", "canvas.rename_selected", ("F2",),
               selected=1),
    ActionSpec("actionMute", "&Mute", "Let the selected nodes pass their inputs through, or work again",
               "canvas.mute_selection", ("M", "Ctrl+M"), "mute", selected=1, on_canvas=True),
    ActionSpec("actionCollapse", "&Collapse", "Show only the titles of the selected nodes, or all of them again",
               "canvas.collapse_selection", ("H",), "collapse", selected=1, on_canvas=True),
    ActionSpec("actionGroup", "&Group", "Put a titled backdrop behind the selected nodes", "canvas.group_selection",
               ("Ctrl+G",), "group", selected=1),
    ActionSpec("actionConnect", "&Connect…", "Choose one of all wires that fit the selected node",
               "canvas.connect_selection", ("C",), selected=1, on_canvas=True),
    ActionSpec("actionNextWire", "Select &Next Wire", "Go through the wires of the selected node, or through all",
               "canvas.select_next_wire", ("W",), on_canvas=True),
    ActionSpec("actionReroute", "Add &Reroute Dot", "Put a dot onto the selected wire, by which it can be led",
               "canvas.reroute_selected_wires", ("R",), on_canvas=True),
    ActionSpec("actionWireLabel", "&Label…", "Write a text on the selected wire", "canvas.label_selected_wire", ("L",),
               on_canvas=True),
    ActionSpec("actionNextNode", "Select &Next Node", "Go through the nodes from left to right",
               "canvas.select_next_node", ("N",), on_canvas=True),
    ActionSpec("actionPreviousNode", "Select Pre&vious Node", "Go through the nodes from right to left",
               "canvas.select_previous_node", ("P",), on_canvas=True),
    ActionSpec("actionNextGroup", "Select Next &Group", "Go through the groups", "canvas.select_next_group", ("G",),
               on_canvas=True),
    ActionSpec("actionAutoLayout", "Auto &Layout", "Arrange the nodes in columns, from left to right",
               "canvas.auto_layout", ("Ctrl+L",), "layout"),
    *(
        ActionSpec(f"actionAlign{name}", f"Align &{name}", f"Bring the {what} of the selected nodes to one line",
                   "canvas.align", argument=edge, selected=2)
        for name, edge, what in _ALIGNMENTS
    ),
    ActionSpec("actionDistributeHorizontally", "Distribute &Horizontally", "Make the gaps side by side equal",
               "canvas.distribute", argument="horizontal", selected=3),
    ActionSpec("actionDistributeVertically", "Distribute &Vertically", "Make the gaps one above the other equal",
               "canvas.distribute", argument="vertical", selected=3),
    ActionSpec("actionNextProblem", "Next &Problem", "Go to the next problem of the workflow", "show_next_problem",
               ("F8",), "warning"),
    ActionSpec("actionZoomIn", "Zoom &In", "Show the graph larger", "canvas.zoom_in", ("Ctrl++", "Ctrl+=")),
    ActionSpec("actionZoomOut", "Zoom &Out", "Show more of the graph", "canvas.zoom_out", ("Ctrl+-",)),
    ActionSpec("actionZoomReset", "Zoom to &100 %", "Show the graph in its natural size", "canvas.zoom_reset",
               ("Ctrl+0",)),
    ActionSpec("actionZoomToFit", "Zoom to &Fit", "Show the whole graph", "canvas.zoom_to_fit", ("Home",), "zoom-fit",
               on_canvas=True),
    ActionSpec("actionZoomToSelection", "Zoom to &Selection", "Show what is selected", "canvas.zoom_to_selection",
               (".",), "zoom-selection", selected=1, on_canvas=True),
    ActionSpec("actionSnap", "S&nap to Grid", "Nodes move in steps of the grid", "canvas.set_snap", checkable=True),
    ActionSpec("actionMinimap", "&Minimap", "Show the whole graph in a corner while some of it is out of view",
               "view.set_minimap", checkable=True),
    ActionSpec("actionWireCurved", "&Curved", "Draw wires as curves", "canvas.set_wire_style", argument="curved",
               checkable=True, group="wireStyle"),
    ActionSpec("actionWireStraight", "&Straight", "Draw wires as straight lines", "canvas.set_wire_style",
               argument="straight", checkable=True, group="wireStyle"),
    ActionSpec("actionWireAngled", "&Angled", "Draw wires with right angles", "canvas.set_wire_style",
               argument="angled", checkable=True, group="wireStyle"),
    ActionSpec("actionThemeDark", "&Dark", "Light text on dark", "view.set_theme", argument="dark", checkable=True,
               group="theme"),
    ActionSpec("actionThemeLight", "&Light", "Dark text on light", "view.set_theme", argument="light", checkable=True,
               group="theme"),
    ActionSpec("actionFullScreen", "F&ull Screen", "Use the whole screen", "view.set_full_screen", ("F11",),
               checkable=True),
    ActionSpec("actionResetLayout", "&Reset Window Layout", "Put all panels back to their places",
               "view.reset_layout"),
    *(
        ActionSpec(f"actionGoTo{title}", title, f"Bring the panel {title} to the front",
                   "view.show_panel", (f"Ctrl+{number}",), argument=name)
        for number, (name, title) in enumerate(PANELS_BELOW, start=1)
    ),
    ActionSpec("actionFocusPalette", "Search Nod&e Types", "Go to the palette's search", "view.focus_palette",
               ("Ctrl+P",)),
    ActionSpec("actionNextPanel", "Ne&xt Panel", "Move the keyboard to the next panel", "view.focus_next_panel",
               ("F6",)),
    ActionSpec("actionTrain", "&Train", "Train the workflow as it stands on the canvas", "run_view.train", ("F5",),
               "run"),
    ActionSpec("actionInfer", "&Infer", "Run the trained policy; nothing is trained", "run_view.infer", ("Ctrl+F5",),
               "infer"),
    ActionSpec("actionPause", "&Pause", "Hold the run at the next safe point, or go on", "run_view.toggle_pause",
               ("F7",), "pause"),
    ActionSpec("actionStep", "St&ep", "While paused, go on to the next safe point", "controller.step", ("F10",),
               "step"),
    ActionSpec("actionStop", "&Stop", "End the run in order, and save", "controller.stop", ("Shift+F5",), "stop"),
    ActionSpec("actionAttach", "&Look at a Run…", "Follow the folder of a run that goes on elsewhere, or is over",
               "run_view.choose_run", ("Ctrl+R",), "attach"),
    ActionSpec("actionRunSettings", "Run Settin&gs", "Device, seed, limits, folders and host of the next run",
               "run_view.show_settings", ("F4",), "settings"),
    ActionSpec("actionHeat", "&Heat Overlay", "Tint every node by its share of the run's time",
               "run_view.display.set_heat", ("Ctrl+H",), "heat", checkable=True),
    ActionSpec("actionUnpinProbes", "&Unpin All Probes", "Take all probes off the wires",
               "run_view.display.unpin_all"),
    ActionSpec("actionNodeReference", "&Node Reference", "Explain the selected node", "node_help.show_selected",
               ("F1",), "help"),
    ActionSpec("actionShortcuts", "&Keyboard and Mouse", "List all shortcuts", "show_shortcuts", ("Ctrl+F1",)),
    ActionSpec("actionAbout", "&About DNNE", "Versions and licence", "show_about", icon="info"),
)  # fmt: skip

SEPARATOR = "-"
RECENT, PANELS = "recent", "panels"

Entries = Tuple[Any, ...]
MENUS: Tuple[Tuple[str, str, Entries], ...] = (
    ("menuFile", "&File", (
        "actionNew", "actionTemplates", "actionOpen", (RECENT, "Open &Recent", (SEPARATOR, "actionClearRecent")),
        SEPARATOR,
        "actionSave", "actionSaveAs", "actionSaveVersion", SEPARATOR, "actionImport", "actionExport", SEPARATOR,
        "actionQuit")),
    ("menuEdit", "&Edit", (
        "actionUndo", "actionRedo", SEPARATOR, "actionCut", "actionCopy", "actionPaste", "actionDuplicate",
        "actionDelete",
        SEPARATOR, "actionSelectAll", "actionNextNode", "actionPreviousNode", "actionNextGroup", SEPARATOR,
        "actionFind")),
    ("menuNode", "&Node", (
        "actionAddNode", SEPARATOR, "actionRename", "actionMute", "actionCollapse", "actionGroup", SEPARATOR,
        ("menuWire", "&Wire", ("actionConnect", "actionNextWire", "actionReroute", "actionWireLabel")),
        ("menuAlign", "Al&ign", tuple(f"actionAlign{name}" for name, _, _ in _ALIGNMENTS)),
        ("menuDistribute", "&Distribute", ("actionDistributeHorizontally", "actionDistributeVertically")),
        "actionAutoLayout", SEPARATOR, "actionNextProblem")),
    ("menuView", "&View", (
        "actionZoomIn", "actionZoomOut", "actionZoomReset", "actionZoomToFit", "actionZoomToSelection", SEPARATOR,
        "actionSnap", "actionMinimap",
        ("menuWires", "&Wires", ("actionWireCurved", "actionWireStraight", "actionWireAngled")), SEPARATOR,
        ("menuTheme", "&Theme", ("actionThemeDark", "actionThemeLight")),
        (PANELS, "&Panels", ()), *(f"actionGoTo{title}" for _, title in PANELS_BELOW), SEPARATOR, "actionFocusPalette",
         "actionNextPanel", "actionFullScreen", "actionResetLayout")),
    ("menuRun", "&Run", (
        "actionTrain", "actionInfer", SEPARATOR, "actionPause", "actionStep", "actionStop", SEPARATOR, "actionAttach",
        "actionRunSettings", SEPARATOR, "actionHeat", "actionUnpinProbes")),
    ("menuHelp", "&Help", ("actionNodeReference", "actionShortcuts", SEPARATOR, "actionAbout")),
)  # fmt: skip

TOOLBAR: Entries = (
    "actionNew", "actionOpen", "actionSave", SEPARATOR, "actionUndo", "actionRedo", SEPARATOR, "actionAddNode",
    "actionGroup",
    "actionMute", "actionAutoLayout", SEPARATOR, "actionZoomToFit", "actionFind", SEPARATOR, "actionExport",
    SEPARATOR, "actionTrain", "actionInfer", "actionPause", "actionStep", "actionStop",
)  # fmt: skip
