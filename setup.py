"""Metadata and steps that pyproject.toml cannot state for every setuptools from Python 3.8's to today's."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent


class BuildWithExamples(build_py):
    """Put examples/*.json into the wheel as resources/examples; an editable install reads them from the tree."""

    def run(self):
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / "resources" / "examples"
        target.mkdir(parents=True, exist_ok=True)
        for example in sorted((ROOT / "examples").glob("*.json")):
            shutil.copyfile(str(example), str(target / example.name))


# PEP 639's `license = "MIT"` needs setuptools 77, Python 3.8 has 75; the older table form is about to be refused.
setup(license="MIT", cmdclass={"build_py": BuildWithExamples})
