"""Both themes are complete, readable, and leave no placeholder behind."""

import re

import pytest
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QLabel

from app.theme import (
    FOLDER,
    THEMES,
    apply_theme,
    canvas_colours,
    category_colour,
    colours,
    current_theme,
    icon,
    style_sheet,
)

CANVAS_ROLES = {"background", "grid", "node", "node_border", "text", "dim_text", "accent", "error", "warning"}
ICONS = sorted(path.stem for path in (FOLDER / "icons").glob("*.svg"))


def _luminance(colour):
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in QColor(colour).getRgbF()[:3]]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first, second):
    """Contrast ratio. WCAG 2.1, definition of relative luminance."""
    light, dark = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_that_of_the_standard():
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ground", ["window", "surface", "field"])
@pytest.mark.parametrize("text", ["text", "dim_text", "error", "warning", "ok", "accent"])
def test_texts_can_be_read(theme, ground, text):
    assert contrast(colours(theme)[text], colours(theme)[ground]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("text", ["text", "dim_text", "error", "warning"])
def test_texts_on_nodes_can_be_read(theme, text):
    assert contrast(canvas_colours(theme)[text], canvas_colours(theme)["node"]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
def test_selected_and_invalid_fields_can_be_read(theme):
    tokens = colours(theme)
    assert contrast(tokens["text"], tokens["selection"]) >= 4.5
    assert contrast(tokens["text"], tokens["error_field"]) >= 4.5
    assert contrast(tokens["accent_text"], tokens["accent"]) >= 4.5


def test_both_themes_give_the_same_roles():
    assert set(colours("dark")) == set(colours("light"))
    assert set(canvas_colours("dark")) == set(canvas_colours("light")) == CANVAS_ROLES


@pytest.mark.parametrize("theme", THEMES)
def test_colours_are_written_as_rrggbb(theme):
    every = {**colours(theme), **{f"canvas {role}": value for role, value in canvas_colours(theme).items()}}
    assert [role for role, value in every.items() if not re.fullmatch("#[0-9a-f]{6}", value)] == []


@pytest.mark.parametrize("theme", THEMES)
def test_the_style_sheet_is_filled_in_and_names_files_that_exist(theme):
    text = style_sheet(theme)
    assert "$" not in text
    for path in re.findall(r'url\("(.+?)"\)', text):
        assert (FOLDER / path).is_file()


def test_a_theme_reaches_the_widgets_and_can_be_changed(qapp):
    label = QLabel("text")
    for theme in THEMES:
        apply_theme(qapp, theme)
        label.ensurePolished()
        assert current_theme() == theme
        assert qapp.palette().color(QPalette.ColorRole.Window).name() == colours(theme)["window"]
        assert label.palette().color(QPalette.ColorRole.WindowText).name() == colours(theme)["text"]


def test_an_unknown_theme_is_refused(qapp):
    with pytest.raises(ValueError, match="there is no theme 'blue'; there are dark, light"):
        apply_theme(qapp, "blue")


@pytest.mark.parametrize("name", ICONS)
def test_every_icon_draws_something_in_the_themes_colour(qapp, name):
    for theme in THEMES:
        apply_theme(qapp, theme)
        image = icon(name, "accent").pixmap(32, 32).toImage()
        opaque = [image.pixelColor(x, y) for x in range(32) for y in range(32) if image.pixelColor(x, y).alpha() == 255]
        assert opaque
        wanted = QColor(colours(theme)["accent"]).getRgb()[:3]
        assert max(abs(a - b) for colour in opaque for a, b in zip(colour.getRgb(), wanted)) <= 2


def test_built_in_categories_have_different_hues(qapp):
    names = ("Environments", "RL", "Control", "Data", "Logging", "Utility")
    for theme in THEMES:
        assert len({category_colour(name, theme).name() for name in names}) == len(names)


def test_a_sub_category_has_its_sections_hue(qapp):
    assert category_colour("RL/Rewards") == category_colour("RL")
