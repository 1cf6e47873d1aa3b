"""The trained policy of a graph as a module of its own: observations in, most probable actions out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, List, Optional, Sequence, Tuple

import torch
from torch import Tensor, nn

from ..checkpointed_node import CheckpointedNode, CheckpointReader
from ..context import RunContext
from ..graph import Graph
from ..node import Node
from ..ports import MODEL
from ..rl.actor_critic import ActorCritic
from ..run.checkpointing import load_checkpoints
from ..specs import Spec
from .errors import ExportError

OBSERVATIONS = "observations"


class Policy(nn.Module):
    """The most probable action of each observation, normalisation included.

    Actions are the network's own: the mean of a Gaussian, float32 of shape (N, A); the best choice, int64 of shape
    (N,) or (N, K). What action nodes do to them afterwards (clamping, scaling) is not part of it.

    Args:
        network: Its actor is used, not copied.
        normalizers: Applied before the network's own, in this order.
    """

    def __init__(self, network: ActorCritic, normalizers: Sequence[nn.Module] = ()):
        super().__init__()
        own = network.observation_normalizer
        self.normalizers = nn.ModuleList([*normalizers, *([] if own is None else [own])])
        self.actor = network.actor
        self.head = network.policy_head
        self.mode = network.distribution.mode

    def forward(self, observations: Tensor) -> Tensor:
        """Shape: (N, *observation_shape) -> (N, A), (N,) or (N, K)."""
        values = observations if self.actor.front is not None else observations.float()
        for normalizer in self.normalizers:
            values = normalizer(values)
        if self.actor.front is None:
            values = values.flatten(1)
        # The means stand first in the outputs of the head, also where log σ follows them.
        return self.mode(self.head(self.actor(values)))


@dataclass(frozen=True)
class TrainedPolicy:
    """A policy with its weights, and what it takes.

    Attributes:
        policy: On the CPU.
        network: The whole network; the reference that an exported file is compared with.
        normalizers: Of nodes between environment and agent.
        agent: Id and title of the agent.
        source: The output whose values the policy takes: "node 1 (Env), observations".
        observations: Shape and dtype of these values; the first length is that of the batch.
        files: The checkpoints that were loaded.
    """

    policy: Policy
    network: ActorCritic
    normalizers: Tuple[nn.Module, ...]
    agent: str
    source: str
    observations: Spec
    files: Tuple[str, ...]

    def example(self, rows: int, generator: torch.Generator) -> Tensor:
        """Random observations. Shape: (rows, *observation_shape)."""
        shape = (rows, *(int(size or 0) for size in (self.observations.shape or ())[1:]))
        if self.observations.dtype == "uint8":
            return torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)
        return torch.randn(shape, generator=generator).mul_(3.0)

    @torch.no_grad()
    def expected_actions(self, observations: Tensor) -> Tensor:
        """What the agent itself does in inference."""
        for normalizer in self.normalizers:
            observations = normalizer(observations)
        critic = None
        if self.network.privileged:  # the values that follow from them are not looked at
            critic = torch.zeros((len(observations), *self.network.critic_observation_shape))
        return self.network.act(observations, torch.Generator(), True, critic).actions


def load_policy(graph: Graph, checkpoint_dir: str, node: Optional[str] = None) -> TrainedPolicy:
    """The policy of a graph's agent with the weights of a checkpoint.

    Args:
        graph: A checked graph; its nodes are set up for inference.
        checkpoint_dir: The folder with ``node_{id}/model.pt``.
        node: Id or title of the agent, where there are several.

    Raises:
        ExportError: There is no agent, or several; or a normaliser cannot be taken inside.
        WorkflowError: There is no such node.
        CheckpointError: Nothing to load, or it does not fit.
    """
    graph.wire()
    agent = _find_agent(graph, node)
    context = RunContext(inference=True)
    transforms = _transforms_before(graph, agent)
    needed = [agent, *(node for node in transforms if hasattr(node, "observation_module"))]
    for item in needed:
        item.context = context
        item.setup()
    files = load_checkpoints(_with_only(graph, needed), checkpoint_dir, context)
    normalizers, first = _inside(graph, agent, transforms)
    link = graph.link_into(first.id, OBSERVATIONS)
    assert link is not None
    source_id, port = graph.origin(link.source, link.source_port)
    network = _network_of(agent)
    return TrainedPolicy(
        Policy(network, normalizers).eval(),
        network,
        tuple(normalizers),
        _name(agent),
        f"{_name(graph.nodes[source_id])}, {port}",
        graph.input_specs(first.id)[OBSERVATIONS],
        tuple(files),
    )


def _name(node: Node) -> str:
    return f"node {node.id} ({node.label})"


def _find_agent(graph: Graph, reference: Optional[str]) -> Node:
    agents = [node for node in graph.nodes.values() if _gives_model(node)]
    if reference is not None:
        agents = [graph.find(reference)]
        if not _gives_model(agents[0]):
            raise ExportError(f"{_name(agents[0])} has no policy; name an agent, a node with a model output of its own")
    if not agents:
        raise ExportError("the workflow has no agent: no node has a model output of its own")
    if len(agents) > 1:
        raise ExportError(f"the workflow has several agents: {', '.join(map(_name, agents))}; say which with --node")
    return agents[0]


def _gives_model(node: Node) -> bool:
    return OBSERVATIONS in node.inputs and any(
        port.type == MODEL and not port.same_as for port in node.outputs.values()
    )


def _network_of(agent: Node) -> ActorCritic:
    for model in agent.held_outputs().values():
        if isinstance(model, ActorCritic):
            return model
    raise ExportError(f"the model of {_name(agent)} is no ActorCritic network, and cannot be exported")


def _transforms_before(graph: Graph, agent: Node) -> List[Node]:
    """The nodes that transform observations on their way to the agent, nearest first."""
    found: List[Node] = []
    node = agent
    while len(found) <= len(graph.nodes):
        link = graph.link_into(node.id, OBSERVATIONS)
        if link is None:
            break
        node = graph.nodes[graph.origin(link.source, link.source_port)[0]]
        if graph.link_into(node.id, OBSERVATIONS) is not None:
            found.append(node)
    return found


def _inside(graph: Graph, agent: Node, transforms: List[Node]) -> Tuple[List[nn.Module], Node]:
    """The normalisers that go into the policy, in the order of use, and the node whose input the policy takes."""
    modules: List[nn.Module] = []
    first, outside = agent, None
    for node in transforms:
        module = _module_of(node)
        if module is None:
            outside = outside or node
        elif outside is not None:
            raise ExportError(
                f"{_name(node)} normalises before {_name(outside)}, which keeps a state and cannot be part of a policy "
                f"file; let the agent normalise (normalize_observations), or normalise after {_name(outside)}"
            )
        else:
            modules.insert(0, module)
            first = node
    return modules, first


def _module_of(node: Node) -> Any:
    """A node between environment and agent may offer what it does in inference as a module without state."""
    offer = getattr(node, "observation_module", None)
    return offer() if offer is not None else None


def _with_only(graph: Graph, needed: Sequence[Node]) -> Graph:
    """The graph without nodes that have checkpoints of their own which are not needed, and their loaders."""
    ids = {node.id for node in needed}
    nodes = {}
    for node_id, node in graph.nodes.items():
        is_reader = isinstance(node, CheckpointReader)
        wanted = node_id in ids or (is_reader and set(graph.owners_of(node_id).values()) <= ids)
        if wanted or not (is_reader or isinstance(node, CheckpointedNode)):
            nodes[node_id] = node
    links = [link for link in graph.links if link.source in nodes and link.target in nodes]
    return Graph(nodes, links, graph.specs)
