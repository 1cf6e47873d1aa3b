"""Forward and backward passes of an actor-critic's networks: by autograd, or by hand where they are plain MLPs."""

from __future__ import annotations

from typing import List, Optional, Sequence, Tuple, cast

import torch
from torch import Tensor, nn

from ..errors import DnneError
from .actor_critic import ActorCritic
from .networks import ACTIVATIONS, FeatureNetwork


class Gradients:
    """A forward pass of the networks, and the backward pass that belongs to it."""

    def forward(self, observations: Tensor, critic_observations: Tensor) -> Tuple[Tensor, Tensor]:
        """Prepared observations to outputs of the policy head, (B, O), and normalised values, (B,), in float32."""
        raise NotImplementedError

    def backward(self, grad_outputs: Tensor, grad_values: Tensor) -> None:
        """Write `.grad` of the networks' parameters. Shapes: (B, O) and (B,)."""
        raise NotImplementedError


class AutogradGradients(Gradients):
    """Any network, any precision.

    Args:
        model: The agent.
        gradient: All gradients, of which the parameters' `.grad` are views; a forward pass clears it. Shape: (total,).
        autocast_dtype: Half precision of the forward pass; None for full.
    """

    def __init__(self, model: ActorCritic, gradient: Tensor, autocast_dtype: Optional[torch.dtype] = None):
        self._model = model
        self._gradient = gradient
        self._dtype = autocast_dtype
        self._outputs: Tuple[Tensor, ...] = ()

    def forward(self, observations: Tensor, critic_observations: Tensor) -> Tuple[Tensor, Tensor]:
        self._gradient.zero_()
        device = observations.device.type
        with torch.enable_grad(), torch.autocast(device, dtype=self._dtype, enabled=self._dtype is not None):
            self._outputs = self._model.networks(observations, critic_observations)
        outputs, values = self._outputs
        return outputs.detach().float(), values.detach().float()

    def backward(self, grad_outputs: Tensor, grad_values: Tensor) -> None:
        outputs, self._outputs = self._outputs, ()
        grads = (grad_outputs.to(outputs[0].dtype), grad_values.to(outputs[1].dtype))
        torch.autograd.backward(outputs, grads)


class _Linear:
    """A linear layer's tensors, detached."""

    def __init__(self, layer: nn.Linear):
        self.weight = layer.weight.detach()
        self._transposed = self.weight.t()
        self._bias = layer.bias.detach()
        self._grad_weight, self._grad_bias = layer.weight.grad, layer.bias.grad

    def forward(self, values: Tensor) -> Tensor:
        """Shape: (B, in) -> (B, out)."""
        return torch.addmm(self._bias, values, self._transposed)

    def forward_into(self, values: Tensor, result: Tensor) -> Tensor:
        """As `forward`, written into a tensor."""
        return torch.addmm(self._bias, values, self._transposed, out=result)

    def backward(self, grad: Tensor, values: Tensor) -> None:
        """Write the gradients of weight and bias. Shapes: (B, out) and (B, in)."""
        torch.mm(grad.t(), values, out=self._grad_weight)
        torch.sum(grad, 0, out=self._grad_bias)


class _Trunk:
    """The layers of an MLP, and what the last forward pass left for the backward pass.

    Results and gradients live in buffers that are kept from one minibatch to the next: for a large one, fresh memory
    costs as much as what is computed in it.
    """

    def __init__(self, network: FeatureNetwork):
        activation = ACTIVATIONS[network.body.activation]
        if activation.backward is None:
            raise DnneError(f"activation {network.body.activation}: its derivative does not follow from its result")
        self._activate, self._derive = activation.forward, activation.backward
        self._layers: List[_Linear] = [_Linear(layer) for layer in network.body.linear_layers]
        self._inputs = torch.empty(0)
        self._results: List[Tensor] = []
        self._grads: List[Tensor] = []

    def forward(self, values: Tensor) -> Tensor:
        """Shape: (B, in) -> (B, features)."""
        if not self._results or len(self._results[0]) != len(values):
            self._results = [values.new_empty(len(values), len(layer.weight)) for layer in self._layers]
            self._grads = [torch.empty_like(result) for result in self._results]
        self._inputs = values
        for layer, result in zip(self._layers, self._results):
            values = self._activate(layer.forward_into(values, result))
        return values

    def backward(self, grad: Tensor) -> None:
        """Write the gradients of all layers; overwrites its argument. Shape: (B, features)."""
        for index in range(len(self._layers) - 1, 0, -1):
            layer = self._layers[index]
            grad = self._derive(grad, self._results[index])
            layer.backward(grad, self._results[index - 1])
            grad = torch.mm(grad, layer.weight, out=self._grads[index - 1])
        if self._layers:
            self._layers[0].backward(self._derive(grad, self._results[0]), self._inputs)

    def grad_features(self, grad_head: Tensor, head: _Linear) -> Tensor:
        """Gradient of the features from that of a head's outputs. Shape: (B, out) -> (B, features)."""
        return torch.mm(grad_head, head.weight, out=self._grads[-1] if self._grads else None)


class ManualGradients(Gradients):
    """MLPs only, full precision: a third of autograd's operations, and no gradient has to be cleared before.

    Holds views of parameters and gradients, so it is made anew when those are replaced.
    """

    def __init__(self, model: ActorCritic):
        self._actor = _Trunk(cast(FeatureNetwork, model.actor))
        self._critic = None if model.critic is None else _Trunk(cast(FeatureNetwork, model.critic))
        self._policy_head = _Linear(model.policy_head)
        self._value_head = _Linear(model.value_head)
        self._features: Sequence[Tensor] = ()

    @staticmethod
    def supports(model: ActorCritic) -> bool:
        """True if the model consists of MLPs whose activation's derivative follows from its result."""
        networks = [network for network in (model.actor, model.critic) if network is not None]
        return all(isinstance(network, FeatureNetwork) and _is_plain(network) for network in networks)

    def forward(self, observations: Tensor, critic_observations: Tensor) -> Tuple[Tensor, Tensor]:
        features = self._actor.forward(observations)
        critic_features = features if self._critic is None else self._critic.forward(critic_observations)
        self._features = (features, critic_features)
        return self._policy_head.forward(features), self._value_head.forward(critic_features).squeeze(-1)

    def backward(self, grad_outputs: Tensor, grad_values: Tensor) -> None:
        features, critic_features = self._features
        grad_values = grad_values.unsqueeze(-1)
        self._policy_head.backward(grad_outputs, features)
        self._value_head.backward(grad_values, critic_features)
        grad_features = self._actor.grad_features(grad_outputs, self._policy_head)
        if self._critic is None:
            self._actor.backward(grad_features.addmm_(grad_values, self._value_head.weight))
        else:
            self._actor.backward(grad_features)
            self._critic.backward(self._critic.grad_features(grad_values, self._value_head))


def _is_plain(network: FeatureNetwork) -> bool:
    return network.front is None and ACTIVATIONS[network.body.activation].backward is not None
