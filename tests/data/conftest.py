import pytest


@pytest.fixture
def become(monkeypatch):
    """Be the process of that number, of so many."""

    def become(rank, world):
        monkeypatch.setattr("ignite.distributed.get_rank", lambda: rank)
        monkeypatch.setattr("ignite.distributed.get_world_size", lambda: world)

    return become
