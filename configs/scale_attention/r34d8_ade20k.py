"""ResNet34-dilated8 (the baseline) on ADE20K, 150 classes.

    python tools/train.py configs/scale_attention/r34d8_ade20k.py

Paper: mIoU 32.67, aAcc 76.41 (table 3).
"""
_base_ = ['../_base_/models/r34d8.py', '../_base_/datasets/ade20k_512.py', '../_base_/solvers/scale_attention_r34d8.py',
          '../_base_/schedules/poly_80k.py', '../_base_/default_runtime.py']
model = dict(data_preprocessor=dict(size=_base_.crop_size), decode_head=dict(num_classes=_base_.num_classes))
