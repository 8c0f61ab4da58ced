"""Scale attention (all four modules) with VGG16 on CamVid, 11 classes.

    python tools/train.py configs/scale_attention/scale_attention_vgg16_camvid.py

Paper: no figure.
We chose this small data set to try the method on.
"""
_base_ = ['../_base_/models/scale_attention_vgg16.py', '../_base_/datasets/camvid.py',
          '../_base_/solvers/scale_attention_vgg16.py', '../_base_/schedules/poly_4k.py',
          '../_base_/default_runtime.py']
model = dict(data_preprocessor=dict(size=_base_.crop_size), decode_head=dict(num_classes=_base_.num_classes),
             fusion=dict(num_classes=_base_.num_classes))
