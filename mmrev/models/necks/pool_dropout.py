from torch import Tensor, nn
from torch.nn import functional as F

from mmrev.registry import MODELS


@MODELS.register_module()
class PoolDropout(nn.Module):
    """Global average pooling, then dropout: what stands before the classifiers of RA-Net's table 1.

    Args:
        p: Probability of a feature to be zeroed in training.
    """

    def __init__(self, p: float = 0.0) -> None:
        super().__init__()
        self.dropout = nn.Dropout(p)

    def forward(self, features: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Feature maps [B, C, H, W] to features [B, C]."""
        return tuple(self.dropout(F.adaptive_avg_pool2d(feature, 1).flatten(1)) for feature in features)
