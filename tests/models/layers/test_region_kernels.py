"""Triton's kernels, interpreted on the CPU, do what Numba's do; both are behind ``region_construction``."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip('triton')
pytest.importorskip('numba')

COMPARE = '''
from itertools import product
import torch, region_maps
from mmrev.models.layers import region_kernels_numba as numba, region_kernels_triton as triton
from mmrev.models.layers.region_construction import roots

triton.ROWS, triton.COLUMNS = 4, 8
compared = 0
for kind, similarity in product(region_maps.KINDS, ('jsd', 'binary_jsd')):
    for size in [(3, 4), (1, 9), (1, 1)]:
        torch.manual_seed(0)
        boundary, probabilities = region_maps.make(kind, size)
        partners = [kernels.first_partners(boundary, probabilities, 0.8, similarity) for kernels in (numba, triton)]
        assert torch.equal(*partners), kind
        labels = roots(partners[0])
        sums = [kernels.sums_inside(boundary, probabilities, labels, similarity) for kernels in (numba, triton)]
        torch.testing.assert_close(*sums, rtol=0, atol=1e-12)
        grad = torch.randn_like(sums[0])
        grads = [kernels.sums_inside_backward(boundary, probabilities, labels, similarity, grad)
                 for kernels in (numba, triton)]
        for a, b in zip(*grads):
            torch.testing.assert_close(a, b, rtol=0, atol=1e-12)
        compared += 1
print(compared)
'''


def run(code, **environment):
    folder = Path(__file__).parent
    paths = os.pathsep.join(map(str, (folder.parents[2], folder)))
    return subprocess.run([sys.executable, '-c', code], env={**os.environ, 'PYTHONPATH': paths, **environment},
                          text=True, capture_output=True, check=False)


def test_interpreted_kernels_agree():
    done = run(COMPARE, TRITON_INTERPRET='1')
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == ['24']


@pytest.mark.slow
def test_kernels_compile_for_a_gpu():
    """Down to machine code, which needs no GPU."""
    done = run('''
from itertools import product
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource, compile
from mmrev.models.layers import region_kernels_triton as kernels

for name, binary in product(('_first_partners', '_sums_inside', '_sums_inside_backward'), (False, True)):
    kernel = getattr(kernels, name)
    kinds = dict(partners='*i64', labels='*i64', extra='*i32' if binary else '*fp32', pixels='i32', width='i32',
                 classes='i32', threshold='fp32', BINARY='constexpr', ROWS='constexpr', COLUMNS='constexpr')
    source = ASTSource(fn=kernel, signature={key: kinds.get(key, '*fp32') for key in kernel.arg_names},
                       constexprs=dict(BINARY=binary, ROWS=kernels.ROWS, COLUMNS=kernels.COLUMNS))
    print('cubin' in compile(source, target=GPUTarget('cuda', 80, 32)).asm)
''', TRITON_INTERPRET='0')
    assert done.stdout.split() == ['True'] * 6, done.stderr[-2000:]
