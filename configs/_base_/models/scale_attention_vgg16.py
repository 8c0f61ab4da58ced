# DeepLab-LargeFOV at two scales, which the scale attention merges.
_base_ = './deeplab_lfov_vgg16.py'
model = dict(
    scales=(1.0, 0.5),
    fusion=dict(type='mmrev.ScaleAttentionHead', in_channels=[256, 512, 512, 1024], dilations=(12, 2),
                align_corners=True))
