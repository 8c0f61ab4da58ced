"""RANet's region attention in place of the last classifier of torchvision's DeepLabv3.

pip install torchvision && python examples/torchvision_region_attention.py [--pretrained]
"""

import sys

import torch
from torchvision.models import resnet18
from torchvision.models.feature_extraction import create_feature_extractor
from torchvision.models.segmentation.deeplabv3 import DeepLabHead, DeepLabV3
from toy import NUM_CLASSES, accuracy, squares

from mmrev.models.layers import RegionAttention, boundary_labels, region_attention_losses

torch.manual_seed(0)
# small and fast; deeplabv3_resnet50(weights='DEFAULT') has the same two parts
backbone = resnet18(weights='DEFAULT' if '--pretrained' in sys.argv else None)
deeplab = DeepLabV3(create_feature_extractor(backbone, {'layer1': 'out'}), DeepLabHead(64, NUM_CLASSES, [2]))
deeplab.classifier[-1] = torch.nn.Identity()  # what is left gives 256 channels
head = RegionAttention(256, NUM_CLASSES, channels=64, norm=torch.nn.BatchNorm2d)
network = torch.nn.ModuleDict({'deeplab': deeplab, 'head': head})
optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)


def features(images):
    return deeplab.classifier(deeplab.backbone(images)['out'])


for _ in range(25):
    images, labels = squares(8)
    losses = region_attention_losses(head.branches(features(images)), labels, boundary_labels(labels))
    optimizer.zero_grad()
    sum(losses.values()).backward()
    optimizer.step()

network.eval()
images, labels = squares(16)
with torch.no_grad():
    scores, regions = head(features(images)), head.regions(features(images))
print('losses of the last step:', ', '.join(f'{name} {loss:.2f}' for name, loss in losses.items()))
counts = [len(each.unique()) for each in regions.labels]
print(f'right on new squares: {accuracy(scores, labels)}; {sum(counts) / len(counts):.1f} regions an image')
