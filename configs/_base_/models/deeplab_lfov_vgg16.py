# DeepLab-LargeFOV on VGG16 with output stride 8. torchvision's weights expect RGB input.
model = dict(
    type='mmrev.MultiScaleEncoderDecoder',
    scales=(1.0, ),
    data_preprocessor=dict(type='SegDataPreProcessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375],
                           bgr_to_rgb=True, pad_val=0, seg_pad_val=255),
    backbone=dict(type='mmrev.LargeFOVVGG', depth=16, out_indices=(2, 3, 4, 5),
                  init_cfg=dict(type='Pretrained', checkpoint='torchvision://vgg16')),
    decode_head=dict(type='FCNHead', num_convs=0, concat_input=False, in_channels=1024, channels=1024, in_index=3,
                     dropout_ratio=0, align_corners=True),
    train_cfg=dict(),
    test_cfg=dict(mode='whole'))
