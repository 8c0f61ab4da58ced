"""Two scales merged by max pooling: VGG16 on PASCAL VOC 2012, 21 classes.

    python tools/train.py configs/scale_attention/max_fusion_vgg16_voc12aug.py

Paper: mIoU 63.88 (table 1).
Here the scales have no supervision of their own: the paper gives it to the two attention models only.
"""
_base_ = './deeplab_lfov_vgg16_voc12aug.py'
model = dict(scales=(1.0, 0.5), fusion='max', extra_supervision=False)
