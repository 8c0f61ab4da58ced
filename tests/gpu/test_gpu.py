"""All parts on a GPU: the same numbers as on a CPU, half precision, large maps, and the memory of RANet.

MMREV_TEST_DEVICE=cpu runs the comparisons against the CPU itself. This shows that the tests work.
"""

import os

import pytest
import torch
from model_parts import PARTS, awake
from torch.nn import functional as F
from torch.utils._pytree import tree_map_only

from mmrev.models.decode_heads.region_attention_head import RegionAttentionHead
from mmrev.models.layers import region_construction

DEVICE = os.environ.get('MMREV_TEST_DEVICE', 'cuda')
pytestmark = pytest.mark.skipif(DEVICE == 'cuda' and not torch.cuda.is_available(), reason='needs a GPU')
MEMORY = 450  # MiB; the paper prints 1,893 MB


@pytest.fixture(autouse=True)
def _full_precision():
    with torch.backends.cudnn.flags(allow_tf32=False):  # torch does not use it for matrix products unless told
        yield


def results(module, inputs, device):
    """The outputs and the gradients of all parameters, on the CPU."""
    module.to(device).zero_grad()
    found = module(*tree_map_only(torch.Tensor, lambda part: part.to(device), inputs))
    outputs = [part for part in torch.utils._pytree.tree_leaves(found) if isinstance(part, torch.Tensor)]
    sum(part.float().square().mean() for part in outputs if part.is_floating_point()).backward()
    gradients = [part.grad for part in module.parameters() if part.grad is not None]
    assert outputs and gradients
    return [part.detach().float().cpu() for part in (*outputs, *gradients)]


def far(found, expected):
    """The norm of the difference, relative to that of what is expected."""
    pairs = list(zip(found, expected, strict=True))
    return max(float((ours - theirs).norm() / theirs.norm().clamp(min=1e-6)) for ours, theirs in pairs)


@pytest.mark.parametrize('name', PARTS)
def test_numbers_are_those_of_a_cpu(name):
    make, given = PARTS[name]
    module, inputs = awake(make()), given()
    assert far(results(module, inputs, DEVICE), results(module, inputs, 'cpu')) < 1e-3


@pytest.mark.parametrize('kind', [torch.bfloat16, torch.float16])
@pytest.mark.parametrize('name', ['RA', 'RAN simple', 'RAN normalized', 'RANet', 'RAResNet', 'scale attention'])
def test_half_precision(name, kind):
    make, given = PARTS[name]
    module, inputs = awake(make()), given()
    expected = results(module, inputs, 'cpu')
    with torch.autocast(torch.device(DEVICE).type, kind):
        found = results(module, inputs, DEVICE)
    joined = [torch.cat([part.flatten() for part in parts]) for parts in (found, expected)]
    assert far(*([part] for part in joined)) < 0.1


def maps(size, classes=19):
    """Maps as a trained network has them: soft blobs of classes, and boundaries between them."""
    coarse = torch.randn(2, classes, 6, 6)
    scores = F.interpolate(coarse, (size, size), mode='bilinear', align_corners=True).mul(3).softmax(1)
    return 1 - scores.max(1).values, scores


@pytest.mark.parametrize('size', [97, 129])
def test_regions_of_large_maps(size):
    boundary, classes = maps(size)
    found = []
    for device in (DEVICE, 'cpu'):
        given = [part.to(device).requires_grad_() for part in (boundary, classes)]
        regions = region_construction(*given, temperature=1 / 16)
        regions.scores.square().mean().backward()
        found.append([part.detach().cpu() for part in (*regions, *(part.grad for part in given))])
    (labels, scores, chosen, *gradients), (labels_, scores_, chosen_, *gradients_) = found
    assert len(labels_.unique()) > 10
    assert (labels == labels_).float().mean() > 0.999  # a pair at the threshold may fall either way
    assert far([scores, *gradients], [scores_, *gradients_]) < 1e-2
    assert (chosen == chosen_).float().mean() > 0.999


@pytest.mark.skipif(DEVICE == 'cpu', reason='needs the statistics of a GPU')
def test_the_memory_of_a_training_step():
    head = RegionAttentionHead(512, 512, num_classes=19, in_index=0, norm_cfg=dict(type='BN')).to(DEVICE)
    features = torch.randn(1, 512, 97, 97, device=DEVICE, requires_grad=True)
    torch.cuda.reset_peak_memory_stats()
    start = torch.cuda.memory_allocated()
    head([features]).square().mean().backward()
    assert (torch.cuda.max_memory_allocated() - start) / 2**20 <= MEMORY
