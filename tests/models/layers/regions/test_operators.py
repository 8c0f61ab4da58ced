"""The operators that hide loops over regions, in torch's own check and in graphs of whole modules."""

import pytest
import region_maps
import torch

from mmrev.models.layers.regions import attention, collect, construction, distribute, interact
from mmrev.models.layers.regions.operators import OPERATORS
from mmrev.models.layers.regions.options import ConstructionOptions

pytestmark = pytest.mark.skipif(not OPERATORS, reason='torch 2.4 brought operators')
OPTIONS = ConstructionOptions(num_representatives=2)
KINDS = [(True, True), (True, False), (False, True), (False, False)]


def maps(kind='random', size=(3, 4)):
    return [part.requires_grad_() for part in region_maps.make(kind, size)]


def some_regions():
    labels = torch.tensor([[0, 0, 2, 0, 2, 5], [0, 1, 1, 0, 0, 0]])
    return labels, torch.rand(labels.shape).double(), torch.rand(labels.shape) < 0.5


@pytest.mark.parametrize('similarity', ['jsd', 'binary_jsd'])
def test_torch_checks_the_construction(similarity):
    boundary, classes = maps()
    torch.library.opcheck(construction._region_construction, (boundary, classes, 0.8, 2, similarity, False, 0.5))
    labels, grad = torch.zeros(2, 12, dtype=torch.long), torch.rand(2, 12).double()
    checked = torch.library.opcheck(
        construction._region_scores_backward, (boundary.detach(), classes.detach(), labels, similarity, True, grad)
    )
    assert set(checked.values()) == {'SUCCESS'}


@pytest.mark.parametrize(('same', 'confined'), KINDS)
@pytest.mark.parametrize('shared', [True, False])
def test_torch_checks_the_attention(same, confined, shared):
    labels, scores, chosen = some_regions()
    x, y = (torch.randn(2, 3, 6).double().requires_grad_() for _ in range(2))
    arguments = (x, None if shared else y, scores.requires_grad_(), labels, chosen, ~chosen, same, confined)
    assert set(torch.library.opcheck(attention._set_attention, arguments).values()) == {'SUCCESS'}
    given = [part if part is None else part.detach() for part in arguments[:3]]
    made = [part.detach() for part in attention._set_attention(*arguments)][::-1]
    backward = (torch.randn(2, 3, 6).double(), *given, *made, *arguments[3:])
    assert set(torch.library.opcheck(attention._set_attention_backward, backward).values()) == {'SUCCESS'}


def chain(boundary, classes, features):
    regions = construction.construct(boundary, classes, OPTIONS)
    local_context = collect(features, regions)
    return distribute(features, interact(local_context, regions), regions)


def test_one_graph_at_all_sizes():
    """A graph of one size would be compiled anew, or be wrong, at the next."""
    compiled = torch.compile(chain, backend='aot_eager', fullgraph=True, dynamic=True)
    for size in ((3, 4), (5, 7), (4, 9)):
        boundary, classes = maps(size=size)
        features = torch.randn(2, 3, size[0] * size[1]).double().requires_grad_()
        given = boundary, classes, features
        results = [function(*given) for function in (compiled, chain)]
        assert torch.equal(*results)
        up = torch.randn_like(features)
        for one, other in zip(*(torch.autograd.grad((out * up).sum(), given) for out in results), strict=True):
            torch.testing.assert_close(one, other, rtol=0, atol=1e-12)


def test_an_exported_program_is_right_at_another_size():
    class Chain(torch.nn.Module):
        def forward(self, *given):
            return chain(*given)

    def given(height, width):
        return *(part.detach() for part in maps(size=(height, width))), torch.randn(2, 3, height * width).double()

    height, width = torch.export.Dim('height', min=2), torch.export.Dim('width', min=2)
    free = torch.export.Dim.AUTO
    shapes = (({1: height, 2: width}, {2: height, 3: width}, {2: free}),)
    program = torch.export.export(Chain(), given(3, 4), dynamic_shapes=shapes).module()
    other = given(5, 7)
    assert torch.equal(program(*other), chain(*other))


def test_scores_alone_have_a_gradient():
    regions = construction.construct(*maps(), OPTIONS)
    assert [part.requires_grad for part in regions] == [False, True, False]
