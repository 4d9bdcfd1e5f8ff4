import errno
import os

import pytest

from keras_mnist.errors import UsageError
from keras_mnist.utils.files import require_file_name, require_room, whole_file, whole_folder, write_whole


def test_a_file_keeps_its_old_content_when_writing_fails(tmp_path):
    path = tmp_path / "file.txt"
    write_whole(path, "old")
    with pytest.raises(RuntimeError), whole_file(path) as draft:
        draft.write_text("half of the n")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["file.txt"]


def test_a_folder_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "folder"
    with whole_folder(path) as draft:
        (draft / "a").write_text("1")
    with pytest.raises(RuntimeError), whole_folder(path) as draft:
        (draft / "b").write_text("2")
        raise RuntimeError
    assert [p.name for p in path.iterdir()] == ["a"]
    with whole_folder(path) as draft:
        (draft / "c").write_text("3")
    assert [p.name for p in path.iterdir()] == ["c"]
    assert {p.name for p in tmp_path.iterdir()} == {"folder", ".folder.lock"}


def test_a_file_reaches_the_disk_through_a_handle_that_may_write(tmp_path, monkeypatch):
    """Windows refuses fsync of any other; here, to write nothing through it tells."""
    monkeypatch.setattr(os, "fsync", lambda handle: os.write(handle, b""))
    write_whole(tmp_path / "file.txt", "content")
    assert (tmp_path / "file.txt").read_text() == "content"


def test_where_nothing_can_be_written_is_told_beforehand(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(UsageError, match=r"cannot write to .*file.* \(.*\); choose another `output`"):
            require_room(folder, "output")
    require_room(tmp_path / "new" / "folder", "output")
    assert list((tmp_path / "new" / "folder").iterdir()) == []


def test_a_name_is_that_of_a_file_with_its_ending(tmp_path):
    (tmp_path / "folder.png").mkdir()
    os.symlink(os.devnull, tmp_path / "device.png")
    for name, wrong in (
        ("folder.png", "is a folder"),
        ("device.png", "is no ordinary file"),
        ("x.jpg", "ends otherwise"),
    ):
        with pytest.raises(
            UsageError, match=f"{name} {wrong}, expected the name of a .png file; choose another `show`"
        ):
            require_file_name(tmp_path / name, ".png", "show")
    for name in ("x.PNG", "x"):
        require_file_name(tmp_path / name, ".png", "show")
    (tmp_path / "folder.png" / "full").write_text("")
    with pytest.raises(IsADirectoryError) as error:
        write_whole(tmp_path / "folder.png", "content")
    assert error.value.filename == str(tmp_path / "folder.png")


@pytest.mark.parametrize("whole", [whole_file, whole_folder])
def test_what_the_system_says_of_a_draft_names_what_it_was_to_become(whole, tmp_path):
    full = errno.ENOSPC, os.strerror(errno.ENOSPC)
    for arguments in (full, (*full, "{draft}")):
        with pytest.raises(OSError) as error, whole(tmp_path / "chosen") as draft:
            raise OSError(*(str(draft) if word == "{draft}" else word for word in arguments))
        assert (error.value.filename, error.value.errno) == (str(tmp_path / "chosen"), errno.ENOSPC)
    with pytest.raises(FileNotFoundError, match="elsewhere"), whole(tmp_path / "chosen"):
        (tmp_path / "elsewhere").read_text()
