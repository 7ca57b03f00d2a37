# Says in a word why Docker does not answer: absent, forbidden (and to whom), stopped, or nothing.
#   $1 its socket
type -P docker >/dev/null || { echo absent; exit 0; }
[ -S "$1" ] || { echo stopped; exit 0; }
[ -w "$1" ] || { echo "forbidden $(id -un)"; exit 0; }
timeout 5 docker -H "unix://$1" version >/dev/null 2>&1 || echo stopped
