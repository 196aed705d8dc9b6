"""What our callback costs beside DistributedDataParallel: the same steps of mlp-490 on two processes, in turns in one run.

    python tests/many_speed.py            # 15 turns of 60 steps each; prints medians, the ratio, and memory

Communication overhead is what a step takes on two processes beyond the same step in one process without any exchange.
Memory is the highest resident size of a process that does only one of both, beyond what it had before the first step.
"""
import argparse, gc, json, resource, time
from statistics import median

import torch.distributed as dist
from torch import nn

from mnist_course.core.hands import Hands
from mnist_course.data import load_mnist, to_float
from mnist_course.learner import DataLoaders, Learner, SkipValidation
from mnist_course.many_hands import DistributedCallback
from mnist_course.recipes import get_recipe

BS = 15    # rows of each process: half of the recipe's 30


def batches(steps):
    train = load_mnist()[0]
    x, y = to_float(train.images[:BS*steps]), train.labels[:BS*steps]
    return list(zip(x.split(BS), y.split(BS)))


def setups(steps):
    recipe, dl = get_recipe('mlp-490'), batches(steps)
    def learner(model, cbs=()):
        learn = Learner(DataLoaders(dl, dl), model, recipe.loss_func, recipe.opt_func, recipe.lr, cbs=[SkipValidation(), *cbs])
        def run():
            with learn.no_bar(): learn.fit(1)
        return run
    def ddp(): return learner(nn.parallel.DistributedDataParallel(recipe.model()))
    def ours(): return learner(recipe.model(), [DistributedCallback()])
    def one(): return learner(recipe.model())
    return dict(one=one, ddp=ddp, ours=ours)


def turns(reps, steps):
    "Seconds a step of each, in turns"
    runs = {name: make() for name,make in setups(steps).items()}
    took = {name: [] for name in runs}
    for rep in range(reps+1):
        names = list(runs)
        for name in names[rep%3:]+names[:rep%3]:
            dist.barrier()
            start = time.perf_counter()
            runs[name]()
            dist.barrier()
            if rep: took[name].append((time.perf_counter()-start)/steps)    # the first warms up
    return took


def peak(name, steps):
    "Kilobytes that a side adds to the process's highest resident size"
    run = setups(steps)[name]
    gc.collect()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    run()()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss-before


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--reps', type=int, default=15)
    parser.add_argument('--steps', type=int, default=60)
    args = parser.parse_args()
    with Hands(2, timeout=60, limit=500) as hands: took = hands(turns, args.reps, args.steps)[0]
    ms = {name: 1e3*median(t) for name,t in took.items()}
    overhead = {name: median([a-b for a,b in zip(took[name], took['one'])])*1e3 for name in ('ddp','ours')}
    ratios = sorted(a/b for a,b in zip(took['ours'], took['ddp']))
    memory = {}
    for name in ('ddp','ours'):
        with Hands(2, timeout=60, limit=300) as hands: memory[name] = hands(peak, name, args.steps)    # a fresh pair for each
    print(json.dumps(dict(ms_a_step=ms, overhead_ms=overhead, overhead_ratio=overhead['ours']/overhead['ddp'],
                          step_ratio=dict(median=median(ratios), lowest=ratios[0], highest=ratios[-1]), peak_kb=memory), indent=2))


if __name__=='__main__': main()
