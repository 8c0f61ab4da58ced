"""Two scales merged by average pooling: VGG16 on PASCAL VOC 2012, 21 classes.

    python tools/train.py configs/scale_attention/avg_fusion_vgg16_voc12aug.py

Paper: mIoU 64.07 (table 1).
Here the scales have no supervision of their own: the paper gives it to the two attention models only.
"""
_base_ = './deeplab_lfov_vgg16_voc12aug.py'
model = dict(scales=(1.0, 0.5), fusion='avg', extra_supervision=False)
