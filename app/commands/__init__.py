"""The subcommands of ``dnne``, one module each, imported only when it is called."""

COMMANDS = {
    "train": ("train", "train a workflow"),
    "infer": ("infer", "run a trained workflow without training it"),
    "evaluate": ("evaluate", "measure trained agents over whole episodes"),
    "sweep": ("sweep", "train a workflow once per combination of values"),
    "validate": ("validate", "list everything that is wrong with a workflow"),
    "nodes": ("nodes", "list the node types, or write their reference"),
    "export": ("export", "write a workflow as a Python folder that runs anywhere"),
    "export-policy": ("export_policy", "write the trained policy alone, as TorchScript or ONNX"),
    "migrate": ("migrate", "read command lines of the earlier training scripts"),
    "import": ("import_", "read a workflow of the earlier DNNE or of ComfyUI"),
    "inspect-checkpoint": ("inspect_checkpoint", "show what a checkpoint folder holds"),
    "demo": ("demo", "train the Cartpole example and plot its learning curve"),
}
