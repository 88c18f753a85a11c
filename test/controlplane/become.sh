# Notes this process's id in the folder $0, then becomes the program $1 with the arguments after it. A program that is only asked
# for its flags ends at once and is not noted: its id may soon be another's.
folder=$0
program=$1
shift
[ "${1-}" = --help ] || printf '%s' "$program" >"$folder/$$" || exit 1
exec "$program" "$@"
