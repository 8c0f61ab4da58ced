"""SE-ResNet-18 (squeeze-and-excitation) on ImageNet-1K: 100 epochs of 256 images a step.

    python tools/train.py configs/ra_net/se_resnet18_in1k.py

Paper: params M 11.78, GFLOPs 1.824, top-1 71.0, top-5 90.0 (table 2).
"""
_base_ = './resnet18_in1k.py'
model = dict(backbone=dict(type='mmrev.SEResNet'))
