"""Two scales merged with average pooling, VGG16, PASCAL VOC 2012, 21 classes.

    python tools/train.py configs/scale_attention/avg_fusion_vgg16_voc12aug.py

Paper: mIoU 64.07 (table 1).
Assumed (the paper prints none of it): DeepLab's batch 10, crop 321 x 321, random scales and mirroring, 20,000
iterations, learning rate 0.001.
The paper gives extra supervision at each scale to the two attention models only: none here.
"""
_base_ = './deeplab_lfov_vgg16_voc12aug.py'
model = dict(scales=(1.0, 0.5), fusion='avg', extra_supervision=False)
