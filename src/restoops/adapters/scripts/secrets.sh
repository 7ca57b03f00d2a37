# Makes, fills and removes the directories of secrets; their files are made by the engine (archive.py).
#   $1 directory, $2 what to do, then names of directories
# Nobody but us gets into `secrets`; a container sees the one directory in it that it is given.
set -eu
umask 077
mkdir -p "$1/secrets"
cd "$1/secrets"
todo=$2
shift 2
case $todo in
make)
    rm -rf -- "$1.new"
    mkdir -m 0755 "$1.new"
    ;;
place)
    sync -f "$1.new"
    rm -rf -- "$1"
    mv -T "$1.new" "$1"
    ;;
update)
    # One file after the other: a release that reads meanwhile sees the old value or the new.
    sync -f "$1.new"
    [ -d "$1" ] || { echo "$1 is gone" >&2; exit 74; }
    for file in "$1.new"/*; do
        [ ! -f "$file" ] || mv -f "$file" "$1/"
    done
    rmdir "$1.new"
    ;;
forget)
    for name; do
        rm -rf -- "$name" "$name.new"
    done
    ;;
esac
