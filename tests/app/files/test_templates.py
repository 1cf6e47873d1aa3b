"""The examples as templates, and their pictures."""

from pathlib import Path

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor

from app.files.templates import find_templates
from app.files.thumbnails import thumbnail
from app.theme import canvas_colours, category_colour, current_theme
from runtime.workflow import NodeEntry, Workflow

EXAMPLES = Path(__file__).parents[3] / "examples"


def test_all_examples_are_templates():
    assert {template.path.name for template in find_templates()} == {path.name for path in EXAMPLES.glob("*.json")}


def test_damaged_files_are_left_out(tmp_path, caplog):
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "good.json").write_text('{"dnne_workflow": 1, "name": "Good", "description": "Shows it"}')
    (template,) = find_templates(tmp_path)
    assert (template.workflow.name, template.description) == ("Good", "Shows it")
    assert "bad.json" in caplog.text


def colours_of(pixmap):
    image = pixmap.toImage()
    return {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}


def test_a_picture_has_the_nodes_in_the_colours_of_their_categories(qapp, registry):
    (template,) = [t for t in find_templates() if t.path.name == "cartpole_ppo.json"]
    seen = colours_of(thumbnail(template.workflow, registry, QSize(260, 150)))
    for class_type in ("PPOTrainerNode", "IsaacGymEnvNode"):
        assert category_colour(registry.resolve(class_type).category).name() in seen


def test_a_picture_is_drawn_without_node_types_too(qapp):
    workflow = Workflow(nodes={"1": NodeEntry("1", "Unknown", position=(5.0, 5.0))})
    colours = canvas_colours(current_theme())
    assert QColor(colours["node"]).name() in colours_of(thumbnail(workflow, None, QSize(60, 40)))


def test_an_empty_workflow_is_an_empty_picture(qapp):
    assert len(colours_of(thumbnail(Workflow(), None, QSize(20, 10)))) == 1


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_pictures_are_sharp_on_every_screen(qapp, scale):
    picture = thumbnail(Workflow(), None, QSize(20, 10), scale)
    assert (picture.width(), picture.devicePixelRatio()) == (20 * scale, scale)


@pytest.mark.parametrize("template", find_templates(), ids=lambda template: template.path.stem)
def test_every_example_says_what_it_shows_and_fits_a_small_screen(template):
    assert template.workflow.extra.get("description", "").endswith(".")
    across = [entry.position[0] for entry in template.workflow.nodes.values()]
    assert max(across) - min(across) < 1250
