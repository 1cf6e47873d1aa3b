"""The mailbox loses no metrics and keeps the newest of what only shows the moment."""

import threading

from app.running.mailbox import Mailbox
from runtime.events import LiveStatistics, LogMessage, Metrics, NodeStatistics, ProbeSample


def probe(time, node_id="5", port="rewards"):
    return ProbeSample(time, node_id, port, (4,), "float32", 0.0, time, 1.0, 1.0)


def test_every_metric_and_message_comes_in_order():
    mailbox = Mailbox()
    events = [Metrics(float(i), i, i, {"a": 1.0}) if i % 2 else LogMessage(float(i), "info", str(i)) for i in range(50)]
    for event in events:
        mailbox.put(event)
    assert mailbox.take() == events
    assert mailbox.take() == []


def test_of_the_moment_the_newest_of_each_thing_stays():
    mailbox = Mailbox()
    message = LogMessage(0.5, "info", "between")
    kept = [message, probe(2.0), probe(1.5, port="dones"), probe(1.6, "6"), LiveStatistics(3.0, 9)]
    for event in (probe(1.0), NodeStatistics(0.1, 1), message, LiveStatistics(2.0, 5), *kept[1:]):
        mailbox.put(event)
    assert mailbox.take() == kept
    mailbox.put(probe(4.0))
    assert mailbox.take() == [probe(4.0)]


def test_it_is_emptied_in_parts():
    mailbox = Mailbox()
    for number in range(10):
        mailbox.put(Metrics(0.0, number, number))
        mailbox.put(probe(float(number)))
    first = mailbox.take(5)
    assert [event.iteration for event in first] == [0, 1, 2]
    assert len(mailbox) == 15
    mailbox.put(probe(99.0))
    rest = mailbox.take()
    assert [event.iteration for event in rest if isinstance(event, Metrics)] == list(range(3, 10))
    assert [event.time for event in rest if isinstance(event, ProbeSample)] == [99.0]
    assert len(mailbox) == 0


def test_nothing_is_lost_while_it_is_emptied():
    mailbox, found = Mailbox(), []
    thread = threading.Thread(target=lambda: [mailbox.put(Metrics(0.0, i, i)) for i in range(20_000)])
    thread.start()
    while thread.is_alive():
        found += mailbox.take()
    thread.join()
    found += mailbox.take()
    assert [event.iteration for event in found] == list(range(20_000))


def test_it_rings_once_until_it_is_emptied_and_not_for_statistics():
    rings = []
    mailbox = Mailbox(lambda: rings.append(len(mailbox)))
    mailbox.put(LiveStatistics(1.0, 5))
    assert rings == []
    for index in range(3):
        mailbox.put(Metrics(1.0, index, index))
    assert rings == [2]
    mailbox.take(1)
    mailbox.put(probe(2.0))
    assert rings == [2, 4]
