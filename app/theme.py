"""The look of the editor: two themes of one style sheet, icons in the theme's colours, and a hue for each category."""

from __future__ import annotations

import functools
import json
import zlib
from pathlib import Path
from string import Template
from typing import Any, Dict, Tuple

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QImage, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

import resources

FOLDER = Path(resources.__file__).parent / "theme"
THEMES = ("dark", "light")
ICON_SIZES = (16, 24, 32)
CATEGORY_COLOURS = {
    "dark": ("#6aa5f8", "#4fb3a5", "#e0a458", "#c08be0", "#e57f94", "#8cbf63", "#5fb7d9", "#b59a7a"),
    "light": ("#2f6fd6", "#17897a", "#b4701a", "#8c4fb5", "#c2415e", "#55872a", "#1f7fa6", "#84694a"),
}
PLOT_COLOURS = {
    "dark": ("#56b4e9", "#e69f00", "#2bb98f", "#dd8fc0", "#f0e442", "#e8703a", "#b9c1cc"),
    "light": ("#0072b2", "#c25a00", "#00855f", "#b0508a", "#7a6a00", "#3a3f47", "#2f9fd8"),
}
"""Told apart by people with any kind of colour vision, after Okabe and Ito 2008, "Color Universal Design"."""
SECTIONS = ("RL", "Environments", "Control", "Networks", "Logging", "Data", "Utility")
_THEME_PROPERTY = "dnneTheme"
_ARROWS = ("chevron-down", "chevron-up", "chevron-right", "check")


def apply_theme(app: QApplication, name: str) -> None:
    """Give the whole program one look; widgets get a ``StyleChange`` event and fetch their icons again.

    Raises:
        ValueError: There is no such theme.
    """
    tokens = colours(name)
    app.setProperty(_THEME_PROPERTY, name)
    if app.style().objectName().lower() != "fusion":
        app.setStyle("Fusion")
    app.setPalette(_palette(tokens))
    app.setStyleSheet(style_sheet(name))


def current_theme() -> str:
    """Name of the theme that was applied last; ``dark`` before that."""
    app = QApplication.instance()
    return (app.property(_THEME_PROPERTY) if app is not None else None) or "dark"


def colours(name: str) -> Dict[str, str]:
    """Colours of the panels by role, as ``#rrggbb``.

    Raises:
        ValueError: There is no such theme.
    """
    return {role: colour for role, colour in _read(name).items() if role != "canvas"}


def canvas_colours(name: str) -> Dict[str, str]:
    """Colours of the canvas by role: background, grid, node, node_border, text, dim_text, accent, error, warning.

    Raises:
        ValueError: There is no such theme.
    """
    return dict(_read(name)["canvas"])


def category_colour(category: str, theme: str = "") -> QColor:
    """The hue of a palette section and of its nodes; sub-sections (``RL/Rewards``) have their section's hue."""
    hues = CATEGORY_COLOURS[theme or current_theme()]
    section = category.split("/")[0]
    place = SECTIONS.index(section) if section in SECTIONS else zlib.crc32(section.encode())
    return QColor(hues[place % len(hues)])


def plot_colours(theme: str) -> Tuple[str, ...]:
    """Colours of curves, the first for the run that goes on.

    Raises:
        KeyError: There is no such theme.
    """
    return PLOT_COLOURS[theme]


def style_sheet(name: str) -> str:
    """The style sheet with a theme's colours filled in."""
    arrows = {arrow.replace("-", "_"): (FOLDER / "arrows" / f"{arrow}-{name}.svg").as_posix() for arrow in _ARROWS}
    return Template((FOLDER / "style.qss").read_text(encoding="utf-8")).substitute(colours(name), **arrows)


def icon(name: str, role: str = "dim_text") -> QIcon:
    """An icon of ``resources/theme/icons`` in the colour of a role of the current theme.

    Raises:
        KeyError: There is no such role.
        OSError: There is no such icon.
    """
    tokens = colours(current_theme())
    result = QIcon()
    for mode, colour in ((QIcon.Mode.Normal, tokens[role]), (QIcon.Mode.Disabled, tokens["border"])):
        for size in ICON_SIZES:
            result.addPixmap(QPixmap.fromImage(_drawn(name, colour, size)), mode)
    return result


@functools.lru_cache(maxsize=None)
def _drawn(name: str, colour: str, size: int) -> QImage:
    """An image, since a pixmap must not outlive the application."""
    drawing = (FOLDER / "icons" / f"{name}.svg").read_text(encoding="utf-8").replace("currentColor", colour)
    image = QImage(size, size, QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    QSvgRenderer(QByteArray(drawing.encode())).render(painter, QRectF(0, 0, size, size))
    painter.end()
    return image


@functools.lru_cache(maxsize=None)
def _read(name: str) -> Dict[str, Any]:
    if name not in THEMES:
        raise ValueError(f"there is no theme {name!r}; there are {', '.join(THEMES)}")
    tokens: Dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return tokens


def _palette(tokens: Dict[str, str]) -> QPalette:
    role = QPalette.ColorRole
    roles = {
        role.Window: "window", role.WindowText: "text", role.Base: "field", role.AlternateBase: "surface",
        role.Text: "text", role.PlaceholderText: "faint_text", role.Button: "raised", role.ButtonText: "text",
        role.BrightText: "error", role.Highlight: "selection", role.HighlightedText: "text", role.Link: "accent",
        role.LinkVisited: "accent", role.ToolTipBase: "raised", role.ToolTipText: "text", role.Light: "hover",
        role.Midlight: "raised", role.Mid: "border", role.Dark: "border", role.Shadow: "field",
    }  # fmt: skip
    palette = QPalette()
    for key, token in roles.items():
        palette.setColor(key, QColor(tokens[token]))
    for key in (role.WindowText, role.Text, role.ButtonText, role.HighlightedText):
        palette.setColor(QPalette.ColorGroup.Disabled, key, QColor(tokens["faint_text"]))
    return palette
