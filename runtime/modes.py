"""What a run does; also for programs that have not loaded torch yet."""

TRAIN, INFER = "train", "infer"
