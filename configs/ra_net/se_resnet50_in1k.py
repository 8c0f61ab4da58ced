"""SE-ResNet-50 (squeeze-and-excitation) on ImageNet-1K: 100 epochs of 256 images a step.

    python tools/train.py configs/ra_net/se_resnet50_in1k.py

Paper: params M 28.06, GFLOPs 4.136, top-1 77.3, top-5 93.6 (table 2).
"""
_base_ = './resnet50_in1k.py'
model = dict(backbone=dict(type='mmrev.SEResNet'))
