"""An environment of Gymnasium that makes MuJoCo warn while it is built."""

import mujoco

from .gymnasium_tasks import Countdown

MODEL = '<mujoco><worldbody><body><joint/><geom size="1"/></body></worldbody></mujoco>'


class Wobbling(Countdown):
    """Its physics is not finite."""

    def __init__(self):
        super().__init__()
        model = mujoco.MjModel.from_xml_string(MODEL)
        data = mujoco.MjData(model)
        data.qpos[0] = float("nan")
        mujoco.mj_step(model, data)
