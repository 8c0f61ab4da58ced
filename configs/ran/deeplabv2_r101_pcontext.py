"""DeepLabv2-LargeFOV (the baseline) with ResNet-101 on PASCAL-Context, 59 classes.

    python tools/train.py configs/ran/deeplabv2_r101_pcontext.py

Paper: mIoU 43.5 (tables 1, 2 msc).
Table 1 prints this figure, without the CRF, beside RAN's figures with the CRF.
"""
_base_ = ['../_base_/models/deeplabv2_r101.py', '../_base_/datasets/pcontext59.py', '../_base_/solvers/deeplabv2.py',
          '../_base_/schedules/poly_20k.py', '../_base_/default_runtime.py']
model = dict(data_preprocessor=dict(size=_base_.crop_size),
             decode_head=dict(num_classes=_base_.num_classes))
