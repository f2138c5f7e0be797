#!/bin/sh
# 1. Call this in place of terraform: ./terraform.sh plan -out=run.tfplan, ./terraform.sh apply run.tfplan
# 2. The hooks get the same arguments: -chdir, -out, -target, -refresh=false, the plan file.
# 3. Prefer `exec tf "$@"` where you can: it also forwards signals, which no shell does.
trap : INT # Ctrl-C reaches terraform directly; this script must go on to report the outcome
tfevents hook before -- "$@"
env -u TFEVENTS_API_KEY terraform "$@"
code=$?
tfevents hook after --exit-code "$code" -- "$@"
exit "$code"
