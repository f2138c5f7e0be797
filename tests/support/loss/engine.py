"""A stand-in for terraform: prints as terraform does, notes its exit code, and can send its parent
a signal."""

from __future__ import annotations

from pathlib import Path

STARTED, ENDED = "started", "ended"
"""Files in its working directory: the first shows that it ran, the second has its exit code if it
ended by itself."""
_SCRIPT = """\
#!/bin/sh
case $1 in
version) exec echo '{"terraform_version":"1.11.4"}' ;;
state) exec cat "$STANDIN_STATE" ;;
workspace) exec echo default ;;
apply | destroy | refresh) ;;
*) exit 1 ;;
esac
leave() { trap '' HUP INT QUIT TERM; echo "$1" >ended; exit "$1"; }
stopped=
[ ! "$STANDIN_GRACEFUL" ] || trap 'stopped=1' INT TERM
: >started
log() { [ ! "$TF_TEMP_LOG_PATH" ] || echo "2026-11-29T10:00:00.000Z $1" >>"$TF_TEMP_LOG_PATH"; }
log '[INFO]  Terraform version: 1.11.4'
log "[INFO]  CLI args: []string{\"terraform\", \"$1\"}"
log '[INFO]  backend/local: apply calling Apply'
log '[DEBUG] Building and walking apply graph for NormalMode plan'
log '[DEBUG] t.a: applying the planned Create change'
for line in 0 1 2 3 4 5; do
	echo "line $line"
	[ "$line" != "$STANDIN_LINE" ] || kill -"$STANDIN_SIGNAL" "$PPID"
	sleep 0.04
	[ ! "$stopped" ] || leave 1
done
leave "$STANDIN_CODE"
"""
_STATE = (
    '{"version":4,"terraform_version":"1.11.4","serial":1,"lineage":"l","outputs":{},'
    '"resources":[{"mode":"managed","type":"t","name":"a","provider":"p","instances":[{}]}]}\n'
)


def write_engine(place: Path) -> tuple[Path, Path]:
    """Writes the executable and its state under `place`; returns their paths."""
    path, state = place / "terraform", place / "state.json"
    path.write_text(_SCRIPT)
    path.chmod(0o755)
    state.write_text(_STATE)
    return path, state
