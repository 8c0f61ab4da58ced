"""DeepLab-LargeFOV, the baseline, VGG16, CamVid, 11 classes.

    python tools/train.py configs/scale_attention/deeplab_lfov_vgg16_camvid.py

Paper: no figure.
Not in the paper: a small data set to try the method on. Chosen here: batch 10, crop 321 x 321, 4,000 iterations,
learning rate 0.001 (x10 on the decoder), ImageNet weights.
"""
_base_ = ['../_base_/models/deeplab_lfov_vgg16.py', '../_base_/datasets/camvid.py',
          '../_base_/schedules/scale_attention_camvid.py', '../_base_/default_runtime.py']
model = dict(data_preprocessor=dict(size=_base_.crop_size), decode_head=dict(num_classes=_base_.num_classes))
