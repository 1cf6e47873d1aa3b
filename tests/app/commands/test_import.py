import json

import pytest

EARLIER = {
    "3": {"class_type": "IsaacGymEnvNode", "inputs": {"env_name": "Cartpole", "num_envs": 16, "colour": "red"}},
    "4": {"class_type": "NoSuchNode", "inputs": {}},
}


@pytest.fixture
def earlier(folder):
    path = folder / "old flow.json"
    path.write_text(json.dumps(EARLIER))
    return path


def test_a_workflow_is_written_beside_its_source_and_what_was_lost_is_listed(dnne, earlier, folder):
    outcome = dnne("import", earlier)
    assert outcome.code == 0
    target = folder / "old flow-dnne.json"
    workflow = json.loads(target.read_text())
    assert workflow["nodes"]["3"]["inputs"]["num_envs"] == 16
    assert workflow["nodes"]["3"]["inputs"]["task"] == "Cartpole"
    notes = [line for line in outcome.err.splitlines() if line.startswith("note: ")]
    assert any("colour" in note for note in notes)
    assert any("NoSuchNode" in note for note in notes)
    assert outcome.out == f"wrote {target}: 2 nodes, {len(notes)} notes\n"


def test_an_existing_file_is_kept_unless_it_is_forced(dnne, earlier, folder):
    target = folder / "mine.json"
    target.write_text("precious")
    refused = dnne("import", earlier, "-o", target)
    assert refused.code == 2
    assert f"error: {target} exists; give another -o FILE, or --force to write over it" in refused.err
    assert target.read_text() == "precious"
    assert dnne("import", earlier, "-o", target, "--force").code == 0
    assert json.loads(target.read_text())["dnne_workflow"] == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "cannot read"), (b"\xff\xfe\x00", "is not UTF-8 text (byte 0)"), (b"{", "error: "), (b"[]", "error: ")],
)
def test_what_is_no_workflow_is_refused(dnne, folder, content, message):
    path = folder / "w.json"
    if content is not None:
        path.write_bytes(content)
    outcome = dnne("import", path)
    assert outcome.code == 2
    assert message in outcome.err
    assert not (folder / "w-dnne.json").exists()
