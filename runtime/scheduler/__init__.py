"""The scheduler: firing rules over bounded port queues, run from a ready list or as a static schedule."""
