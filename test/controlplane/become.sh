# Notes this process in the folder $0 (its id, and when it started, which together are nobody else's), then becomes the program $1
# with the arguments after it. A program that is only asked for its flags ends at once and is not noted.
folder=$0
program=$1
shift
started() { if [ -r "/proc/$1/stat" ]; then sed 's/^.*) //' "/proc/$1/stat" | cut -d ' ' -f 20; else ps -o lstart= -p "$1"; fi; }
[ "${1-}" = --help ] || started "$$" >"$folder/$$" || exit 1
exec "$program" "$@"
