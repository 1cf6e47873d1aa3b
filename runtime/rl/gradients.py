"""Forward and backward passes of an actor-critic's networks: by autograd, or by hand where they are plain MLPs."""

from __future__ import annotations

from typing import List, NamedTuple, Optional, Sequence, Tuple

import torch
from torch import Tensor, nn

from .actor_critic import ActorCritic
from .networks import ACTIVATIONS, FeatureNetwork


class AutogradGradients:
    """Any network, any precision.

    Args:
        model: The agent.
        gradient: All gradients, of which the parameters' `.grad` are views. Shape: (total,).
        autocast_dtype: Half precision of the forward pass; None for full.
    """

    def __init__(self, model: ActorCritic, gradient: Tensor, autocast_dtype: Optional[torch.dtype] = None):
        self._model = model
        self._gradient = gradient
        self._dtype = autocast_dtype
        self._outputs: Tuple[Tensor, ...] = ()

    def forward(self, observations: Tensor, critic_observations: Tensor) -> Tuple[Tensor, Tensor]:
        """Prepared observations to outputs of the policy head, (B, O), and normalised values, (B,), in float32."""
        device = observations.device.type
        with torch.enable_grad(), torch.autocast(device, dtype=self._dtype, enabled=self._dtype is not None):
            self._outputs = self._model.networks(observations, critic_observations)
        outputs, values = self._outputs
        return outputs.detach().float(), values.detach().float()

    def backward(self, grad_outputs: Tensor, grad_values: Tensor) -> None:
        """Write `.grad`; zero where the networks do not depend on a parameter. Shapes: (B, O) and (B,)."""
        outputs, self._outputs = self._outputs, ()
        self._gradient.zero_()
        grads = (grad_outputs.to(outputs[0].dtype), grad_values.to(outputs[1].dtype))
        torch.autograd.backward(outputs, grads)


class _Layer(NamedTuple):
    """A linear layer's tensors, detached. Shapes: (out, in), (in, out), (out,), (out, in), (out,)."""

    weight: Tensor
    transposed: Tensor
    bias: Tensor
    grad_weight: Tensor
    grad_bias: Tensor

    @classmethod
    def of(cls, layer: nn.Linear) -> "_Layer":
        weight = layer.weight.detach()
        return cls(weight, weight.t(), layer.bias.detach(), layer.weight.grad, layer.bias.grad)

    def forward(self, values: Tensor) -> Tensor:
        return torch.addmm(self.bias, values, self.transposed)

    def backward(self, grad: Tensor, values: Tensor) -> None:
        """Write the gradients of weight and bias. Shapes: (B, out) and (B, in)."""
        torch.mm(grad.t(), values, out=self.grad_weight)
        torch.sum(grad, 0, out=self.grad_bias)


class _Trunk:
    """The layers of an MLP, and what the last forward pass left for the backward pass."""

    def __init__(self, network: FeatureNetwork):
        self._layers: List[_Layer] = [_Layer.of(layer) for layer in network.body.layers]
        self._activation = ACTIVATIONS[network.body.activation]
        self._values: List[Tensor] = []

    def forward(self, values: Tensor) -> Tensor:
        self._values = [values]
        for layer in self._layers:
            values = self._activation.forward(layer.forward(values))
            self._values.append(values)
        return values

    def backward(self, grad: Tensor) -> None:
        """Write the gradients of all layers. Shape: (B, features)."""
        for index in range(len(self._layers) - 1, -1, -1):
            layer = self._layers[index]
            grad = self._activation.backward(grad, self._values[index + 1])
            layer.backward(grad, self._values[index])
            if index:
                grad = torch.mm(grad, layer.weight)


class ManualGradients:
    """MLPs only, full precision: a third of autograd's operations. Overwrites `.grad` of all parameters but log_std.

    Holds views of parameters and gradients, so it is made anew when those are replaced.
    """

    def __init__(self, model: ActorCritic):
        self._actor = _Trunk(model.actor)
        self._critic = None if model.critic is None else _Trunk(model.critic)
        self._policy_head = _Layer.of(model.policy_head)
        self._value_head = _Layer.of(model.value_head)
        self._features: Sequence[Tensor] = ()

    @staticmethod
    def supports(model: ActorCritic) -> bool:
        """True if the model consists of MLPs whose activation's derivative follows from its result."""
        networks = [network for network in (model.actor, model.critic) if network is not None]
        return all(network.front is None and ACTIVATIONS[network.body.activation].backward for network in networks)

    def forward(self, observations: Tensor, critic_observations: Tensor) -> Tuple[Tensor, Tensor]:
        """Prepared observations to outputs of the policy head, (B, O), and normalised values, (B,)."""
        features = self._actor.forward(observations)
        critic_features = features if self._critic is None else self._critic.forward(critic_observations)
        self._features = (features, critic_features)
        return self._policy_head.forward(features), self._value_head.forward(critic_features).squeeze(-1)

    def backward(self, grad_outputs: Tensor, grad_values: Tensor) -> None:
        """Write `.grad`. Shapes: (B, O) and (B,)."""
        features, critic_features = self._features
        grad_values = grad_values.unsqueeze(-1)
        self._policy_head.backward(grad_outputs, features)
        self._value_head.backward(grad_values, critic_features)
        grad_features = torch.mm(grad_outputs, self._policy_head.weight)
        grad_critic_features = torch.mm(grad_values, self._value_head.weight)
        if self._critic is None:
            self._actor.backward(grad_features.add_(grad_critic_features))
        else:
            self._actor.backward(grad_features)
            self._critic.backward(grad_critic_features)
