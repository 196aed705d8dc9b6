#!/usr/bin/env bash
# optuna 5.0.0: a study that goes on with a seeded sampler proposes the trials of its start once more.
# Guess: a study kept in a file knows how many trials it has, so the sampler goes on where it stopped; the same of two workers at once.
# Seen: four trials, then the same program again on the same file: trials 4 to 7 have the settings of 0 to 3, to the last digit.
set -euo pipefail
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
python3 -m venv "$place/env"
"$place/env/bin/pip" install -q optuna==5.0.0
cat >"$place/four.py" <<'PYTHON'
import sys

import optuna
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

optuna.logging.set_verbosity(optuna.logging.ERROR)
study = optuna.create_study(study_name='rates', storage=JournalStorage(JournalFileBackend(sys.argv[1])), load_if_exists=True,
                            sampler=optuna.samplers.TPESampler(seed=0))
study.optimize(lambda trial: trial.suggest_float('lr', 0, 1)**2, n_trials=4)
rates = [trial.params['lr'] for trial in study.trials]
print('optuna', optuna.__version__, [f'{rate:.4f}' for rate in rates], 'drawn twice:', rates[:4]==rates[4:])
PYTHON
for _ in 1 2; do "$place/env/bin/python" "$place/four.py" "$place/study" 2>/dev/null; done >"$place/seen"
cat "$place/seen"
diff "$place/seen" - <<'SEEN'
optuna 5.0.0 ['0.5488', '0.7152', '0.6028', '0.5449'] drawn twice: False
optuna 5.0.0 ['0.5488', '0.7152', '0.6028', '0.5449', '0.5488', '0.7152', '0.6028', '0.5449'] drawn twice: True
SEEN
