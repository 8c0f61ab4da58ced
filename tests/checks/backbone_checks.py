"""Checks that every backbone must pass. A test class inherits them and names two configs.

Shape letters: B batch, C channels, H x W the image.
"""

import copy
import io
import pickle

import pytest
import torch
from mmengine.registry import MODELS, DefaultScope
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


class BackboneChecks:
    """Compares a backbone with the plain network that it replaces.

    Attributes:
        backbone: The config of the backbone.
        plain: The config of the plain network.
        own: A part of the name of each parameter that only the backbone has.
        exact: Whether the plain network's weights give exactly the plain network's output.
        spread: The standard deviation of the backbone's own parameters in :meth:`awake`.
        scope: The registry scope in which both configs build.
        size: The height and width of the images.
    """

    backbone: dict
    plain: dict
    own: str
    exact = False
    spread = 0.3
    scope = 'mmseg'
    size = (64, 48)

    @pytest.fixture(autouse=True)
    def _in_scope(self):
        with DefaultScope.overwrite_default_scope(self.scope):
            yield

    def build(self, **options) -> nn.Module:
        torch.manual_seed(0)
        network = MODELS.build({**self.backbone, **options})
        network.init_weights()
        return network

    def awake(self, **options) -> nn.Module:
        """Builds a network with random own parameters, which change the output as trained ones do."""
        network = self.build(**options)
        for name, parameter in network.named_parameters():
            if self.own in name:
                nn.init.normal_(parameter, std=self.spread)
        return network

    def images(self, height: int | None = None, width: int | None = None, batch: int = 2) -> Tensor:
        return torch.randn(batch, 3, height or self.size[0], width or self.size[1])

    def outputs(self, network: nn.Module, images: Tensor) -> tuple[Tensor, ...]:
        network.eval()
        with torch.no_grad():
            return network(images)

    def test_the_state_dict_extends_the_plain_network(self) -> None:
        plain = MODELS.build(dict(self.plain))
        missing = self.build().load_state_dict(plain.state_dict(), strict=False)
        assert not missing.unexpected_keys
        assert missing.missing_keys and all(self.own in key for key in missing.missing_keys)

    def test_plain_weights_give_the_plain_output(self) -> None:
        plain, images = MODELS.build(dict(self.plain)), self.images()
        network = self.build()
        network.load_state_dict(plain.state_dict(), strict=False)
        expected, ours = self.outputs(plain, images), self.outputs(network, images)
        assert len(expected) == len(ours) > 0
        assert [out.shape for out in ours] == [out.shape for out in expected]
        assert all(map(torch.equal, ours, expected)) == self.exact

    def test_its_own_parameters_change_the_output(self) -> None:
        images = self.images()
        assert not torch.equal(self.outputs(self.build(), images)[-1], self.outputs(self.awake(), images)[-1])

    def test_odd_sizes_and_a_batch_of_one(self) -> None:
        network = self.awake()
        for height, width in ((65, 51), (33, 47)):
            outputs = self.outputs(network, self.images(height, width, batch=1))
            assert all(out.isfinite().all() for out in outputs)

    def test_every_parameter_learns_at_the_first_step(self) -> None:
        network = self.build()
        network.train()
        sum((out * torch.randn_like(out)).sum() for out in network(self.images())).backward()
        own = 0
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None, f'{name} gets no gradient'
            assert parameter.grad.isfinite().all(), f'{name}: gradient not finite'
            if self.own in name:
                own += 1
                assert parameter.grad.any(), f'{name}: gradient zero'
        assert own

    def test_checkpointing_changes_nothing(self) -> None:
        gradients = []
        for with_cp in (False, True):
            network = self.awake(with_cp=with_cp)
            network.train()
            images = torch.ones(2, 3, *self.size).cumsum(2).requires_grad_()
            sum(out.square().mean() for out in network(images)).backward()
            gradients.append([parameter.grad for parameter in network.parameters()])
        for plain, recomputed in zip(*gradients, strict=True):
            torch.testing.assert_close(plain, recomputed)

    def test_frozen_stages_are_frozen_whole(self) -> None:
        network = self.build(frozen_stages=1)
        assert len({parameter.requires_grad for parameter in network.layer1.parameters()}) == 1
        network.train()
        frozen = [parameter for name, parameter in network.named_parameters() if name.startswith('layer1.')]
        assert frozen and not any(parameter.requires_grad for parameter in frozen)
        assert all(parameter.requires_grad for name, parameter in network.named_parameters() if 'layer3.' in name)

    def test_norm_eval_reaches_every_batch_norm(self) -> None:
        network = self.build(norm_eval=True)
        network.train()
        norms = [module for module in network.modules() if isinstance(module, _BatchNorm)]
        assert norms and not any(norm.training for norm in norms)

    def test_copies_are_independent(self) -> None:
        network, images = self.awake(), self.images()
        before = self.outputs(network, images)[-1]
        for twin in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
            assert type(twin) is type(network)
            assert torch.equal(self.outputs(twin, images)[-1], before)
            for parameter in twin.parameters():
                nn.init.constant_(parameter, 0.01)
            assert not torch.equal(self.outputs(twin, images)[-1], before)
        assert torch.equal(self.outputs(network, images)[-1], before)

    def test_saved_weights_bring_the_output_back(self) -> None:
        network, images, file = self.awake(), self.images(), io.BytesIO()
        torch.save(network.state_dict(), file)
        file.seek(0)
        other = self.build()
        other.load_state_dict(torch.load(file, weights_only=True), strict=True)
        assert torch.equal(self.outputs(other, images)[-1], self.outputs(network, images)[-1])

    def test_bfloat16_autocast(self) -> None:
        network = self.awake()
        network.train()
        with torch.autocast('cpu', dtype=torch.bfloat16):
            loss = sum(out.float().square().mean() for out in network(self.images()))
        loss.backward()
        assert loss.isfinite()
        assert all(parameter.grad.isfinite().all() for parameter in network.parameters())

    def test_double_and_channels_last(self) -> None:
        network, images = self.awake().double(), self.images().double()
        expected = self.outputs(network, images)[-1]
        network.to(memory_format=torch.channels_last)
        torch.testing.assert_close(
            self.outputs(network, images.contiguous(memory_format=torch.channels_last))[-1], expected
        )
