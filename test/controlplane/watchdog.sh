# Waits on standard input. A line means that all is well; the end of the input without one means that the process which holds the
# other end is gone. Then every process noted in $1/pids (by become.sh) is killed and the folder $1 is removed.
trap '' HUP INT TERM
if read -r _; then
  exit 0
fi
started() { if [ -r "/proc/$1/stat" ]; then sed 's/^.*) //' "/proc/$1/stat" | cut -d ' ' -f 20; else ps -o lstart= -p "$1"; fi; }
for note in "$1"/pids/*; do
  pid=${note##*/}
  # The id may be another process's by now: then the time differs.
  if [ -s "$note" ] && [ "$(cat "$note")" = "$(started "$pid" 2>/dev/null)" ]; then
    kill -KILL "$pid"
  fi
done
# A process that was just killed may still hold files for a moment.
for _ in 1 2 3 4 5; do
  rm -rf "$1" 2>/dev/null && break
  sleep 1
done
