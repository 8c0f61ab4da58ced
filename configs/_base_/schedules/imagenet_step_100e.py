# ResNet's columns of RA-Net's table 1. The steps are those that ResNets are usually trained with: the paper prints none.
_base_ = 'mmpretrain::_base_/schedules/imagenet_bs256.py'
