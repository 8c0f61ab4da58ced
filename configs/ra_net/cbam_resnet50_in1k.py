"""CBAM-ResNet-50 on ImageNet-1K: 100 epochs of 256 images a step.

    python tools/train.py configs/ra_net/cbam_resnet50_in1k.py

Paper: params M 30.57, GFLOPs 4.140, top-1 77.4, top-5 93.7 (table 2).
"""
_base_ = './resnet50_in1k.py'
model = dict(backbone=dict(type='mmrev.CBAMResNet'))
