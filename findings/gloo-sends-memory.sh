#!/usr/bin/env bash
# torch 2.15.0, backend gloo: `broadcast` and `all_reduce` work on memory, not on rows and columns.
# Guess: a tensor that lies otherwise in memory (transposed, channels_last) is refused, or it is sent in its logical order.
# Seen: both go through in silence. The receiver of a channels_last tensor gets its numbers in another order, and the sum of a
# tensor and a transposed one of the same shape and values is another one in each process.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/env"
"$place/env/bin/pip" install -q torch==2.15.0 numpy==2.4.6
cat >"$place/two.py" <<'PYTHON'
import sys

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

def work(rank, file, queue):
    dist.init_process_group('gloo', rank=rank, world_size=2, init_method=f'file://{file}')
    numbers = torch.arange(8.).reshape(1, 2, 2, 2)
    t = torch.zeros_like(numbers) if rank else numbers.contiguous(memory_format=torch.channels_last)
    dist.broadcast(t, 0)
    table = torch.arange(6.).reshape(3, 2)
    s = table if rank==0 else table.t().contiguous().t()    # equal numbers, in the order of columns
    dist.all_reduce(s)
    queue.put((rank, t.flatten().tolist(), s.flatten().tolist()))
    dist.barrier()
    dist.destroy_process_group()

if __name__=='__main__':
    context = mp.get_context('spawn')
    queue = context.Queue()
    running = [context.Process(target=work, args=(rank, sys.argv[1], queue)) for rank in range(2)]
    for p in running: p.start()
    told = sorted(queue.get(timeout=120) for _ in running)
    for p in running: p.join()
    print('torch', torch.__version__.split('+')[0])
    print('due:     ', list(range(8)), 'and', list(range(0, 12, 2)))
    for rank,sent,added in told: print(f'process {rank}:', [int(x) for x in sent], 'and', [int(x) for x in added])
PYTHON
GLOO_SOCKET_IFNAME=lo OMP_NUM_THREADS=1 "$place/env/bin/python" "$place/two.py" "$place/meet" >"$place/seen"
cat "$place/seen"
diff "$place/seen" - <<'SEEN'
torch 2.15.0
due:      [0, 1, 2, 3, 4, 5, 6, 7] and [0, 2, 4, 6, 8, 10]
process 0: [0, 1, 2, 3, 4, 5, 6, 7] and [0, 3, 6, 4, 7, 10]
process 1: [0, 4, 1, 5, 2, 6, 3, 7] and [0, 4, 3, 7, 6, 10]
SEEN
