# shellcheck shell=bash
# Sourced by the scripts beside it: how they speak, fail, become root and ask for the engine.

# Programs of the lab live in sbin, which is not on every user's PATH.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

say() { printf '==> %s\n' "$*" >&2; }

# die MESSAGE [HINT]
die() {
    printf 'error: %s\n' "$1" >&2
    [[ -z ${2:-} ]] || printf ' hint: %s\n' "$2" >&2
    exit 1
}

has() { command -v "$1" >/dev/null; }

as_root() {
    if ((EUID == 0)); then
        "$@"
    elif has sudo; then
        sudo "$@"
    else
        die "this needs root: $*" "Run it as root, or install sudo."
    fi
}

# Print what can be said about the Docker engine: up, denied (to this user), silent, or down.
engine_state() {
    local answer status=0
    answer=$(timeout 10 docker version --format '{{.Server.Version}}' 2>&1 </dev/null) || status=$?
    case $status:$answer in
        0:*) echo up ;;
        124:*) echo silent ;;
        *"permission denied"*) echo denied ;;
        *) echo down ;;
    esac
}
