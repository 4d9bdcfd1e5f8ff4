import pytest


@pytest.fixture
def torch():
    """PyTorch with one thread: its threads wait for each other in busy loops, and other tests run as well."""
    torch = pytest.importorskip("torch", reason='pip install -e ".[bench]"')
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield torch
    torch.set_num_threads(threads)
