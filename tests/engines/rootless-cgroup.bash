# The same as rootless.bash, by a user who has a cgroup of his own.
# shellcheck shell=bash disable=SC1091,SC2034
delegated=yes
. ./rootless.bash
feature 0 'pause and unpause' 'podman run -d --name c2 $P $I sleep 100 >/dev/null; podman pause c2; podman unpause c2; podman rm -f -t 0 c2'
