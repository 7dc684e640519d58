import torch

from monai_sfda.networks import DeepLabV2, FeatureTap, Head


def test_features_and_both_logits_are_at_a_stride_of_8_and_the_answer_at_the_size_of_the_image():
    network = DeepLabV2(1, 4, blocks=(1, 1, 1, 1)).eval()
    head = Head(network, "auxiliary", 4, own=True)
    with FeatureTap(network, "body.layer4") as features, FeatureTap(network, head.layer) as auxiliary, torch.no_grad():
        assert network(torch.zeros(1, 1, 64, 64)).shape == (1, 4, 64, 64)
        assert features.output.shape == (1, 2048, 9, 9)
        assert head(auxiliary.output).shape == (1, 4, 9, 9)


def test_by_default_it_has_the_blocks_of_resnet_101():
    with torch.device("meta"):
        stages = DeepLabV2().body
    assert [len(stage) for stage in (stages.layer1, stages.layer2, stages.layer3, stages.layer4)] == [3, 4, 23, 3]
