"""DeepLabv2-LargeFOV (the baseline) with ResNet-18 on CamVid, 11 classes.

    python tools/train.py configs/ran/deeplabv2_r18_camvid.py

Paper: no figure.
We chose this small data set and this small backbone to try the method on.
"""
_base_ = ['../_base_/models/deeplabv2_r18.py', '../_base_/datasets/camvid.py', '../_base_/solvers/deeplabv2.py',
          '../_base_/schedules/poly_4k.py', '../_base_/default_runtime.py']
model = dict(data_preprocessor=dict(size=_base_.crop_size),
             decode_head=dict(num_classes=_base_.num_classes))
optim_wrapper = dict(optimizer=dict(lr=2.5e-3))
