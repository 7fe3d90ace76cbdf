import os
from pathlib import Path

import pytest

from device.cameras.errors import CameraError, RebindRefused
from device.cameras.rebind import rebind, usb_port


class UsbBus:
    """A kernel's `/sys` and `/dev` as far as cameras are in it; `bind` and `unbind` keep what was written last."""

    def __init__(self, root: Path) -> None:
        self.sys, self.dev = root / "sys", root / "dev"
        driver = self.sys / "bus/usb/drivers/usb"
        self.driver, self.bind, self.unbind = driver, driver / "bind", driver / "unbind"
        for folder in (driver, self.sys / "bus/usb/devices", self.sys / "class/video4linux", self.dev):
            folder.mkdir(parents=True)
        self.bind.touch()
        self.unbind.touch()

    def plug_in(self, port: str, video: str) -> Path:
        """Plug in a camera; its video device."""
        camera = self.sys / "devices/pci0000:00/usb1" / port
        (camera / f"{port}:1.0/video4linux" / video).mkdir(parents=True)
        (self.sys / "bus/usb/devices" / port).symlink_to(camera)
        (self.driver / port).symlink_to(camera)
        return self._show(video, camera / f"{port}:1.0")

    def solder_in(self, video: str, place: str = "platform/axi/1000880000.pisp_be") -> Path:
        """A camera that is no interface of a USB device; its video device."""
        chip = self.sys / "devices" / place
        (chip / "video4linux" / video).mkdir(parents=True)
        return self._show(video, chip)

    def _show(self, video: str, device: Path) -> Path:
        entry = device / "video4linux" / video
        (entry / "device").symlink_to(device)
        (self.sys / "class/video4linux" / video).symlink_to(entry)
        (self.dev / video).touch()
        return self.dev / video


@pytest.fixture
def bus(tmp_path: Path) -> UsbBus:
    return UsbBus(tmp_path)


class TestThePort:
    @pytest.mark.parametrize("port", ["1-1", "1-1.2", "3-2.4.1"])
    def test_a_camera_has_the_port_it_is_plugged_into(self, bus: UsbBus, port: str) -> None:
        assert usb_port(bus.plug_in(port, "video0"), bus.sys) == port

    def test_it_is_found_by_the_name_that_lasts(self, bus: UsbBus, tmp_path: Path) -> None:
        link = tmp_path / "dev/v4l/by-path/platform-xhci-hcd.0-usb-0:1.2:1.0-video-index0"
        link.parent.mkdir(parents=True)
        link.symlink_to(bus.plug_in("1-1.2", "video4"))
        assert usb_port(os.fspath(link), bus.sys) == "1-1.2"

    def test_two_cameras_have_each_their_own(self, bus: UsbBus) -> None:
        overhead, front = bus.plug_in("1-1.2", "video0"), bus.plug_in("1-1.4", "video2")
        assert [usb_port(path, bus.sys) for path in (overhead, front)] == ["1-1.2", "1-1.4"]

    def test_a_camera_on_no_usb_port_has_none(self, bus: UsbBus) -> None:
        assert usb_port(bus.solder_in("video0"), bus.sys) is None

    def test_the_hub_is_never_taken_for_the_camera(self, bus: UsbBus) -> None:
        assert usb_port(bus.solder_in("video0", "pci0000:00/usb1/1-1/1-1.2"), bus.sys) is None

    @pytest.mark.parametrize("path", ["/dev/video63", "/no/such/camera", "/"])
    def test_what_is_not_there_has_none(self, bus: UsbBus, path: str) -> None:
        assert usb_port(path, bus.sys) is None

    def test_a_machine_without_cameras_has_none(self, tmp_path: Path) -> None:
        assert usb_port("/dev/video0", tmp_path / "sys") is None


def test_a_camera_is_taken_off_its_driver_and_put_back(bus: UsbBus) -> None:
    bus.plug_in("1-1.4", "video2")
    port = usb_port(bus.plug_in("1-1.2", "video0"), bus.sys)
    assert port is not None
    rebind(port, bus.sys, pause_s=0.05)
    assert bus.unbind.read_text(encoding="ascii") == bus.bind.read_text(encoding="ascii") == "1-1.2"
    assert bus.unbind.stat().st_mtime_ns < bus.bind.stat().st_mtime_ns


def test_a_camera_that_was_left_off_its_driver_is_only_put_back(bus: UsbBus) -> None:
    bus.plug_in("1-1.2", "video0")
    (bus.driver / "1-1.2").unlink()
    rebind("1-1.2", bus.sys, pause_s=0)
    assert bus.unbind.read_text(encoding="ascii") == ""
    assert bus.bind.read_text(encoding="ascii") == "1-1.2"


class TestRefusals:
    def test_an_empty_port_is_named(self, bus: UsbBus) -> None:
        with pytest.raises(RebindRefused, match=r"USB port 1-1\.3: nothing is plugged in there"):
            rebind("1-1.3", bus.sys, pause_s=0)

    @pytest.mark.parametrize(
        "port", ["", "usb1", "1-0:1.0", "1-1.2:1.0", "../1-1", "1-1\n2-1", "1-1.", "\u0661-\u0661"]
    )
    def test_only_a_port_is_ever_written(self, bus: UsbBus, port: str) -> None:
        with pytest.raises(RebindRefused, match="no USB port"):
            rebind(port, bus.sys, pause_s=0)
        assert bus.unbind.read_text(encoding="ascii") == bus.bind.read_text(encoding="ascii") == ""

    def test_a_kiosk_that_may_not_is_told_what_to_do(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tree(tmp_path).touch()

        def refuse(path: Path, _flags: int) -> int:  # as the kernel does to everyone but root
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(os, "open", refuse)
        with pytest.raises(RebindRefused, match=r"may not write to .*unbind; let its user do so"):
            rebind("1-1.2", tmp_path, pause_s=0)

    def test_a_kernel_that_will_not_is_quoted(self, tmp_path: Path) -> None:
        self.tree(tmp_path).mkdir()
        with pytest.raises(RebindRefused, match=r"refused unbind \(Is a directory\); replug the camera by hand"):
            rebind("1-1.2", tmp_path, pause_s=0)

    def test_no_file_is_made_where_there_is_none(self, tmp_path: Path) -> None:
        unbind = self.tree(tmp_path)
        with pytest.raises(CameraError, match="No such file"):
            rebind("1-1.2", tmp_path, pause_s=0)
        assert not unbind.exists()

    @staticmethod
    def tree(root: Path) -> Path:
        """A bus with a camera in port 1-1.2; where its `unbind` belongs."""
        (root / "bus/usb/devices/1-1.2").mkdir(parents=True)
        (root / "bus/usb/drivers/usb/1-1.2").mkdir(parents=True)
        return root / "bus/usb/drivers/usb/unbind"
