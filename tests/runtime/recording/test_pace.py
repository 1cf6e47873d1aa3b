import pytest

from runtime.recording.pace import Pace


def test_before_anything_is_known_there_is_no_speed_and_no_end():
    pace = Pace()
    assert (pace.steps_per_second, pace.fraction, pace.seconds_left) == (None, None, None)
    pace.update(0.0, 0, 0)
    assert pace.steps_per_second is None


def test_time_left_from_steps():
    pace = Pace(total_steps=1000)
    pace.update(0.0, 0, 0)
    pace.update(2.0, 400, 4)
    assert pace.steps_per_second == 200
    assert pace.fraction == 0.4
    assert pace.seconds_left == 3.0


def test_time_left_from_iterations():
    pace = Pace(total_iterations=10)
    pace.update(0.0, 0, 0)
    pace.update(2.0, 400, 4)
    assert pace.fraction == 0.4
    assert pace.seconds_left == 3.0


def test_time_left_from_the_clock():
    pace = Pace(total_seconds=60.0)
    pace.update(15.0, 0, 0)
    assert pace.fraction == 0.25
    assert pace.seconds_left == 45.0


def test_the_first_of_several_ends_counts():
    pace = Pace(total_steps=1000, total_iterations=5, total_seconds=60.0)
    pace.update(0.0, 0, 0)
    pace.update(2.0, 400, 4)
    assert pace.fraction == 0.8
    assert pace.seconds_left == 0.5


def test_a_resumed_run_counts_done_steps_but_not_as_speed():
    pace = Pace(total_steps=1000)
    pace.update(0.0, 500, 5)
    pace.update(1.0, 600, 6)
    assert pace.steps_per_second == 100
    assert pace.fraction == 0.6
    assert pace.seconds_left == 4.0


def test_the_speed_is_that_of_the_last_half_minute():
    pace = Pace()
    step = 0
    for second in range(200):
        step += 10 if second < 100 else 1000
        pace.update(float(second), step, second)
    assert pace.steps_per_second == 1000


def test_one_iteration_may_take_longer_than_the_window():
    pace = Pace(total_steps=1000)
    for second in (0, 100, 200):
        pace.update(float(second), second, second // 100)
    assert pace.steps_per_second == 1.0


def test_a_pause_does_not_count_as_slowness():
    pace = Pace(total_steps=1000)
    pace.update(0.0, 0, 0)
    pace.update(1.0, 100, 1)
    pace.restart()
    pace.update(20.0, 100, 1)
    pace.update(21.0, 200, 2)
    assert pace.steps_per_second == 100


def test_a_run_that_stands_still_has_no_known_end():
    pace = Pace(total_steps=1000)
    pace.update(0.0, 100, 1)
    pace.update(5.0, 100, 1)
    assert pace.seconds_left is None


def test_past_the_end_the_share_is_one_and_no_time_is_left():
    pace = Pace(total_steps=100)
    pace.update(0.0, 0, 0)
    pace.update(1.0, 130, 1)
    assert pace.fraction == 1.0
    assert pace.seconds_left == 0.0


@pytest.mark.parametrize("samples", [10_000])
def test_memory_stays_small(samples):
    pace = Pace()
    for index in range(samples):
        pace.update(index / 100, index, index)
    assert len(pace._past) < 100


def test_a_pause_does_not_count_as_slow_running():
    pace = Pace(total_steps=1000)
    for second in range(6):
        pace.update(second, 100 * second, second)
    pace.hold()
    for second in range(6, 26):
        pace.update(second, 500, 5)
    assert pace.steps_per_second is None
    pace.restart()
    pace.update(25.0, 500, 5)
    pace.update(26.0, 600, 6)
    assert (pace.steps_per_second, pace.seconds_left) == (100.0, 4.0)
