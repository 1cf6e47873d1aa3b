"""Colours and fonts of the canvas."""

from __future__ import annotations

from typing import Dict, Mapping

from PySide6.QtGui import QColor, QFont

from ..theme import category_colour

DARK: Dict[str, str] = {
    "background": "#1b1d22",
    "grid": "#272a31",
    "node": "#2a2e36",
    "node_border": "#3d434e",
    "text": "#e6e8ec",
    "dim_text": "#98a0ad",
    "accent": "#4c9be8",
    "error": "#e5534b",
    "warning": "#e0a93b",
}

LIGHT: Dict[str, str] = {
    "background": "#f2f3f5",
    "grid": "#e1e4e8",
    "node": "#ffffff",
    "node_border": "#c5cad3",
    "text": "#1f2430",
    "dim_text": "#626b7a",
    "accent": "#1f6fd0",
    "error": "#cf352c",
    "warning": "#a86d00",
}

LIGHTEST_ON_LIGHT = 118

GROUP_COLOURS: Dict[str, str] = {
    "Blue": "#4c7fc4",
    "Green": "#4f9a68",
    "Purple": "#8a68bd",
    "Orange": "#c07f45",
    "Red": "#b85a5a",
    "Grey": "#7a8290",
}


class Theme:
    """Colours by name, ready to paint with; what is not given is taken from the dark theme."""

    def __init__(self, colours: Mapping[str, str]):
        values = {**DARK, **colours}
        self.background = QColor(values["background"])
        self.grid = QColor(values["grid"])
        self.node = QColor(values["node"])
        self.node_border = QColor(values["node_border"])
        self.text = QColor(values["text"])
        self.dim_text = QColor(values["dim_text"])
        self.accent = QColor(values["accent"])
        self.error = QColor(values["error"])
        self.warning = QColor(values["warning"])
        self.is_dark = self.background.lightness() < 128

    def category(self, category: str) -> QColor:
        """A category's hue, the same as in the palette; grey where the category is not known."""
        return category_colour(category, "dark" if self.is_dark else "light") if category else self.dim_text

    def header(self, category: str) -> QColor:
        """The tint of a node's header: the category's hue, softened by the node's colour."""
        return blend(self.node, self.category(category), 0.34 if self.is_dark else 0.24)

    def port(self, colour: str) -> QColor:
        """A port type's colour, dark enough to be seen on a light background."""
        chosen = QColor(colour)
        if not self.is_dark and chosen.lightness() > LIGHTEST_ON_LIGHT:
            chosen.setHsl(max(chosen.hslHue(), 0), chosen.hslSaturation(), LIGHTEST_ON_LIGHT)
        return chosen

    def severity(self, severity: str) -> QColor:
        """Red for errors, yellow for warnings."""
        return self.error if severity == "error" else self.warning


def blend(first: QColor, second: QColor, share: float) -> QColor:
    """A colour between two; ``share`` of the second."""
    mixed = [round(a + (b - a) * share) for a, b in zip(first.getRgb()[:3], second.getRgb()[:3])]
    return QColor(*mixed)


def font(pixels: int, bold: bool = False, italic: bool = False) -> QFont:
    """The application's font in a size of the canvas."""
    chosen = QFont()
    chosen.setPixelSize(pixels)
    chosen.setItalic(italic)
    if bold:
        chosen.setWeight(QFont.Weight.DemiBold)
    return chosen
