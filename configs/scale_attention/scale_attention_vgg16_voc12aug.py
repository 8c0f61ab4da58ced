"""Scale attention (all four modules) with VGG16 on PASCAL VOC 2012, 21 classes.

    python tools/train.py configs/scale_attention/scale_attention_vgg16_voc12aug.py

Paper: mIoU 67.98 (tables 1, 2).
"""
_base_ = ['../_base_/models/scale_attention_vgg16.py', '../_base_/datasets/voc12aug.py',
          '../_base_/solvers/scale_attention_vgg16.py', '../_base_/schedules/poly_20k.py',
          '../_base_/default_runtime.py']
model = dict(data_preprocessor=dict(size=_base_.crop_size), decode_head=dict(num_classes=_base_.num_classes),
             fusion=dict(num_classes=_base_.num_classes))
