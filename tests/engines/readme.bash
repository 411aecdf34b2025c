# The lines of the README that make hull the runtime of an engine, executed as they stand there; hull
# is where they say. Only with hull.
# shellcheck shell=bash disable=SC2016,SC2154,SC2086

# block NAME: the indented lines behind the one of the README that has NAME and ends with a colon.
block() {
	awk -v name="$1" '
		index($0, name) && /:$/ { on = 1; next }
		on && /^    / { sub(/^    /, ""); print; seen = 1; next }
		on && seen { exit }' ../../README.md
}

# Files are written in a layer over /etc that ends with the namespace.
mkdir -p "$work"/{etc,etc-work,store,run,image}
mount -t overlay -o "lowerdir=/etc,upperdir=$work/etc,workdir=$work/etc-work" overlay /etc
mkdir -p /usr/local/sbin /etc/containers/containers.conf.d /etc/docker
mount -t tmpfs none /usr/local/sbin
cp "$runtime" /usr/local/sbin/hull
make_root "$work/image"
tar -C "$work/image" -cf "$work/image.tar" .

block containers.conf >/etc/containers/containers.conf
cat >/etc/containers/containers.conf.d/test.conf <<X
[containers]
log_driver = "k8s-file"
pids_limit = 0
default_ulimits = ["nofile=20000:20000", "nproc=20000:20000"]
[engine]
events_logger = "file"
X
printf '[storage]\ndriver = "overlay"\ngraphroot = "%s/store"\nrunroot = "%s/run"\n' "$work" "$work" >/etc/containers/storage.conf
export W=$work P="--cgroup-parent=$cgroup --network=none"
feature 0 'podman: containers.conf' 'podman import -q $W/image.tar localhost/bb:1 >/dev/null && podman run --rm $P localhost/bb:1 /bin/echo hello | grep -x hello && podman info -f "{{.Host.OCIRuntime.Path}}" | grep -x /usr/local/sbin/hull'
feature 0 'podman: --runtime' 'podman --runtime /usr/local/sbin/hull run --rm $P localhost/bb:1 /bin/echo hello'

block daemon.json >/etc/docker/daemon.json
export DOCKER_HOST=unix://$work/docker.sock DOCKER_CONFIG=$work/config
dockerd --data-root "$work/docker" --exec-root "$work/exec" --pidfile "$work/docker.pid" --host "$DOCKER_HOST" \
	--oom-score-adjust 0 --cgroup-parent "$cgroup" >"$work/dockerd.log" 2>&1 &
until_true 30 /usr/bin/docker version || tail -20 "$work/dockerd.log"
feature 0 'docker: daemon.json' '/usr/bin/docker import $W/image.tar bb:1 >/dev/null && /usr/bin/docker run --rm --network=none bb:1 /bin/echo hello | grep -x hello && /usr/bin/docker info -f "{{.DefaultRuntime}}" | grep -x hull'

block config.toml >"$work/config.toml"
feature 0 'containerd: config.toml' 'containerd -c $W/config.toml config dump | grep -o "BinaryName = .*hull.*"'
