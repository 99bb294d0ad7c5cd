#!/bin/sh
# Run a command as user 12345 in a container: a root file system that is read-only and
# shows none of root's files, a folder with a quota, read-only shared memory, no home.
#
# container.sh INTERPRETER_FOLDER CLOSED_FOLDER FOLDER QUOTA COMMAND...
#
# CLOSED_FOLDER is the parent of the interpreter that others may not enter, or "-".
# FOLDER becomes a file system of its own with QUOTA bytes, the only one to write to.
# Called inside `unshare --mount --pid --fork --ipc`.
set -eu
interpreter=$1 closed=$2 folder=$3 quota=$4
shift 4
mount --make-rprivate /
mount -t proc proc /proc
if [ "$closed" != - ]; then
    # The interpreter is all that is left of the folder.
    kept=$(mktemp -d)
    mount --bind "$interpreter" "$kept"
    mount -t tmpfs -o mode=755 tmpfs "$closed"
    mkdir -p "$interpreter"
    mount --move "$kept" "$interpreter"
    rmdir "$kept"
fi
mount -t tmpfs -o "size=$quota,mode=700,uid=12345,gid=12345" tmpfs "$folder"
mount -t tmpfs -o ro tmpfs /dev/shm
mount -o remount,ro,bind /
cd "$folder"
exec env -i PATH="$PATH" HOME=/nonexistent ODBENCH_CACHE="$folder/cache" \
    TMPDIR="$folder" setpriv --reuid=12345 --regid=12345 --clear-groups \
    --no-new-privs --bounding-set=-all --inh-caps=-all -- "$@"
