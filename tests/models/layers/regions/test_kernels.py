"""The three backends of ``region_construction`` agree on every similarity. Triton's interpreter runs on the CPU."""

import os
import subprocess
import sys
from itertools import product
from pathlib import Path

import pytest
import region_maps
import torch

from mmrev.models.layers import region_construction, region_interaction

pytest.importorskip('triton')
pytest.importorskip('numba')

COMPARE = """
from itertools import product
import numpy as np, torch, region_maps
from reference import ranet
from mmrev.models.layers.regions import kernels_numba as numba, kernels_torch as tiles, kernels_triton as triton
from mmrev.models.layers.regions.construction import roots, sizes
from mmrev.models.layers.regions.similarity import SIMILARITIES

DIVERGENCES = dict(jsd=ranet.pairwise_similarity, binary_jsd=ranet.binary_divergence)
BACKENDS = tiles, numba, triton
torch.manual_seed(0)
triton.ROWS, triton.COLUMNS = 4, 4
stripes = torch.nn.functional.one_hot(torch.arange(24) % 3)  # partners far apart, in other blocks
MAPS = dict(stripes=(torch.zeros(1, 1, 24), stripes.T[None, :, None]), one_region=(
    torch.full((1, 4, 5), 0.3), torch.full((1, 2, 4, 5), 0.5)), zeros=(torch.zeros(1, 4, 5), torch.stack([
    part := torch.tensor([0., 0.1, 0.9, 1.]).repeat(5).view(1, 4, 5), 1 - part], 1)))
MAPS.update({f'{kind} {size}': region_maps.make(kind, size) for kind in region_maps.KINDS
             for size in [(3, 4), (1, 9), (1, 1)]})
compared = 0
LINES = (False, torch.float64), (True, torch.float64), (True, torch.float32)
for (name, maps), similarity, (ends, kind) in product(MAPS.items(), SIMILARITIES, LINES):
    torch.manual_seed(0)
    exact = 1e-12 if kind == torch.float64 else 1e-4
    boundary, probabilities = (part.to(kind).contiguous() for part in maps)
    threshold = 0.3 if name == 'zeros' else 0.7  # the constant map of one region is just at it
    if kind == torch.float64:
        dense = [ranet.construct(*(part[index].numpy() for part in (boundary, probabilities)), threshold,
                                 divergence=DIVERGENCES[similarity], end_points=ends) for index in range(len(boundary))]
        labels, scores = (torch.from_numpy(np.stack([found[part] for found in dense])) for part in (0, 1))
    else:
        labels = roots(numba.first_partners(boundary, probabilities, threshold, similarity, ends))
        scores = numba.sums_inside(boundary, probabilities, labels, similarity, ends) / sizes(labels)
    grad, partners, grads = torch.randn_like(scores), [], []
    for kernels in BACKENDS:
        partners.append(kernels.first_partners(boundary, probabilities, threshold, similarity, ends))
        assert torch.equal(roots(partners[-1]), labels), (name, similarity, ends, kind, kernels)
        sums = kernels.sums_inside(boundary, probabilities, labels, similarity, ends)
        torch.testing.assert_close(sums / sizes(labels), scores, rtol=0, atol=exact)
        grads.append(kernels.sums_inside_backward(boundary, probabilities, labels, similarity, ends, grad))
    same = [torch.equal(partners[0], other) for other in partners[1:]]
    assert all(same), (name, similarity, ends, kind)
    by_tiles, by_numba, by_triton = grads
    for a, b, c in zip(by_numba, by_triton, by_tiles):
        # the slope at zero is as steep as the type allows
        if kind == torch.float64 or not name.startswith(('zeros', 'certain')):
            torch.testing.assert_close(a, b, atol=exact, rtol=1e-9 if kind == torch.float64 else 1e-4)
        # in single precision, samples of a line that tie in the tiles differ in Numba's double precision
        if kind == torch.float64:
            torch.testing.assert_close(a, c, atol=1e-10, rtol=1e-9)
    compared += 1
print(compared)
"""


def run(code, **environment):
    folder = Path(__file__).parent
    paths = os.pathsep.join(map(str, (folder.parents[2], folder)))
    return subprocess.run(
        [sys.executable, '-c', code],
        env={**os.environ, 'PYTHONPATH': paths, **environment},
        text=True,
        capture_output=True,
        check=False,
    )


def test_all_backends_agree_with_the_dense_restatement():
    done = run(COMPARE, TRITON_INTERPRET='1')
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == ['108']


def test_a_triton_that_is_too_old_is_as_good_as_none():
    code = """
import warnings
import torch
from triton import language
if hasattr(language, 'log2'):
    del language.log2
from mmrev.models.layers.regions.construction import compiled
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter('always')
    print(compiled(torch.device('cuda')))
print(*(str(warning.message) for warning in caught))
"""
    found, warned = run(code).stdout.splitlines()
    assert found == 'None' and 'some hundred times slower: the kernels need Triton 3' in warned


@pytest.mark.slow
def test_kernels_compile_for_a_gpu():
    """Triton compiles to machine code without a GPU."""
    done = run(
        """
from itertools import product
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource, compile
from mmrev.models.layers.regions import kernels_triton as kernels

NAMES = '_first_partners', '_sums_inside', '_sums_inside_backward'
for name, code, ends in product(NAMES, kernels.KNOWN_CODES, (False, True)):
    kernel = getattr(kernels, name)
    constants = dict(CODE=code, ENDS=ends, THRESHOLD=0.8, ROOM=0.2, ROWS=kernels.ROWS, COLUMNS=kernels.COLUMNS,
                     SPAN=kernels.SPAN)
    kinds = dict.fromkeys(('order', 'ends', 'free', 'likeliest'), '*i32')
    kinds |= dict.fromkeys(('partners', 'counts', 'for_boundary', 'for_classes'), '*i64')
    kinds |= dict(extra='*i32' if code == kernels.table.BINARY_JSD else '*fp32', pixels='i32', width='i32',
                  classes='i32') | dict.fromkeys(constants, 'constexpr')
    source = ASTSource(fn=kernel, signature={key: kinds.get(key, '*fp32') for key in kernel.arg_names},
                       constexprs={key: value for key, value in constants.items() if key in kernel.arg_names})
    made = compile(source, target=GPUTarget('cuda', 80, 32)).asm
    # sums of floats would depend on the order of the programs
    atomics = {part for part in made['ptx'].split() if part.startswith(('atom.', 'red.'))}
    print('cubin' in made, all(part.endswith('.add.u64') for part in atomics), len(atomics) > 0)
""",
        TRITON_INTERPRET='0',
    )
    lines = done.stdout.split('\n')[:-1]
    assert lines == ['True True False'] * 4 + ['True True True'] * 8, done.stderr[-2000:]


DEVICE = 'cuda'


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
def test_on_a_gpu():
    compared = 0
    for kind, size, similarity, ends in product(
        region_maps.KINDS, [(3, 4), (1, 9), (33, 33), (20, 65)], ('jsd', 'binary_jsd'), (False, True)
    ):
        maps, features = region_maps.make(kind, size), torch.randn(2, 8, size[0] * size[1], dtype=torch.float64)
        for ours, theirs in zip(
            *(computed(device, similarity, ends, *maps, features) for device in ('cpu', DEVICE)), strict=True
        ):
            torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)
        compared += 1
    assert compared == 80


def computed(device, similarity, end_points, *given):
    """Returns the regions, the context of the features, and the gradients for the three inputs."""
    boundary, probabilities, features = given = [part.to(device).requires_grad_() for part in given]
    regions = region_construction(boundary, probabilities, similarity=similarity, end_points=end_points)
    context = region_interaction(features, regions)
    weights = torch.linspace(-1, 1, context.numel(), dtype=torch.float64).view(context.shape)
    (context * weights.to(device)).sum().backward()
    return [part.cpu() for part in (*regions, context, *(part.grad for part in given))]
