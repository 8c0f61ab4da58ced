"""CBAM-ResNet-18 on ImageNet-1K: 100 epochs of 256 images a step.

    python tools/train.py configs/ra_net/cbam_resnet18_in1k.py

Paper: params M 11.87, GFLOPs 1.825, top-1 71.1, top-5 89.9 (table 2).
"""
_base_ = './resnet18_in1k.py'
model = dict(backbone=dict(type='mmrev.CBAMResNet'))
