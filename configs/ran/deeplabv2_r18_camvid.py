"""DeepLabv2-LargeFOV, the baseline: ResNet-18, CamVid, 11 classes.

    python tools/train.py configs/ran/deeplabv2_r18_camvid.py

Paper: no figure.
Not in the paper: a small data set and backbone to try RAN on. Chosen here: batch 10, crop 321 x 321, 4,000
iterations, learning rate 0.0025 (x10 on the classifiers), batch norm that learns, ImageNet weights.
"""
_base_ = ['../_base_/models/deeplabv2_r18.py',
          '../_base_/datasets/camvid.py', '../_base_/schedules/deeplabv2_camvid.py', '../_base_/default_runtime.py']
model = dict(data_preprocessor=dict(size=_base_.crop_size),
             decode_head=dict(num_classes=_base_.num_classes))
