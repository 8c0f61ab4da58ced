"""RA-ResNet-50 without temperature annealing on ImageNet-1K.

    python tools/train.py configs/ra_net/ra_resnet50_no_temp_in1k.py

Paper: top-1 77.4, top-5 93.8 (table 9).
"""
_base_ = './ra_resnet50_in1k.py'
custom_hooks = _base_.custom_hooks[:-1]  # without the annealing
