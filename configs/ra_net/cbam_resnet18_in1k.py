"""CBAM-ResNet-18 (CBAM) on ImageNet-1K: 100 epochs of 256 images a step.

    python tools/train.py configs/ra_net/cbam_resnet18_in1k.py

Paper: top-1 71.1, top-5 89.9; 11.87 M parameters, 1.825 GFLOPs (table 2).
Assumed (table 1 does not say): steps at 30, 60 and 90 epochs; no zero initialisation of the last batch norms.
"""
_base_ = './resnet18_in1k.py'
model = dict(backbone=dict(type='mmrev.CBAMResNet'))
