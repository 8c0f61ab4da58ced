# A small DeepLabv2 of output stride 8 on torchvision's ResNet-18, which expects RGB input. Its batch norm learns.
model = dict(
    type='mmrev.MultiScaleEncoderDecoder',
    scales=(1.0, 0.75, 0.5),
    fusion='max',
    data_preprocessor=dict(type='SegDataPreProcessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375],
                           bgr_to_rgb=True, pad_val=0, seg_pad_val=255),
    backbone=dict(type='ResNet', depth=18, num_stages=4, out_indices=(0, 1, 2, 3), strides=(1, 2, 1, 1),
                  dilations=(1, 1, 2, 4), norm_cfg=dict(type='BN', requires_grad=True),
                  init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet18')),
    decode_head=dict(type='mmrev.LargeFOVHead', in_channels=512, in_index=3, align_corners=True),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
