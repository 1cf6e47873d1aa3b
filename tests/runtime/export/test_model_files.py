"""Which files a model names. Where MuJoCo is installed, copies of just these are loaded by it, from another folder."""

import shutil
import struct

import pytest

from runtime.export.errors import ExportError
from runtime.export.model_files import referenced_files


def tetrahedron():
    """A mesh as binary STL."""
    corners = [(0.0, 0.0, 0.0), (0.2, 0.0, 0.0), (0.0, 0.2, 0.0), (0.0, 0.0, 0.2)]
    content = bytes(80) + struct.pack("<I", 4)
    for triangle in ((0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3)):
        numbers = [0.0, 0.0, 0.0, *(number for corner in triangle for number in corners[corner])]
        content += struct.pack("<12f", *numbers) + bytes(2)
    return content


@pytest.fixture
def files(tmp_path):
    """Writes files by name into a folder; a mesh where the content is None."""

    def write(**contents):
        for name, content in contents.items():
            path = tmp_path / "robot" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(tetrahedron() if content is None else content.encode())
        return tmp_path / "robot/model.xml"

    return lambda contents: write(**contents)


def model(inside, compiler="", name="mujoco"):
    return f"<{name}>{compiler}{inside}</{name}>"


def mesh(file):
    return f'<asset><mesh name="m" file="{file}"/></asset>'


BODY = '<worldbody><body name="b"><geom type="mesh" mesh="m"/></body></worldbody>'
MODELS = {
    "beside it": {"model.xml": model(mesh("a.stl") + BODY), "a.stl": None},
    "a folder": {"model.xml": model(mesh("../robot/parts/a.stl") + BODY), "parts/a.stl": None},
    "meshdir": {"model.xml": model(mesh("b/a.stl") + BODY, '<compiler meshdir="parts"/>'), "parts/b/a.stl": None},
    "assetdir": {"model.xml": model(mesh("a.stl") + BODY, '<compiler assetdir="parts/"/>'), "parts/a.stl": None},
    "the last of two": {
        "model.xml": model(mesh("a.stl") + BODY, '<compiler meshdir="no"/><compiler meshdir="yes"/>'),
        "yes/a.stl": None,
    },
    "stripped": {"model.xml": model(mesh("x/y/a.stl") + BODY, '<compiler strippath="true"/>'), "a.stl": None},
    "backslashes": {"model.xml": model(mesh("parts\\a.stl") + BODY), "parts/a.stl": None},
    "included": {
        "model.xml": model('<include file="inc/first.xml"/>' + BODY),
        "inc/first.xml": model('<include file="second.xml"/>', name="mujocoinclude"),
        "inc/second.xml": model(mesh("a.stl"), '<compiler meshdir="parts"/>', "mujocoinclude"),
        "parts/a.stl": None,
    },
    "included from the model's folder": {
        "model.xml": model('<worldbody><include file="inc/first.xml"/></worldbody>'),
        "inc/first.xml": model('<include file="second.xml"/>', name="mujocoinclude"),
        "second.xml": model('<body><geom size="1"/></body>', name="mujocoinclude"),
    },
    "beside the included": {
        "model.xml": model('<include file="inc/first.xml"/>' + BODY),
        "inc/first.xml": model(mesh("a.stl"), name="mujocoinclude"),
        "inc/a.stl": None,
    },
    "a model within": {
        "model.xml": model(
            '<asset><model name="s" file="arm/arm.xml"/></asset>'
            '<worldbody><frame><attach model="s" body="b" prefix="p"/></frame></worldbody>',
            '<compiler meshdir="elsewhere"/>',
        ),
        "arm/arm.xml": model(mesh("a.stl") + BODY, '<compiler meshdir="parts"/>'),
        "arm/parts/a.stl": None,
    },
}


@pytest.mark.parametrize("contents", MODELS.values(), ids=MODELS)
def test_a_copy_of_the_files_that_are_named_is_whole(files, tmp_path, contents):
    path = files({**contents, "other.stl": None})
    named = referenced_files(path)
    assert sorted(str(file.relative_to(path.parent)) for file in named) == sorted(set(contents) - {"model.xml"})
    copy = tmp_path / "copy"
    for file in (path, *named):
        target = copy / file.relative_to(path.parent.parent)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, target)
    shutil.rmtree(path.parent)
    mujoco = pytest.importorskip("mujoco")
    assert mujoco.MjModel.from_xml_path(str(copy / "robot/model.xml")).nbody == 2


def test_textures_height_fields_and_skins_are_found(files):
    sides = ("fileright", "fileleft", "fileup", "filedown", "filefront", "fileback")
    cube = " ".join(f'{side}="{side}.png"' for side in sides)
    asset = f'<asset><texture type="cube" {cube}/><hfield file="h.png"/><skin file="s.skn"/></asset>'
    path = files(
        {
            "model.xml": model(asset, '<compiler texturedir="tex" meshdir="mesh"/>'),
            **{f"tex/{side}.png": "" for side in sides},
            "mesh/h.png": "",
            "mesh/s.skn": "",
        }
    )
    assert len(referenced_files(path)) == 8


def test_a_file_that_several_folders_hold_is_carried_from_all(files):
    path = files({"model.xml": model(mesh("a.stl"), '<compiler meshdir="parts"/>'), "parts/a.stl": None, "a.stl": None})
    assert {file.parent.name for file in referenced_files(path)} == {"parts", "robot"}


def test_a_model_that_includes_itself_ends(files):
    path = files({"model.xml": model('<include file="a.xml"/>'), "a.xml": model('<include file="model.xml"/>')})
    assert [file.name for file in referenced_files(path)] == ["a.xml"]


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ({"model.xml": model(mesh("no.stl"))}, r"model\.xml names the file no\.stl, which is not there"),
        ({"model.xml": model('<include file="no.xml"/>')}, r"model\.xml names the file no\.xml, which is not there"),
        ({"model.xml": "<mujoco>"}, r"model\.xml cannot be read for the files that it names"),
        ({"model.xml": model(mesh("{folder}/a.stl")), "a.stl": None}, r"names /.*/a\.stl by an absolute path"),
        (
            {"model.xml": model(mesh("a.stl"), '<compiler meshdir="{folder}"/>'), "a.stl": None},
            r"names /.*robot by an absolute path, which other machines do not have; write it relative",
        ),
    ],
)
def test_what_cannot_be_carried_is_named(files, tmp_path, contents, message):
    folder = str(tmp_path / "robot")
    path = files({name: text and text.replace("{folder}", folder) for name, text in contents.items()})
    with pytest.raises(ExportError, match=message):
        referenced_files(path)


def test_other_files_name_none(files):
    path = files({"model.xml": "<settings><mesh file='no.stl'/></settings>", "a.txt": "<mujoco>"})
    assert referenced_files(path) == referenced_files(path.with_name("a.txt")) == []


def test_a_long_chain_of_includes_is_followed(files):
    chain = {f"m{index}.xml": model(f'<include file="m{index + 1}.xml"/>') for index in range(1500)}
    path = files({"model.xml": model('<include file="m0.xml"/>'), **chain, "m1500.xml": model("")})
    assert len(referenced_files(path)) == 1501


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('<?xml version="1.0" encoding="no-such"?><mujoco/>', "cannot be read"),
        (model(mesh("a" * 300 + ".stl")), "which is not there"),
    ],
)
def test_what_cannot_be_read_is_one_clear_error(files, content, message):
    with pytest.raises(ExportError, match=message):
        referenced_files(files({"model.xml": content}))
