"""CBAM-ResNet-50 (CBAM) on ImageNet-1K: 100 epochs of 256 images a step.

    python tools/train.py configs/ra_net/cbam_resnet50_in1k.py

Paper: top-1 77.4, top-5 93.7; 30.57 M parameters, 4.140 GFLOPs (table 2).
Assumed (table 1 does not say): steps at 30, 60 and 90 epochs; no zero initialisation of the last batch norms.
"""
_base_ = './resnet50_in1k.py'
model = dict(backbone=dict(type='mmrev.CBAMResNet'))
