"""SE-ResNet-101 (squeeze-and-excitation) on ImageNet-1K: 100 epochs of 256 images a step.

    python tools/train.py configs/ra_net/se_resnet101_in1k.py

Paper: top-1 78.4, top-5 94.1; 49.33 M parameters, 7.871 GFLOPs (table 2).
Assumed (table 1 does not say): steps at 30, 60 and 90 epochs; no zero initialisation of the last batch norms.
"""
_base_ = './resnet101_in1k.py'
model = dict(backbone=dict(type='mmrev.SEResNet'))
