"""Real workflows give the same bits by static schedule and by queues of any size, and a Print changes none."""

import pytest
import torch

from tests.nodes.running import Session, assert_same_bits, workflow_document

ITERATIONS = 40


def documents():
    normalised = workflow_document(
        n3={"observations": ["7", "normalized"]}, n6={"states": ["7", "normalized"], "dones": ["7", "normalized_dones"]}
    )
    normalised["nodes"]["7"] = {
        "class_type": "ObservationNormalizerNode",
        "inputs": {"observations": ["2", "output"], "dones": ["5", "dones"]},
    }
    adaptive = workflow_document(
        n3={"normalize_observations": True, "normalize_values": True, "shared_trunk": True},
        n6={"learning_rate_schedule": "adaptive", "clip_value": True, "target_kl": 0.02},
    )
    return {
        "reference": workflow_document(),
        "with transforms": workflow_document("with_transforms"),
        "normaliser": normalised,
        "adaptive": adaptive,
        "without trigger": workflow_document(n5={"trigger": None}),
    }


DOCUMENTS = documents()


@pytest.fixture(scope="module")
def static_sessions():
    cache = {}

    def get(name):
        if name not in cache:
            cache[name] = Session(DOCUMENTS[name], iterations=ITERATIONS, scheduler="static")
        return cache[name]

    return get


@pytest.mark.parametrize("queue_size", [1, 2, 8])
@pytest.mark.parametrize("name", list(DOCUMENTS))
def test_queues_give_the_bits_of_the_static_schedule(static_sessions, name, queue_size):
    static = static_sessions(name)
    queues = Session(DOCUMENTS[name], iterations=ITERATIONS, scheduler="queues", queue_size=queue_size)
    assert (static.schedule, queues.schedule) == ("static", "queues")
    assert_same_bits(static, queues)
    assert static.metrics[-1][2]["episode/count"] > 4, "episodes ended in this test"


def test_the_graphs_differ_so_that_the_comparison_means_something(static_sessions):
    finals = [
        static_sessions(name).metrics[-1][2]["train/policy_loss"] for name in DOCUMENTS if name != "without trigger"
    ]
    assert len(set(finals)) == len(finals)


def test_another_seed_gives_other_bits(static_sessions):
    other = Session(DOCUMENTS["reference"], iterations=ITERATIONS, seed=1)
    assert other.metrics[-1] != static_sessions("reference").metrics[-1]


def test_the_static_schedule_with_transforms_is_used_by_default():
    session = Session(DOCUMENTS["with transforms"], iterations=2)
    assert session.schedule == "static"
    firings = {stats.node_id: stats.firings for stats in session.result.nodes}
    steps = firings["5"]
    assert steps == 8
    assert firings["7"] == 2 * steps, "once for observations, once for dones"
    assert firings["10"] in (1, 2) and firings["12"] == 1


WIRES = {
    "observations": ("2", "output", ["3"], "observations"),
    "states": ("2", "output", ["6"], "states"),
    "first observations": ("1", "observations", ["2"], "input_a"),
    "following observations": ("5", "observations", ["2"], "input_b"),
    "policy output": ("3", "policy_output", ["4"], "policy_output"),
    "actions": ("4", "actions", ["5"], "actions"),
    "rewards": ("5", "rewards", ["6"], "rewards"),
    "dones": ("5", "dones", ["6"], "dones"),
    "model": ("3", "model", ["6"], "model"),
}


@pytest.mark.parametrize("scheduler", ["static", "queues"])
@pytest.mark.parametrize("wire", list(WIRES))
def test_a_print_on_any_wire_changes_no_bit(static_sessions, wire, scheduler):
    source, output, targets, port = WIRES[wire]
    document = workflow_document()
    document["nodes"]["9"] = {"class_type": "PrintNode", "inputs": {"value": [source, output], "every": 3}}
    for target in targets:
        document["nodes"][target]["inputs"][port] = ["9", "output"]
    session = Session(document, iterations=10, scheduler=scheduler)
    reference = static_sessions("reference")
    assert session.metrics == reference.metrics[:10]


@pytest.mark.parametrize("scheduler", ["static", "queues"])
def test_the_position_of_nodes_in_the_file_changes_no_bit(static_sessions, scheduler):
    document = workflow_document()
    document["nodes"] = dict(sorted(document["nodes"].items(), reverse=True))
    session = Session(document, iterations=10, scheduler=scheduler)
    assert session.metrics == static_sessions("reference").metrics[:10]


def test_in_a_worker_thread(static_sessions):
    import threading

    sessions = []
    thread = threading.Thread(target=lambda: sessions.append(Session(DOCUMENTS["reference"], iterations=ITERATIONS)))
    thread.start()
    thread.join()
    assert_same_bits(static_sessions("reference"), sessions[0])


def test_nothing_draws_from_the_global_generator(static_sessions):
    torch.manual_seed(123)
    before = torch.get_rng_state()
    for name in ("reference", "with transforms"):
        Session(DOCUMENTS[name], iterations=3)
    assert torch.equal(torch.get_rng_state(), before)
