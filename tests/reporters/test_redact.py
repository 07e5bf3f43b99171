"""What identifies a person or a machine is taken out; nothing else is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from arenascope.reporters import stamp
from arenascope.reporters.redact import REDACTED, names_in, redact_text, redacted
from tests.support.captures import example_capture

pytestmark = pytest.mark.pure


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("scp ada@door:/home/ada/m.tflite", f"scp {REDACTED}:/home/{REDACTED}/m.tflite"),
        ("Mmap of '/home/pi/detector/model' failed.", f"Mmap of '/home/{REDACTED}/detector/model' failed."),
        ("/Users/Grace Hopper/m", f"/Users/{REDACTED} Hopper/m"),
        (r"C:\Users\ada\m.tflite", rf"C:\Users\{REDACTED}\m.tflite"),
        ("ssh: 192.168.1.20:22 refused", f"ssh: {REDACTED} refused"),
        ("at 10.0.0.7.", f"at {REDACTED}."),
        ("fe80::1ff:fe23:4567:890a%eth0 is gone", f"{REDACTED} is gone"),
        ("door.local did not answer", f"{REDACTED} did not answer"),
        ("sshd: ada@pts/0", f"sshd: {REDACTED}/0"),
        ("user@[::1]:2200", REDACTED),
    ],
)  # fmt: skip
def test_what_identifies_somebody_is_taken_out(text: str, shown: str) -> None:
    assert redact_text(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "INFO: Created TensorFlow Lite XNNPACK delegate for CPU.",
        "Node number 3 (CONV_2D) failed to prepare.",
        "tensorflow/lite/kernels/conv.cc:343 input->type != filter->type",
        "std::bad_alloc in tflite::Subgraph::AllocateTensors()",
        "version 2.14.0 at 12:03:04",
        "@tf.function",
        "StatefulPartitionedCall:0",
        "/usr/lib/aarch64-linux-gnu/libc.so.6",
        "",
    ],
)
def test_everything_else_stays(text: str) -> None:
    assert redact_text(text, ("door", "ada")) == text


def test_names_of_the_device_are_whole_words() -> None:
    assert (
        redact_text("Door: doorbell on door-2, door", ("door",))
        == f"{REDACTED}: doorbell on door-2, {REDACTED}"
    )


@pytest.mark.parametrize(
    ("device", "names"),
    [
        ("ada@door.lan:2200", ("ada@door.lan:2200", "ada", "door.lan", "door")),
        ("pi4-lab", ("pi4-lab",)),
        ("local", ()),
        ("This computer", ()),
        ("root@localhost", ("root@localhost",)),
        ("", ()),
    ],
)
def test_the_names_in_a_device(device: str, names: tuple[str, ...]) -> None:
    assert names_in(device) == names


def test_figures_and_names_of_tensors_stay() -> None:
    capture = example_capture()
    shown = redacted(capture)
    assert shown.device.name == REDACTED
    assert shown.layout == capture.layout
    assert (shown.totals, shown.phases, shown.attribution) == (
        capture.totals,
        capture.phases,
        capture.attribution,
    )
    assert shown.device.kernel == capture.device.kernel


def test_this_computer_keeps_its_name() -> None:
    capture = example_capture()
    shown = redacted(replace(capture, device=replace(capture.device, name="local")))
    assert shown.device.name == "local"


def test_redaction_takes_no_longer_for_a_long_name() -> None:
    """Each pattern is bounded: a name of a million letters is not tried from every letter on."""
    long = "x" * 1_000_000
    assert redact_text(long) == long
    assert redact_text("a." * 200_000 + "@") == "a." * 200_000 + "@"


def test_the_stamp_has_every_fact() -> None:
    capture = example_capture()
    text = "\n".join(stamp.lines(capture))
    for part in (
        capture.model.name, capture.model.sha256, "tflite_runtime 2.14.0", "delegate none", "1 thread",
        REDACTED, "armv7l", "32-bit process", "kernel 6.6.51+rpt-rpi-v7l", "924.0 MiB RAM", "100.0 MiB swap",
        "2026-11-20 14:03:12 UTC", "ArenaScope 0.1.0",
    ):  # fmt: skip
        assert part in text
    assert "device pi4-lab" in "\n".join(stamp.lines(capture, redact=False))


@pytest.mark.parametrize(
    ("created", "shown"),
    [
        ("2026-11-20T14:03:12Z", "2026-11-20 14:03:12 UTC"),
        ("2026-11-20T14:03:12.123456+00:00", "2026-11-20 14:03:12 UTC"),
        ("yesterday", "yesterday"),
        (None, "date unknown"),
    ],
)
def test_the_date(created: str | None, shown: str) -> None:
    assert stamp.date_text(created) == shown
