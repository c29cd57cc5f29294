"""Hubs of one database share one data folder, and each has a name of its own there."""

import asyncio
import shutil
from pathlib import Path

import pytest

from hub.app import data_folder_problems
from hub.clock import FakeClock
from hub.domain.errors import Unavailable
from hub.services.data_folder import DataFolder, NodeName
from tests.builders import Desk, open_desk, small_company


def folder_of(desk: Desk, folder: Path) -> DataFolder:
    return DataFolder(desk.hub.services.store, desk.clock, folder)


def test_each_running_hub_has_a_name_of_its_own_and_keeps_it(tmp_path: Path) -> None:
    one, two, three = (NodeName(tmp_path) for _ in range(3))
    names = [one.take(), two.take()]
    assert len(set(names)) == 2
    two.release()
    assert three.take() == names[1]
    one.release()
    three.release()
    again = NodeName(tmp_path)
    assert again.take() == names[0]
    again.release()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_second_hub_needs_the_same_folder(desk: Desk, tmp_path: Path) -> None:
    own = desk.hub.settings.server.data_dir
    await folder_of(desk, own).claim()

    with pytest.raises(Unavailable, match="another data folder"):
        await folder_of(desk, tmp_path / "other").claim()

    copied = tmp_path / "copied"
    shutil.copytree(own, copied)
    await folder_of(desk, copied).claim()


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_hub_that_slept_while_others_went_on_elsewhere_says_so(desk: Desk, tmp_path: Path) -> None:
    slept, other = folder_of(desk, desk.hub.settings.server.data_dir), folder_of(desk, tmp_path / "other")
    await slept.claim()
    # As long as a hub keeps it, nobody else can have it.
    await desk.wait(seconds=60)
    with pytest.raises(Unavailable):
        await other.claim()

    desk.hub.services.data_folder._renew_at = desk.clock.now() + 3_600_000
    await desk.wait(seconds=20)
    await other.claim()
    await slept.keep()

    assert "another data folder" in slept.trouble
    await desk.wait(seconds=20)
    await slept.keep()
    assert slept.trouble == ""


async def test_hub_with_a_new_folder_starts_and_the_check_says_what_is_lacking(
    tmp_path: Path, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    desk = await open_desk(tmp_path / "first", database_url)
    settings = desk.hub.settings
    assert await data_folder_problems(settings) == []
    await desk.hub.stop()
    elsewhere = small_company(tmp_path / "second", database_url)

    (problem,) = await data_folder_problems(elsewhere)

    assert (problem.where, problem.severity) == ("server.data_dir", "warning")
    assert not (tmp_path / "second").exists()
    later = FakeClock(desk.clock.now() + 20_000)
    desk = await open_desk(tmp_path / "second", database_url, clock=later)
    assert await data_folder_problems(elsewhere) == []
    await desk.hub.stop()
    assert "another data folder" in caplog.text


def test_check_needs_no_database(tmp_path: Path) -> None:
    settings = small_company(tmp_path, f"sqlite:///{tmp_path}/none.db")
    assert asyncio.run(data_folder_problems(settings)) == []
    assert list(tmp_path.iterdir()) == []
