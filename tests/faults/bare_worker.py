"What a worker of `predict` would do without its protections; in a module of its own, as a process that is spawned imports it"


def begin(model):
    from mnist_course import your_digits
    from mnist_course.tools import cli_read
    cli_read.worker_net = your_digits.find_model(model)
