"""Two machines on one: two network namespaces with a cable between them, one process in each, joined by torchrun.

Needs root and iproute2 (`apt-get install iproute2`); skipped with a word where either is missing or the kernel refuses.
"""
import os, secrets, shutil, signal, subprocess, sys, time

import pytest
import torch

from mnist_course.data import load_mnist
from mnist_course.persist import read_tensors
from mnist_course.recipes import train_recipe, get_recipe

long = pytest.mark.timeout(900)          # up to seven processes are started, and a machine may be busy
TIMEOUT = 20                             # seconds that a process waits for the other
SMALL = 'train mlp-64-64 --valid 58400 --bs 32'.split()    # 1,600 pictures: 50 steps an epoch


def ip(*args): return subprocess.run(['ip', *args], capture_output=True, text=True, check=True)


class Net:
    "Two namespaces, each with one end of a cable, called eth0"
    def __init__(self):
        tag = secrets.token_hex(2)
        self.names, self.addresses = [f'hands{tag}{side}' for side in 'ab'], ['10.77.0.1', '10.77.0.2']
        for name in self.names: ip('netns', 'add', name)
        ip('link', 'add', 'eth0', 'netns', self.names[0], 'type', 'veth', 'peer', 'name', 'eth0', 'netns', self.names[1])
        for name,address in zip(self.names, self.addresses):
            ip('-n', name, 'addr', 'add', f'{address}/24', 'dev', 'eth0')
            for device in ('lo', 'eth0'): ip('-n', name, 'link', 'set', device, 'up')

    def cable(self, up): ip('-n', self.names[1], 'link', 'set', 'eth0', 'up' if up else 'down')

    def start(self, i, port, *args, log):
        "torchrun in namespace `i`; the first holds the meeting place"
        env = os.environ | dict(GLOO_SOCKET_IFNAME='eth0', OMP_NUM_THREADS='1', TORCH_CPP_LOG_LEVEL='FATAL')
        line = ['ip', 'netns', 'exec', self.names[i], sys.executable, '-m', 'torch.distributed.run', '--nnodes', '2', '--nproc-per-node', '1',
                '--rdzv-backend', 'c10d', '--rdzv-endpoint', f'{self.addresses[0]}:{port}', '--rdzv-id', str(port), '--rdzv-conf', f'is_host={1-i}',
                '--local-addr', self.addresses[i], '-m', 'mnist_course.tools.cli', *map(str, args)]
        with open(log, 'w') as f: return subprocess.Popen(line, env=env, stdout=f, stderr=subprocess.STDOUT, start_new_session=True)

    def stop(self, processes=()):
        for name in self.names:
            left = subprocess.run(['ip', 'netns', 'pids', name], capture_output=True, text=True).stdout.split()
            for pid in left: os.kill(int(pid), signal.SIGKILL)
        for p in processes: p.wait()

    def close(self):
        self.stop()
        for name in self.names:
            subprocess.run(['ip', 'netns', 'del', name], capture_output=True)


@pytest.fixture
def net():
    if os.geteuid() if hasattr(os, 'geteuid') else True: pytest.skip('network namespaces need root')
    if shutil.which('ip') is None: pytest.skip('no iproute2: apt-get install iproute2')
    try: made = Net()
    except subprocess.CalledProcessError as e: pytest.skip(f'no network namespaces here: {e.stderr.strip()}')
    yield made
    made.close()


def both(net, tmp_path, port, *args, tag):
    logs = [tmp_path/f'{tag}{i}.log' for i in range(2)]
    return [net.start(i, port, *args, log=log) for i,log in enumerate(logs)], logs

def ended(processes, logs, limit=400):
    "Exit codes and logs of both"
    end = time.monotonic()+limit
    for p in processes: p.wait(timeout=max(end-time.monotonic(), 1))
    return [p.returncode for p in processes], [log.read_text() for log in logs]

def model(folder): return read_tensors(folder/'model.safetensors', 'model')[0]


@long
def test_two_machines_get_the_weights_of_one_process(net, tmp_path, record_property):
    codes, told = ended(*both(net, tmp_path, 29531, *SMALL, '--epochs', 1, '--out', tmp_path/'run', '--timeout', 120, tag='one'))
    assert codes==[0,0], told
    assert 'held out' in told[0]+told[1] and (told[0]+told[1]).count('Model: ')==1    # one of them writes and prints
    one = train_recipe(get_recipe('mlp-64-64'), n_valid=58_400, n_epoch=1, data=load_mnist(), bar=False)
    two, single = model(tmp_path/'run'), one.learn.model.state_dict()
    apart = max((two[name]-single[name]).abs().max().item() for name in single)
    record_property('largest difference', apart)
    assert two.keys()==single.keys() and apart<1e-6


@long
def test_a_cable_is_cut_in_the_middle_and_the_run_goes_on_to_the_same_end(net, tmp_path, record_property):
    settings = [*SMALL, '--epochs', 12, '--timeout', TIMEOUT]
    processes, logs = both(net, tmp_path, 29532, *settings, '--out', tmp_path/'cut', tag='cut')
    history = tmp_path/'cut'/'history.csv'
    def epochs(): return len(history.read_text().splitlines())-1 if history.exists() else 0
    while epochs()<2 and processes[0].poll() is None: time.sleep(.02)
    net.cable(False)
    start = time.monotonic()
    while not all('misses the others' in log.read_text() for log in logs) and any(p.poll() is None for p in processes): time.sleep(.05)
    record_property('seconds until both have said so', round(time.monotonic()-start, 1))
    told = [log.read_text() for log in logs]
    for text in told:
        assert len([line for line in text.splitlines() if line.startswith('mnist_course: ') and 'misses the others in epoch' in line])==1, text
    done = read_tensors(tmp_path/'cut'/'last.safetensors', 'checkpoint')[1]['epoch']    # whole, and it can be read
    assert 2<=done<12 and not (tmp_path/'cut'/'model.safetensors').exists()
    net.stop(processes)    # our processes have ended; torchrun itself still asks the other machine for minutes
    net.cable(True)
    codes, told = ended(*both(net, tmp_path, 29533, *settings, '--out', tmp_path/'cut', '--resume', tag='on'))
    assert codes==[0,0], told
    r = subprocess.run([sys.executable, '-m', 'mnist_course.tools.cli', *map(str, settings), '--processes', '2', '--out', tmp_path/'whole'],
                       capture_output=True, text=True, timeout=400)
    assert r.returncode==0, r.stderr
    cut, whole = model(tmp_path/'cut'), model(tmp_path/'whole')
    assert all(torch.equal(cut[name], whole[name]) for name in whole)
