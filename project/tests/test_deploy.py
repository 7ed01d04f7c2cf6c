"""What deploy/ holds fits the console: names, queues, commands and settings are those of the code. Containers and
systemd are not run here: what they would run is.
"""

import re
import shutil
import subprocess
import sys

import pytest
import yaml
from django.core.management import get_commands

from console import jobs
from project.tests.test_settings import ROOT

DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


def commands():
    """Every line that is to be run, by where it stands."""
    for name, service in COMPOSE.items():
        yield f"compose {name}", " ".join(service.get("command", []))
    for unit in UNITS:
        for line in re.findall(r"^ExecStart=(.*)", unit.read_text(), re.MULTILINE):
            yield unit.name, line
    for line in (ROOT / "docs/deploy.md").read_text().splitlines():
        yield "docs/deploy.md", line


def test_every_queue_has_a_worker_and_there_is_one_beat():
    served = {queue for _, line in commands() for queue in re.findall(r"--queues ([a-z]+)", line)}
    assert served == jobs.queues()
    assert {path.stem for path in (DEPLOY / "systemd").glob("*.options")} == jobs.queues()
    documented = set(re.findall(r"attendant-worker@([a-z]+)", (ROOT / "docs/deploy.md").read_text()))
    assert documented == jobs.queues()
    assert sum(" beat " in line for where, line in commands() if where.startswith("compose")) == 1


def test_every_command_is_one_of_ours():
    named = {name for _, line in commands() for name in re.findall(r"manage\.py ([a-z_]+)", line)}
    assert {"migrate", "backup", "restore", "doctor"} <= named
    assert named <= set(get_commands())


def test_what_is_documented_for_prometheus_is_listened_on_by_this_machine_alone():
    (unit,) = [unit.read_text() for unit in UNITS if unit.name == "attendant-web.service"]
    (target,) = re.findall(r'targets: \["([^"]+)"\]', (ROOT / "docs/observing.md").read_text())
    assert target.startswith("127.0.0.1:")
    assert f"--bind {target} " in unit
    assert f"http://{target}/metrics" in (ROOT / "docs/deploy.md").read_text()


def test_every_setting_is_one_of_ours():
    known = set(re.findall(r"^#?\s?([A-Z][A-Z_\d]*)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    said = re.findall(r"^    ([A-Z_]{5,})=", (ROOT / "docs/deploy.md").read_text(), re.MULTILINE)
    said += COMPOSE["web"]["environment"]
    assert "SECRET_KEY" in said
    assert set(said) <= known


def test_every_value_of_nginx_is_documented_and_set():
    conf, docs = (DEPLOY / "nginx.conf").read_text(), (ROOT / "docs/deploy.md").read_text()
    used = set(re.findall(r"\$\{(\w+)\}", conf))
    assert {name for name in used if name not in docs} == set()
    image = (DEPLOY / "Containerfile").read_text()
    assert {name for name in used if f"{name}=" not in image} == {"ATTENDANT_NAME", "ATTENDANT_PREVIEW"}


def test_what_the_image_copies_is_enough_to_collect_static_files(tmp_path):
    text = (DEPLOY / "Containerfile").read_text()
    for line in re.findall(r"^COPY (?!--from|deploy)(.*)", text.partition("AS console")[0], re.MULTILINE):
        *names, target = line.split()
        for name in names:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, tmp_path / name)
            assert target in (name, "./", "."), "it comes to where it was"
    (command,) = re.findall(r"^RUN DEMO=1 ATTENDANT_STATE=\S+ \.venv/bin/python (.*)", text, re.MULTILINE)
    environ = {"DEMO": "1", "ATTENDANT_STATE": str(tmp_path / "state"), "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, *command.split()], cwd=tmp_path, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "state/static/staticfiles.json").exists()


def test_nobody_runs_as_root_nor_with_more_rights_than_it_takes():
    for unit in UNITS:
        text = unit.read_text()
        for line in ("User=attendant", "NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet="):
            assert f"\n{line}" in text, (unit.name, line)
    image = (DEPLOY / "Containerfile").read_text()
    assert re.search(r"^USER attendant$", image, re.MULTILINE)
    assert COMPOSE["web"]["read_only"] is True
    assert "owner.env" not in COMPOSE["web"]["env_file"]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_understands_the_units(tmp_path):
    for path in (DEPLOY / "systemd").iterdir():
        text = re.sub(r"^(Exec\w+=)\S+", r"\1/bin/true", path.read_text(), flags=re.MULTILINE)
        (tmp_path / path.name.replace("@.", "@uploads.")).write_text(text)
    units = [str(path) for path in tmp_path.glob("attendant-*")]
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True)
    said = [line for line in done.stderr.splitlines() if "attendant" in line]
    assert said == []
