"""RAN's head on a backbone of timm, trained in plain torch.

pip install timm && python examples/timm_reverse_attention.py [--pretrained]
"""

import sys

import timm
import torch
from toy import NUM_CLASSES, accuracy, squares

from mmrev.models.layers import ReverseAttention, reverse_attention_losses

torch.manual_seed(0)
backbone = timm.create_model(
    'resnet18', features_only=True, output_stride=8, out_indices=[4], pretrained='--pretrained' in sys.argv
)
head = ReverseAttention(backbone.feature_info.channels()[0], NUM_CLASSES, mode='normalized', dilation=1)
network = torch.nn.ModuleDict({'backbone': backbone, 'head': head})
optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)

for _ in range(20):
    images, labels = squares(8)
    losses = reverse_attention_losses(head.branches(backbone(images)[0]), labels)
    optimizer.zero_grad()
    sum(losses.values()).backward()
    optimizer.step()

images, labels = squares(16)
with torch.no_grad():
    network.eval()
    branches = head.branches(backbone(images)[0])
print('losses of the last step:', ', '.join(f'{name} {loss:.2f}' for name, loss in losses.items()))
print(
    f'right on new squares: combined {accuracy(branches.combined, labels)}, original '
    f'{accuracy(branches.original, labels)}'
)
