# DeepLabv2's ResNet-101 of output stride 8 is Caffe's variant: BGR input, and the stride on the 1x1 convolution. Its
# batch norm is frozen.
model = dict(
    type='mmrev.MultiScaleEncoderDecoder',
    scales=(1.0, 0.75, 0.5),
    fusion='max',
    data_preprocessor=dict(type='SegDataPreProcessor', mean=[104.008, 116.669, 122.675], std=[1.0, 1.0, 1.0],
                           bgr_to_rgb=False, pad_val=0, seg_pad_val=255),
    backbone=dict(type='ResNet', depth=101, num_stages=4, out_indices=(0, 1, 2, 3), strides=(1, 2, 1, 1),
                  dilations=(1, 1, 2, 4), style='caffe', contract_dilation=False,
                  norm_cfg=dict(type='BN', requires_grad=False), norm_eval=True,
                  init_cfg=dict(type='Pretrained', checkpoint='open-mmlab://detectron2/resnet101_caffe')),
    decode_head=dict(type='mmrev.LargeFOVHead', in_channels=2048, in_index=3, align_corners=True),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
