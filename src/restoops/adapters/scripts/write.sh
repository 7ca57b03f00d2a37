# Replaces files whole: a reader, or a crash, sees the old text or the new, never a part.
#   $1 directory, then name and size of each file (their bytes come on standard input),
#   then `remove` and the names of files to remove
set -eu
umask 027
mkdir -p "$1/proxy/run"
cd "$1"
shift
while [ $# -ge 2 ] && [ "$1" != remove ]; do
    head -c "$2" >"$1.new"
    [ "$(stat -c %s "$1.new")" = "$2" ] || { echo "$1: cut short" >&2; exit 74; }
    sync "$1.new"
    mv -f "$1.new" "$1"
    shift 2
done
[ $# -eq 0 ] || shift
[ $# -eq 0 ] || rm -f -- "$@"
