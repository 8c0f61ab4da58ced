"""RANet's object regions (Shen et al., NeurIPS 2020) in pure torch, in the order of the paper.

===================  =====================================================================================
equations.py         Equations 1 and 3: boundaries between two pixels, region attention.
similarity.py        Equation 2: the divergence of two pixels, and the table of its relatives.
options.py           The options of equations 1 to 5, checked.
construction.py      Equations 4 and 5: regions, representative scores and representatives.
kernels_torch.py     Equations 1 to 5 over all pairs of pixels, by tiles of rows.
kernels_numba.py     The same, compiled for a CPU.
kernels_numba_*.py   Its parts: partners, regions that go by rows of pairs and those that go by runs, and threads.
kernels_triton.py    The same, compiled for CUDA.
kernels_triton_*.py  Its part: equations 1 and 2 for blocks of pairs.
operators.py         The operators of torch that hide loops over regions from torch.compile and torch.export.
attention.py         The attention that equations 6 to 8 share.
interaction.py       Equations 6 to 8: collection, interaction, distribution.
authors_context.py   The same in the authors' code, which differs.
===================  =====================================================================================
"""

from .construction import Regions, region_construction
from .equations import pairwise_boundary
from .interaction import collect, distribute, interact, region_interaction
from .similarity import pairwise_similarity

__all__ = [
    'Regions',
    'collect',
    'distribute',
    'interact',
    'pairwise_boundary',
    'pairwise_similarity',
    'region_construction',
    'region_interaction',
]
