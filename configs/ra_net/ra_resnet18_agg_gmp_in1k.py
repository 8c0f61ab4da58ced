"""RA-ResNet-18 with the absolute value of the global maximum on ImageNet-1K: 100 epochs of 256 images a step.

    python tools/train.py configs/ra_net/ra_resnet18_agg_gmp_in1k.py

Paper: top-1 70.3, top-5 89.5 (table 6).
"""
_base_ = './ra_resnet18_in1k.py'
model = dict(backbone=dict(aggregation='gmp'))
