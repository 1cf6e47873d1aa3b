"""The policy alone: the same actions as the agent, for every kind of network, read back from the file."""

import builtins
import io
import json

import pytest
import torch

from runtime.checkpoints import node_metadata, save_node_checkpoint
from runtime.context import RunContext
from runtime.errors import CheckpointError
from runtime.export import ExportError, export_policy
from runtime.export.policy import Policy, TrainedPolicy, load_policy
from runtime.export.policy_export import (
    ABOUT_FILE,
    largest_difference,
    onnx_bytes,
    run_onnx,
    run_torchscript,
    torchscript_bytes,
)
from runtime.rl.actor_critic import ActorCritic
from runtime.rl.normalization import RunningMeanStd
from runtime.spaces import Box, Discrete, MultiDiscrete
from runtime.specs import Spec
from runtime.validation import build_graph
from runtime.workflow import NodeEntry

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")

NETWORKS = {
    "gaussian": ((4,), Box((2,)), {}),
    "shared": ((4,), Box((2,)), {"shared_trunk": True, "activation": "tanh"}),
    "fixed sigma": ((4,), Box((3,)), {"sigma": "fixed", "activation": "relu"}),
    "state sigma": ((4,), Box((3,)), {"sigma": "state", "activation": "silu"}),
    "normalised": ((4,), Box((1,)), {"normalize_observations": True, "observation_clip": 2.0}),
    "normalised values": ((4,), Box((1,)), {"normalize_values": True}),
    "matrix observations": ((3, 5), Box((1,)), {"normalize_observations": True}),
    "privileged critic": ((4,), Box((1,)), {"critic_observation_shape": (9,)}),
    "discrete": ((4,), Discrete(5), {}),
    "multi-discrete": ((4,), MultiDiscrete((3, 2, 4)), {}),
    "small images": ((3, 16, 16), Box((2,)), {}),
    "large images": ((1, 48, 40), Discrete(4), {"shared_trunk": True}),
    "byte images": ((3, 16, 16), Box((2,)), {"dtype": "uint8"}),
}


def trained(name):
    """A network whose weights and statistics are far from their start."""
    shape, space, options = NETWORKS[name]
    options = dict(options)
    dtype = options.pop("dtype", "float32")
    generator = torch.Generator().manual_seed(3)
    network = ActorCritic(shape, space, generator=generator, hidden_sizes=(16, 8), **options)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator) / len(shape))
    batch = 5.0 + 3.0 * torch.randn((50, *shape), generator=generator)
    network.update_normalizer(batch, torch.randn((50, *network.critic_observation_shape), generator=generator))
    network.eval()
    return TrainedPolicy(Policy(network), network, (), "agent", "env", Spec((None, *shape), dtype), ())


def onnx_is_missing():
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
    except ImportError:
        return True
    return False


needs_onnx = pytest.mark.skipif(onnx_is_missing(), reason="needs onnx and onnxruntime")


@pytest.mark.parametrize("name", NETWORKS)
def test_torchscript_gives_the_actions_of_the_agent(name):
    policy = trained(name)
    run = run_torchscript(torchscript_bytes(policy, {}))
    with torch.no_grad():
        assert largest_difference(policy, run, torch.Generator().manual_seed(1)) <= 1e-6


@needs_onnx
@pytest.mark.parametrize(
    "name", ["gaussian", "normalised", "state sigma", "multi-discrete", "small images", "byte images"]
)
def test_onnx_gives_the_actions_of_the_agent(name):
    policy = trained(name)
    with torch.no_grad():
        run = run_onnx(onnx_bytes(policy, {}))
        assert largest_difference(policy, run, torch.Generator().manual_seed(1)) <= 2e-6


def test_the_mean_is_the_one_computed_by_hand():
    policy = trained("normalised")
    network = policy.network
    observations = policy.example(5, torch.Generator().manual_seed(2))
    statistics = network.observation_normalizer
    values = ((observations.double() - statistics.mean) / (statistics.var + 1e-8).sqrt()).clamp(-2.0, 2.0).float()
    for layer in network.actor.body.layers:
        values = torch.nn.functional.elu(values @ layer.weight.T + layer.bias)
    expected = values @ network.policy_head.weight.T + network.policy_head.bias
    with torch.no_grad():
        actual = run_torchscript(torchscript_bytes(policy, {}))(observations)
        torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-5)


def test_a_difference_is_noticed():
    policy = trained("gaussian")
    generator = torch.Generator().manual_seed(1)
    with pytest.raises(ExportError, match=r"differs from the agent by 1e-05"):
        largest_difference(policy, lambda seen: policy.expected_actions(seen) + 1e-5, generator)
    with pytest.raises(ExportError, match="differs"):
        largest_difference(policy, lambda seen: policy.expected_actions(seen) * float("nan"), generator)
    with pytest.raises(ExportError, match=r"gives torch.float64 \(1, 2\) where the agent gives torch.float32 \(1, 2\)"):
        largest_difference(policy, lambda seen: policy.expected_actions(seen).double(), generator)


def test_only_the_policy_is_in_the_file():
    policy = trained("gaussian")
    module = run_torchscript(torchscript_bytes(policy, {}))
    expected = {f"actor.{name}" for name, _ in policy.network.actor.named_parameters()} | {"head.weight", "head.bias"}
    assert {name for name, _ in module.named_parameters()} == expected


class TestFromAGraph:
    @pytest.fixture
    def checkpoint(self, tmp_path, registry):
        """Write a checkpoint of a graph's node with weights of its own."""

        def write(graph, node_id, folder_id=None):
            graph.wire()
            node = graph.nodes[node_id]
            node.context = RunContext(seed=5)
            node.setup()
            state = node.checkpoint_state()
            network = getattr(node, "network", None)
            if network is not None:
                with torch.no_grad():
                    network.policy_head.weight.add_(0.5)
                state = node.checkpoint_state()
            metadata = node_metadata(node.type_name, 1, 64, "test", title=node.label, hyperparameters={})
            save_node_checkpoint(str(tmp_path / "checkpoints"), folder_id or node_id, state, metadata)
            return node

        return write

    def test_the_weights_are_those_of_the_checkpoint(self, graph, checkpoint, tmp_path):
        agent = checkpoint(graph, "3")
        weight = agent.network.policy_head.weight.detach().clone()
        report = export_policy(graph, tmp_path / "checkpoints", tmp_path / "policy.pt")
        files = {ABOUT_FILE: ""}
        module = torch.jit.load(io.BytesIO((tmp_path / "policy.pt").read_bytes()), _extra_files=files)
        assert torch.equal(dict(module.named_parameters())["head.weight"], weight)
        assert json.loads(files[ABOUT_FILE])["observations"] == {
            "source": "node 1 (Env), observations",
            "values": "float32 (N, 4)",
        }
        assert (report.format, report.observations, report.actions) == (
            "torchscript",
            "float32 (N, 4)",
            "float32 (N, 1)",
        )
        assert report.difference <= 1e-6
        assert "not clamped or scaled by action nodes" in str(report)

    def test_a_missing_checkpoint_is_named(self, graph, tmp_path):
        with pytest.raises(CheckpointError, match="does not exist"):
            export_policy(graph, tmp_path / "nowhere", tmp_path / "policy.pt")
        assert not (tmp_path / "policy.pt").exists()

    def test_weights_that_do_not_fit_are_refused(self, graph, cartpole, registry, checkpoint, tmp_path):
        checkpoint(graph, "3")
        cartpole.nodes["3"].inputs["hidden_sizes"] = [8]
        with pytest.raises(CheckpointError, match="node 3"):
            export_policy(build_graph(cartpole, registry), tmp_path / "checkpoints", tmp_path / "policy.pt")

    def test_a_loader_node_says_where_the_weights_are(self, cartpole, registry, checkpoint, tmp_path):
        cartpole.nodes["9"] = NodeEntry("9", "CheckpointLoaderNode", {"model": ["3", "model"], "source_node": "77"})
        graph = build_graph(cartpole, registry)
        checkpoint(graph, "3", folder_id="77")
        report = export_policy(graph, tmp_path / "checkpoints", tmp_path / "policy.pt")
        assert "node_77" in report.files[0]

    def test_a_normaliser_before_the_agent_is_inside(self, cartpole, registry, checkpoint, tmp_path):
        self.insert(cartpole, "8", "ObservationNormalizerNode", "normalized")
        graph = build_graph(cartpole, registry)
        checkpoint(graph, "3")
        normalizer = checkpoint(graph, "8")
        normalizer.statistics.update(torch.randn((100, 4), generator=torch.Generator().manual_seed(0)) * 4.0 + 2.0)
        metadata = node_metadata("ObservationNormalizerNode", 1, 64, "test", title="", hyperparameters={})
        save_node_checkpoint(str(tmp_path / "checkpoints"), "8", normalizer.checkpoint_state(), metadata)
        mean = normalizer.statistics.mean.clone()
        policy = load_policy(graph, str(tmp_path / "checkpoints"))
        assert len(policy.normalizers) == 1
        assert isinstance(policy.normalizers[0], RunningMeanStd)
        assert torch.equal(policy.normalizers[0].mean, mean)
        assert policy.source == "node 1 (Env), observations"
        assert export_policy(graph, tmp_path / "checkpoints", tmp_path / "policy.pt").difference <= 1e-6

    def insert(self, workflow, node_id, class_type, output, source=("2", "output"), dones=("5", "dones")):
        """Put a transform between OR and agent, and on the final observations."""
        workflow.nodes[node_id] = NodeEntry(node_id, class_type, {"observations": list(source), "dones": list(dones)})
        for target, port in (("3", "observations"), ("6", "states")):
            workflow.nodes[target].inputs[port] = [node_id, output]
        workflow.nodes["6"].inputs["dones"] = [node_id, f"{output}_dones"]

    def test_a_frame_stack_stays_outside_and_is_named(self, cartpole, registry, checkpoint, tmp_path):
        self.insert(cartpole, "8", "FrameStackNode", "stacked")
        graph = build_graph(cartpole, registry)
        checkpoint(graph, "3")
        report = export_policy(graph, tmp_path / "checkpoints", tmp_path / "policy.pt")
        assert report.source == "node 8 (Frame Stack), stacked"
        assert report.observations == "float32 (N, 16)"

    def test_a_normaliser_before_a_frame_stack_cannot_be_inside(self, cartpole, registry, checkpoint, tmp_path):
        self.insert(cartpole, "7", "ObservationNormalizerNode", "normalized")
        self.insert(cartpole, "8", "FrameStackNode", "stacked", ("7", "normalized"), ("7", "normalized_dones"))
        graph = build_graph(cartpole, registry)
        checkpoint(graph, "3")
        checkpoint(graph, "7")
        with pytest.raises(
            ExportError, match=r"node 7 \(Observation Normalizer\) normalises before node 8 \(Frame Stack\)"
        ):
            export_policy(graph, tmp_path / "checkpoints", tmp_path / "policy.pt")

    def test_which_node_is_the_agent(self, graph, tmp_path):
        with pytest.raises(ExportError, match=r"node 6 \(Trainer\) has no policy"):
            load_policy(graph, str(tmp_path), "Trainer")
        del graph.nodes["3"]
        graph.links = []
        with pytest.raises(ExportError, match="no agent"):
            load_policy(graph, str(tmp_path))

    def test_several_agents_must_be_told_apart(self, cartpole, registry, checkpoint, tmp_path):
        cartpole.nodes["33"] = NodeEntry("33", "PPOAgentNode", {"observations": ["2", "output"]}, "Second")
        graph = build_graph(cartpole, registry)
        checkpoint(graph, "3")
        with pytest.raises(ExportError, match=r"node 3 \(Agent\), node 33 \(Second\); say which with --node"):
            export_policy(graph, tmp_path / "checkpoints", tmp_path / "policy.pt")
        assert export_policy(graph, tmp_path / "checkpoints", tmp_path / "policy.pt", node="Agent").difference <= 1e-6

    def test_the_format_follows_from_the_ending(self, graph, tmp_path):
        with pytest.raises(ExportError, match=r"policy.bin: the ending says no format; expected .pt"):
            export_policy(graph, tmp_path, tmp_path / "policy.bin")
        with pytest.raises(ExportError, match="there is no format 'tflite'; expected torchscript or onnx"):
            export_policy(graph, tmp_path, tmp_path / "policy.pt", "tflite")

    def test_a_missing_onnx_is_explained(self, graph, checkpoint, tmp_path, monkeypatch):
        checkpoint(graph, "3")
        original = builtins.__import__

        def without_onnx(name, *arguments, **options):
            if name.split(".")[0] in ("onnx", "onnxruntime", "onnxscript"):
                raise ModuleNotFoundError(f"No module named {name!r}")
            return original(name, *arguments, **options)

        monkeypatch.setattr("importlib.import_module", without_onnx)
        with pytest.raises(ExportError, match=r'ONNX needs onnx.*pip install "dnne\[onnx\]"'):
            export_policy(graph, tmp_path / "checkpoints", tmp_path / "policy.onnx")

    @needs_onnx
    def test_an_onnx_file_says_what_it_takes(self, graph, checkpoint, tmp_path):
        import onnx

        checkpoint(graph, "3")
        export_policy(graph, tmp_path / "checkpoints", tmp_path / "policy.onnx")
        model = onnx.load(str(tmp_path / "policy.onnx"))
        about = json.loads({entry.key: entry.value for entry in model.metadata_props}[ABOUT_FILE])
        assert about["agent"] == "node 3 (Agent)"
        assert [value.name for value in model.graph.input] == ["observations"]
