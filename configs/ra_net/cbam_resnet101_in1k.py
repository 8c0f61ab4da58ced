"""CBAM-ResNet-101 (CBAM) on ImageNet-1K: 100 epochs of 256 images a step.

    python tools/train.py configs/ra_net/cbam_resnet101_in1k.py

Paper: top-1 78.5, top-5 94.2; 54.11 M parameters, 7.878 GFLOPs (table 2).
Assumed (table 1 does not say): steps at 30, 60 and 90 epochs; no zero initialisation of the last batch norms.
"""
_base_ = './resnet101_in1k.py'
model = dict(backbone=dict(type='mmrev.CBAMResNet'))
