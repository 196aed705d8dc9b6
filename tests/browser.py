"Chromium without a window, and a JupyterLab without anybody's settings, for tests that see what a person would see"
import json, os, shutil, signal, socket, subprocess, sys, time
from contextlib import contextmanager, suppress

from checks import ROOT

CHROMIUM = next((p for name in ('chromium','chromium-browser','google-chrome') if (p := shutil.which(name))), None)
ARGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
        '--disable-component-update', '--disable-sync']


@contextmanager
def jupyterlab(folder, own):
    "Address and token of a JupyterLab that serves `folder` and keeps what is its own in `own`: a user's who wants no news"
    settings = own/'config'/'lab'/'user-settings'/'@jupyterlab'/'apputils-extension'/'notification.jupyterlab-settings'
    settings.parent.mkdir(parents=True)
    settings.write_text('{"fetchNews": "false", "checkForUpdates": false}')
    places = {f'JUPYTER_{k}_DIR': str(own/k.lower()) for k in ('CONFIG','DATA','RUNTIME')}
    env = os.environ | places | dict(IPYTHONDIR=str(own/'ipython'), PYTHONPATH=str(ROOT))
    with socket.create_server(('127.0.0.1',0)) as s: port = s.getsockname()[1]
    command = f'-m jupyterlab --no-browser --allow-root --ServerApp.port={port} --ServerApp.root_dir=.'.split()
    with open(own/'log', 'w') as log:
        server = subprocess.Popen([sys.executable, *command], cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                  start_new_session=True)
    try: yield _once_it_listens(server, own)
    finally:
        for sig in (signal.SIGTERM, signal.SIGKILL):    # the first lets it end its kernels; the second is for what is left of its group
            with suppress(ProcessLookupError, subprocess.TimeoutExpired):
                os.killpg(server.pid, sig)
                server.wait(15)


def _once_it_listens(server, own):
    info, end = own/'runtime'/f'jpserver-{server.pid}.json', time.monotonic()+90
    while True:
        try: found = json.loads(info.read_text())    # what it writes about itself then
        except (FileNotFoundError, ValueError):
            assert server.poll() is None, (own/'log').read_text()
            if time.monotonic()>end: raise TimeoutError((own/'log').read_text()) from None
        else: return f"http://127.0.0.1:{found['port']}", found['token']
        time.sleep(.1)
