"""What is asked for of pictures: what is read, and what is refused by its name."""

from __future__ import annotations

import pytest

from trivium.dialects.modelarts.datasets.processing import checked, resize_of
from trivium.dialects.reading import OutOfBounds
from trivium.resources.samples.ports import Fit, Resize


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("image/resize,m_lfit,h_200", Resize(height=200)),
        ("image/resize,h_200", Resize(height=200)),
        ("image/resize,w_1,h_4096,m_fill", Resize(fit=Fit.FILL, width=1, height=4096)),
        ("image/resize,l_5,s_6,limit_0", Resize(longest=5, shortest=6, enlarge=True)),
        ("image/resize,p_1000,limit_1", Resize(percent=1000)),
        ("image/resize,m_pad,w_1,h_1,color_aabbcc", Resize(fit=Fit.PAD, width=1, height=1, color="AABBCC")),
    ],
)
def test_what_is_read(text: str, wanted: Resize) -> None:
    assert resize_of(text, "x-image-process") == wanted
    assert checked(f" {text} ", "x-image-process") == text


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("image/crop,w_1", "image/crop,w_1"),
        ("image/resize,h_1/quality,q_80", "quality"),
        ("video/resize,h_1", "video"),
        ("resize,h_1", "resize,h_1"),
        ("image/resize", "size"),
        ("image/resize,", "''"),
        ("image/resize,m_lfit", "size"),
        ("image/resize,h_0", "'0'"),
        ("image/resize,h_4097", "'4097'"),
        ("image/resize,h_-1", "'-1'"),
        ("image/resize,h_1.5", "'1.5'"),
        ("image/resize,h_٣", "'٣'"),
        ("image/resize,p_1001", "'1001'"),
        ("image/resize,h_1,h_2", "'h_2'"),
        ("image/resize,h_1,p_2", "size"),
        ("image/resize,h_1,l_2", "size"),
        ("image/resize,m_fill,h_1", "size"),
        ("image/resize,m_pad,w_1", "size"),
        ("image/resize,m_bigger,h_1", "'bigger'"),
        ("image/resize,h_1,limit_2", "'2'"),
        ("image/resize,h_1,color_FFFFFF", "color"),
        ("image/resize,m_pad,w_1,h_1,color_red", "'red'"),
        ("image/resize,h_1,q_80", "'q_80'"),
        ("image/resize,h", "'h'"),
        ("image/resize,h_1," + "w_1," * 100, "image/resize"),
    ],
)
def test_what_is_refused_names_what_it_is(text: str, named: str) -> None:
    with pytest.raises(OutOfBounds) as refused:
        resize_of(text, "process_parameter")
    assert refused.value.field == "process_parameter"
    assert named in str(refused.value.details)


@pytest.mark.parametrize("text", [None, "", "  "])
def test_nothing_asks_for_nothing(text: str | None) -> None:
    assert checked(text, "process_parameter") == ""
