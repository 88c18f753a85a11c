# Waits on standard input. A line means that all is well; the end of the input without one means that the process which
# holds the other end is gone. Then every process noted in $1/pids is killed and the folder $1 is removed.
trap '' HUP INT TERM
if read -r _; then
  exit 0
fi
for note in "$1"/pids/*; do
  [ -e "$note" ] || continue
  pid=${note##*/}
  program=$(cat "$note")
  # Only if the id still is that program's.
  if [ -r "/proc/$pid/cmdline" ]; then
    tr '\0' ' ' <"/proc/$pid/cmdline" | grep -qF -- "$program" && kill -KILL "$pid"
  elif [ ! -d /proc/self ]; then
    ps -o command= -p "$pid" | grep -qF -- "$program" && kill -KILL "$pid"
  fi
done
# A process that was just killed may still hold files for a moment.
for _ in 1 2 3 4 5; do
  rm -rf "$1" 2>/dev/null && break
  sleep 1
done
