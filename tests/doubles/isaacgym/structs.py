"""Settings that callers fill in. Names that the double does not know are refused."""

from typing import Any, Dict, Iterator, List, Tuple


class Misuse(Exception):
    """A call that the real package answers with wrong numbers, a crash or nothing at all."""


class Constant(int):
    """An enumeration's value, with its name for the record."""

    def __new__(cls, value: int, name: str) -> "Constant":
        constant = super().__new__(cls, value)
        constant.name = name
        return constant

    def __repr__(self) -> str:
        return self.name


class Struct:
    """Named settings with defaults."""

    defaults: Dict[str, Any] = {}
    label = "struct"

    def __init__(self) -> None:
        for name, value in self.defaults.items():
            object.__setattr__(self, name, value() if isinstance(value, type) else value)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self.defaults:
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        object.__setattr__(self, name, value)

    def settings(self, prefix: str = "") -> Iterator[str]:
        """One line per setting: ``params.physx.num_threads = 4``."""
        for name in self.defaults:
            value = getattr(self, name)
            if isinstance(value, Struct):
                yield from value.settings(f"{prefix or self.label}.{name}")
            else:
                yield f"{prefix or self.label}.{name} = {show(value)}"


class Vec3:
    """Three numbers."""

    def __init__(self, x: float = 0.0, y: float = 0.0, z: float = 0.0):
        self.x, self.y, self.z = x, y, z

    def __repr__(self) -> str:
        return "(" + ", ".join(f"{value:g}" for value in (self.x, self.y, self.z)) + ")"


class Quat:
    """A rotation, x, y, z, w."""

    def __init__(self, x: float = 0.0, y: float = 0.0, z: float = 0.0, w: float = 1.0):
        self.x, self.y, self.z, self.w = x, y, z, w


class Transform:
    """A pose."""

    def __init__(self, p: Any = None, r: Any = None):
        self.p, self.r = p or Vec3(), r or Quat()


class PhysXParams(Struct):
    defaults = {
        "solver_type": 0, "num_position_iterations": 1, "num_velocity_iterations": 1, "use_gpu": False,
        "num_threads": 0, "contact_collection": 2, "contact_offset": 0.0, "rest_offset": 0.0,
        "bounce_threshold_velocity": 0.0, "max_depenetration_velocity": 0.0, "default_buffer_size_multiplier": 1.0,
        "max_gpu_contact_pairs": 0, "num_subscenes": 0,
    }  # fmt: skip


class SimParams(Struct):
    label = "params"
    defaults = {
        "dt": 0.0, "substeps": 1, "up_axis": 0, "gravity": Vec3, "use_gpu_pipeline": False, "num_client_threads": 0,
        "physx": PhysXParams,
    }  # fmt: skip


class PlaneParams(Struct):
    label = "plane"
    defaults = {"normal": Vec3, "distance": 0.0, "static_friction": 1.0, "dynamic_friction": 1.0, "restitution": 0.0}


class AssetOptions(Struct):
    label = "options"
    defaults = {
        "fix_base_link": False, "angular_damping": 0.5, "linear_damping": 0.0, "max_angular_velocity": 64.0,
        "default_dof_drive_mode": 0, "collapse_fixed_joints": False, "disable_gravity": False,
    }  # fmt: skip


class CameraProperties(Struct):
    label = "camera"
    defaults = {"width": 1600, "height": 900}


class ActionEvent:
    """What a key of the viewer stands for."""

    def __init__(self, action: str, value: float = 1.0):
        self.action, self.value = action, value


def show(value: Any) -> str:
    """A value as the record writes it."""
    if isinstance(value, (list, tuple)):
        return ", ".join(show(item) for item in value)
    if isinstance(value, float):
        return f"{value:g}"
    return str(value) if isinstance(value, (str, bool)) else repr(value)


class Call:
    """One recorded call: its line, and the settings of its arguments."""

    def __init__(self, line: str, settings: List[str]):
        self.line, self.settings = line, settings

    def __repr__(self) -> str:
        return self.line


def record(calls: List[Call], name: str, arguments: Tuple[Any, ...]) -> None:
    """Append a call."""
    shown = [argument.label if isinstance(argument, Struct) else show(argument) for argument in arguments]
    settings = [line for argument in arguments if isinstance(argument, Struct) for line in argument.settings()]
    calls.append(Call(f"{name}({', '.join(shown)})", settings))
