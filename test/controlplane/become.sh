# Notes this process in the folder $0 (its id, and when it started, which together are nobody else's), then becomes the program $1
# with the arguments after it. A program that is only asked for its flags ends at once and is not noted. $0/../latest/NAME holds the id
# of the latest process of each name.
folder=$0
program=$1
shift
started() { if [ -r "/proc/$1/stat" ]; then sed 's/^.*) //' "/proc/$1/stat" | cut -d ' ' -f 20; else ps -o lstart= -p "$1"; fi; }
if [ "${1-}" != --help ]; then
  started "$$" >"$folder/$$" && echo "$$" >"${folder%/*}/latest/${program##*/}" || exit 1
fi
exec "$program" "$@"
