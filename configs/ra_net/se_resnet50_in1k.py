"""SE-ResNet-50 (squeeze-and-excitation) on ImageNet-1K: 100 epochs of 256 images a step.

    python tools/train.py configs/ra_net/se_resnet50_in1k.py

Paper: top-1 77.3, top-5 93.6; 28.06 M parameters, 4.136 GFLOPs (table 2).
Assumed (table 1 does not say): steps at 30, 60 and 90 epochs; no zero initialisation of the last batch norms.
"""
_base_ = './resnet50_in1k.py'
model = dict(backbone=dict(type='mmrev.SEResNet'))
