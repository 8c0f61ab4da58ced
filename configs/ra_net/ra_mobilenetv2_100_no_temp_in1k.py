"""RA-MobileNetV2 1.0x without temperature annealing on ImageNet-1K.

    python tools/train.py configs/ra_net/ra_mobilenetv2_100_no_temp_in1k.py

Paper: top-1 72.3, top-5 90.8 (table 9).
"""
_base_ = './ra_mobilenetv2_100_in1k.py'
custom_hooks = _base_.custom_hooks[:-1]  # without the annealing
