#!/bin/sh
# 1. Call this where you called terraform: ./terraform.sh plan -out=run.tfplan, ./terraform.sh apply run.tfplan
# 2. The hooks are told the same words: -chdir, -out, -target, -refresh=false, the plan file.
# 3. `exec tf "$@"` instead also passes on signals, which no shell does; prefer it where you can.
trap : INT # Ctrl-C reaches terraform by itself; what became of it is still to be told
tfevents hook before -- "$@"
env -u TFEVENTS_API_KEY terraform "$@"
code=$?
tfevents hook after --exit-code "$code" -- "$@"
exit "$code"
