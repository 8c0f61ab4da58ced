"""CBAM-ResNet-101 on ImageNet-1K: 100 epochs of 256 images a step.

    python tools/train.py configs/ra_net/cbam_resnet101_in1k.py

Paper: params M 54.11, GFLOPs 7.878, top-1 78.5, top-5 94.2 (table 2).
"""
_base_ = './resnet101_in1k.py'
model = dict(backbone=dict(type='mmrev.CBAMResNet'))
