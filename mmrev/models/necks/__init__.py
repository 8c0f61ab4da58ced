from mmrev.hosts import host_problem, register_explanations
from mmrev.registry import MODELS

from .pool_dropout import PoolDropout

if host_problem('mmseg') is None:
    from .concat_aspp import ConcatASPP  # noqa: F401
else:
    register_explanations(MODELS, 'mmseg', ['ConcatASPP'])

__all__ = ['PoolDropout']
