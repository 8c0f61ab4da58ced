import itertools

import numpy as np
import pytest
import torch
from reference import ra_net

from mmrev.errors import ConfigError
from mmrev.models.layers import ModifiedGRN

AGGREGATIONS, NORMALIZATIONS = ('l2', 'l1', 'gap', 'gmp'), ('grn', 'none', 'bn', 'ln')
ACTIVATIONS = ('one_plus', 'sigmoid', 'softmax')
every_ablation = pytest.mark.parametrize(
    'options',
    [
        dict(aggregation=aggregation, normalization=normalization, activation=activation)
        for aggregation, normalization, activation in itertools.product(AGGREGATIONS, NORMALIZATIONS, ACTIVATIONS)
    ],
    ids=lambda options: '-'.join(options.values()),
)


def trained(channels=6, **options):
    module = ModifiedGRN(channels, **options).double()
    torch.nn.init.normal_(module.gamma)
    return module


@every_ablation
@pytest.mark.parametrize('size', [(1, 1), (5, 3)])
def test_equations_3_to_8(options, size):
    # batch norm adds eps to the variance, but equation 4 adds it to the deviation: a tiny eps makes them agree
    eps = 1e-16 if options['normalization'] == 'bn' else 1e-3
    module, features = trained(eps=eps, **options), torch.randn(4, 6, *size, dtype=torch.float64)
    module.temperature.fill_(2.5)
    expected = ra_net.gate(features.numpy(), module.gamma.detach().numpy(), 2.5, eps=eps, **options)
    assert module(features).shape == (4, 6, 1, 1)
    np.testing.assert_allclose(module(features).detach().numpy()[..., 0, 0], expected, rtol=1e-9)


@pytest.mark.parametrize('aggregation', AGGREGATIONS)
@pytest.mark.parametrize('normalization', ['grn', 'none', 'ln', 'bn'])
def test_no_residual_leaves_the_shortcut_as_it_is(aggregation, normalization):
    module = trained(aggregation=aggregation, normalization=normalization)
    assert (module(torch.zeros(2, 6, 4, 4, dtype=torch.float64)) == 1).all()


@pytest.mark.parametrize(('activation', 'value'), [('sigmoid', 1 / 2), ('softmax', 1 / 6)])
def test_two_activations_do_not(activation, value):
    gate = trained(activation=activation)(torch.zeros(2, 6, 4, 4, dtype=torch.float64))
    np.testing.assert_allclose(gate.detach().numpy(), value)


def test_batch_statistics_do_not_either_once_they_are_learned():
    module = trained(normalization='bn')
    module(torch.randn(8, 6, 4, 4, dtype=torch.float64))
    assert (module.eval()(torch.zeros(2, 6, 4, 4, dtype=torch.float64)) != 1).all()


@pytest.mark.parametrize('normalization', NORMALIZATIONS)
def test_a_new_gate_is_exactly_one(normalization):
    assert (ModifiedGRN(6, normalization=normalization)(torch.randn(2, 6, 4, 4)) == 1).all()


@every_ablation
def test_gamma_learns_from_the_first_step(options):
    module = ModifiedGRN(6, **options)
    (module(torch.randn(2, 6, 4, 4)) * torch.randn(2, 6, 1, 1)).sum().backward()
    assert module.gamma.grad.isfinite().all() and module.gamma.grad.all()


@every_ablation
@pytest.mark.parametrize('value', [0.0, 3.0])
def test_gradients_of_constant_features_are_finite(options, value):
    features = torch.full((2, 6, 4, 4), value, dtype=torch.float64, requires_grad=True)
    trained(**options)(features).sum().backward()
    assert features.grad.isfinite().all()


@pytest.mark.parametrize(
    'options',
    [dict(), dict(aggregation='l1'), dict(normalization='none'), dict(normalization='ln'), dict(activation='softmax')],
    ids=str,
)
def test_gradients(options):
    features = torch.randn(2, 6, 3, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(trained(**options), features)


@every_ablation
def test_permuting_the_channels_permutes_the_gate(options):
    module, features, order = trained(**options), torch.randn(4, 6, 5, 3, dtype=torch.float64), torch.randperm(6)
    permuted = trained(**options)
    with torch.no_grad():
        permuted.gamma.copy_(module.gamma[order])
    torch.testing.assert_close(permuted(features[:, order]), module(features)[:, order])


@pytest.mark.parametrize('normalization', ['grn', 'ln'])
def test_other_images_of_the_batch_do_not_matter(normalization):
    module, features = trained(normalization=normalization), torch.randn(4, 6, 5, 3, dtype=torch.float64)
    torch.testing.assert_close(module(features)[:1], module(features[:1]))


def test_half_precision_does_not_overflow():
    module = ModifiedGRN(4)
    torch.nn.init.ones_(module.gamma)
    features = torch.full((1, 4, 64, 64), 200.0)  # the sum of squares overflows float16
    gate = module(features.half())
    assert gate.dtype == torch.float16
    torch.testing.assert_close(gate.float(), module(features))


def test_the_temperature_is_saved_and_plain_weights_leave_it():
    module = ModifiedGRN(4)
    module.temperature.fill_(7)
    assert module.state_dict().keys() == {'gamma', 'temperature'}
    other = ModifiedGRN(4)
    other.load_state_dict(module.state_dict())
    assert other.temperature == 7
    assert other.load_state_dict({}, strict=False).missing_keys == ['gamma']
    assert other.temperature == 7


@pytest.mark.parametrize(
    'options', [dict(aggregation='max'), dict(normalization='gn'), dict(activation='tanh')], ids=str
)
def test_unknown_options_are_named(options):
    ((what, name),) = options.items()
    with pytest.raises(ConfigError, match=rf"ModifiedGRN\({what}='{name}'\): expected '"):
        ModifiedGRN(4, **options)
