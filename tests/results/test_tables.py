import io

from rich.console import Console

from keras_mnist.results.tables import facts_table


def test_a_long_path_is_printed_whole():
    path = "runs/" + "tuned,epochs=20," * 12
    page = Console(file=io.StringIO(), width=80)
    page.print(facts_table("a run", {"run": path, "epochs": "3"}))
    cells = [line.split("\u2502")[2].strip() for line in page.file.getvalue().splitlines() if "\u2502" in line]
    assert "".join(cells) == f"{path}3"
