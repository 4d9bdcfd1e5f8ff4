from pathlib import Path

from keras_mnist.utils.screen import screen, shown


def test_what_is_printed_is_printed_as_it_is(capsys):
    screen().print("x[bold] [/red]:x: 3.5 " + "long " * 50)
    screen(quiet=True).print("nothing")
    assert capsys.readouterr().out == "x[bold] [/red]:x: 3.5 " + "long " * 50 + "\n"


def test_a_path_is_shown_as_a_user_would_type_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert shown(tmp_path / "runs" / "seed0") == str(Path("runs", "seed0"))
    assert shown(tmp_path.parent / "elsewhere") == str(tmp_path.parent / "elsewhere")
