"""SegFormer-B0 (the baseline) on CamVid, 11 classes.

    python tools/train.py configs/combined/segformer_b0_camvid.py

Not in the papers. RAN-n around it is ran_n_segformer_b0_camvid.
"""
_base_ = ['../_base_/models/segformer_b0.py', '../_base_/datasets/camvid.py', '../_base_/solvers/segformer.py',
          '../_base_/schedules/poly_4k.py', '../_base_/default_runtime.py']
model = dict(
    data_preprocessor=dict(size=_base_.crop_size),
    decode_head=dict(num_classes=_base_.num_classes, norm_cfg=dict(type='BN', requires_grad=True)))
