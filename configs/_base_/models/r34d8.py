# ResNet-34 of output stride 8 with a deep stem. The classifier follows MIT CSAIL's scene parsing code: a 3x3
# convolution to a quarter of the channels and a 1x1 convolution.
norm_cfg = dict(type='SyncBN', requires_grad=True)
model = dict(
    type='mmrev.MultiScaleEncoderDecoder',
    scales=(1.0, ),
    data_preprocessor=dict(type='SegDataPreProcessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375],
                           bgr_to_rgb=True, pad_val=0, seg_pad_val=255),
    backbone=dict(type='mmrev.DilatedResNet', depth=34, norm_cfg=norm_cfg,
                  init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet34')),
    decode_head=dict(type='FCNHead', num_convs=1, concat_input=False, in_channels=512, channels=128, in_index=3,
                     dropout_ratio=0, norm_cfg=norm_cfg, align_corners=False),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
