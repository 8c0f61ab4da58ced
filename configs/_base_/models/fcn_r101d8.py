# mmsegmentation's FCN on a ResNet-101 of output stride 8. The deep stem and align_corners follow RANet's own code. The
# paper names no auxiliary head, so there is none.
norm_cfg = dict(type='SyncBN', requires_grad=True)
model = dict(
    type='EncoderDecoder',
    data_preprocessor=dict(type='SegDataPreProcessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375],
                           bgr_to_rgb=True, pad_val=0, seg_pad_val=255),
    backbone=dict(type='ResNetV1c', depth=101, num_stages=4, out_indices=(0, 1, 2, 3), strides=(1, 2, 1, 1),
                  dilations=(1, 1, 2, 4), contract_dilation=True, norm_cfg=norm_cfg,
                  init_cfg=dict(type='Pretrained', checkpoint='open-mmlab://resnet101_v1c')),
    decode_head=dict(type='FCNHead', in_channels=2048, in_index=3, channels=512, dropout_ratio=0.1, norm_cfg=norm_cfg,
                     align_corners=True),
    train_cfg=dict(),
    test_cfg=dict(mode='slide'))
