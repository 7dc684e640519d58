import pytest
import torch
from torch import nn

from monai_sfda.handlers import MeanTeacher


def network():
    return nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.Dropout(0.5))


def move(student):
    with torch.no_grad():
        for parameter in student.parameters():
            parameter.add_(1.0)


def test_average_has_its_closed_form():
    student = network()
    start = [p.clone() for p in student.parameters()]
    teacher = MeanTeacher(student, decay=0.9)
    for _ in range(3):
        move(student)
        teacher.update()
    # Student is at +1, +2, +3: the average lags by 0.1 * 3 + 0.09 * 2 + 0.081 * 1.
    for mine, first in zip(teacher.network.parameters(), start, strict=True):
        torch.testing.assert_close(mine, first + 0.561)


@pytest.mark.parametrize(("decay", "gap"), [(1.0, 1.0), (0.0, 0.0)])
def test_decay_one_keeps_the_source_and_zero_copies_the_student(decay, gap):
    student = network()
    teacher = MeanTeacher(student, decay=decay)
    move(student)
    teacher.update()
    for mine, its in zip(teacher.network.parameters(), student.parameters(), strict=True):
        torch.testing.assert_close(its - mine, torch.full_like(its, gap))


def test_statistics_are_the_teachers_own():
    student = network()
    teacher = MeanTeacher(student)
    teacher.prepare()
    student.train()
    student(torch.randn(4, 1, 8, 8) + 5)
    teacher.network(torch.randn(4, 1, 8, 8) - 5)
    own = teacher.network[1].running_mean.clone()
    teacher.update()
    assert torch.equal(teacher.network[1].running_mean, own)
    assert not torch.allclose(own, student[1].running_mean)
    assert teacher.network[2].training


def test_buffers_are_averaged_on_request_and_counters_left_alone():
    student = network()
    teacher = MeanTeacher(student, decay=0.5, average_buffers=True)
    student[1].running_mean.fill_(4.0)
    student[1].num_batches_tracked.fill_(7)
    teacher.update()
    assert teacher.network[1].running_mean.tolist() == [2.0, 2.0]
    assert teacher.network[1].num_batches_tracked.item() == 0


def test_teacher_needs_no_gradient_and_a_bad_decay_is_refused():
    assert not any(p.requires_grad for p in MeanTeacher(network()).network.parameters())
    with pytest.raises(ValueError, match=r"between 0 .* and 1 .*, found 2"):
        MeanTeacher(network(), decay=2)
