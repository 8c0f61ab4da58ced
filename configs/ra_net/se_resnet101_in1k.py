"""SE-ResNet-101 (squeeze-and-excitation) on ImageNet-1K: 100 epochs of 256 images a step.

    python tools/train.py configs/ra_net/se_resnet101_in1k.py

Paper: params M 49.33, GFLOPs 7.871, top-1 78.4, top-5 94.1 (table 2).
"""
_base_ = './resnet101_in1k.py'
model = dict(backbone=dict(type='mmrev.SEResNet'))
