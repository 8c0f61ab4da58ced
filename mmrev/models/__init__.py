from mmrev.hosts import host_problem, register_explanations, require_host
from mmrev.registry import MODELS

_NEED_MMSEG = ('ASPPV2Head', 'LargeFOVHead', 'ReverseAttentionHead', 'MultiScaleEncoderDecoder')

if host_problem('mmseg') is None:
    from .decode_heads import ASPPV2Head, LargeFOVHead, ReverseAttentionHead
    from .segmentors import MultiScaleEncoderDecoder
else:
    register_explanations(MODELS, 'mmseg', _NEED_MMSEG)

    def __getattr__(name: str) -> None:
        if name in _NEED_MMSEG:
            require_host('mmseg', f'mmrev.models.{name}')
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')

__all__ = ['ASPPV2Head', 'LargeFOVHead', 'MultiScaleEncoderDecoder', 'ReverseAttentionHead']
