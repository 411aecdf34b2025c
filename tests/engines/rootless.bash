# podman by an unprivileged user, who has ids of /etc/subuid, and a cgroup of his own only if
# $delegated is set (rootless-cgroup.bash).
# shellcheck shell=bash disable=SC2016,SC2154,SC1091

# Accounts are made in a layer over /etc that ends with the namespace.
make_user() {
	mkdir -p "$work"/{etc,etc-work,home,xdg}
	mount -t overlay -o "lowerdir=/etc,upperdir=$work/etc,workdir=$work/etc-work" overlay /etc
	useradd --no-create-home --home-dir "$work/home" rootless
	grep -q ^rootless: /etc/subuid || echo rootless:300000:65536 >>/etc/subuid
	grep -q ^rootless: /etc/subgid || echo rootless:300000:65536 >>/etc/subgid
	chown rootless "$work"/{home,xdg} "$results"
	chmod 755 "$work"
	chmod 700 "$work/xdg"
}

# The user's processes run in a cgroup that is his, which is what a login under systemd gives.
delegate() {
	local own=/sys/fs/cgroup$cgroup
	mkdir -p "$own/user/session"
	chown rootless "$own/user" "$own/user/session" "$own"/user/{,session/}cgroup.{procs,threads,subtree_control}
	echo $$ >"$own/user/session/cgroup.procs"
}

. ./podman.lib
make_root "$work/image"
tar -C "$work/image" -cf "$work/image.tar" .
make_user
[[ -z ${delegated:-} ]] || delegate
mkdir -p "$work/p"
export I=localhost/bb:1 P=--network=none W=$work/home HOME=$work/home XDG_RUNTIME_DIR=$work/xdg
unset DBUS_SESSION_BUS_ADDRESS
podman_configure "$work/p"
chown -R rootless "$work/p"
cd "$work/home" || exit 1
as=(setpriv --reuid rootless --regid rootless --init-groups)
"${as[@]}" podman import -q -c 'CMD ["/bin/sh"]' -c 'ENV PATH=/bin' "$work/image.tar" localhost/bb:1 || exit 1

feature 0 'run: output' 'podman run --rm $P $I echo hello'
feature 7 'run: exit status' 'podman run --rm $P $I sh -c "exit 7"'
feature 0 'run: ids' 'podman run --rm $P $I sh -c "id; cat /proc/self/uid_map | wc -l"'
feature 0 'run: a user' 'podman run --rm $P --user app $I id'
feature 0 'run: below a terminal' 'in_terminal "podman run --rm -it $P $I tty"'
feature 0 'run: mounts' 'podman run --rm $P $I cut -d" " -f2-4 /proc/mounts | grep -v -E "^/( |etc/|run/)" | grep -v fuse | sed -E "s/,(uid|gid)=[0-9]+//g" | sort'
feature 0 'run: process state' 'podman run --rm $P $I grep -E "^(Uid|Gid|NoNewPrivs|Seccomp|Cap|Sig(Blk|Ign))" /proc/self/status'
feature 0 'run: the user keeps the id' 'podman run --rm $P --userns keep-id $I id -u | sed "s/^$(id -u)$/the same/"'
feature 0 'run: volume' 'podman run --rm $P -v $W:/h $I sh -c "echo x >/h/x; ls -ln /h/x | tr -s \" \" | cut -d\" \" -f3-4"; stat -c %U $W/x'
feature 0 'run: devices' 'podman run --rm $P $I sh -c "echo x >/dev/null && ls -l /dev/null | cut -c1-10"'
feature 0 'run: read-only' 'podman run --rm $P --read-only $I touch /x 2>&1; true'
feature 127 'run: a missing command' 'podman run --rm $P $I nosuch'
feature 0 'run: no cgroup' 'podman run --rm $P --cgroups=disabled $I echo hello'
feature 0 'run: network of slirp4netns' 'podman run --rm $I ip -4 -o addr show tap0 | tr -s " " | cut -d" " -f2-4'
feature 0 'run: a published port' 'podman run -d --name w1 -p 127.0.0.1:8090:80 $I httpd -f -p 80 -h /etc >/dev/null; until_true 10 busybox wget -qO- http://127.0.0.1:8090/data; busybox wget -qO- http://127.0.0.1:8090/data; podman rm -f -t 0 w1 >/dev/null'
feature 0 'run -d' 'podman run -d --name c1 $P $I sh -c "trap \"exit 3\" TERM; while :; do sleep 0.1; done" >/dev/null; podman inspect -f "{{.State.Status}}" c1'
feature 0 'exec' 'podman exec c1 id'
feature 0 'exec: below a terminal' 'in_terminal "podman exec -it c1 sh -c \"tty | tr -d 0-9\""'
feature 9 'exec: exit status' 'podman exec c1 sh -c "exit 9"'
feature 0 'top' 'podman top c1 user args | head -2 | cut -c1-30'
feature 0 'stop' 'podman stop -t 10 c1; podman wait c1'
feature 0 'start again' 'podman start c1; podman inspect -f "{{.State.Status}}" c1; podman rm -f -t 0 c1'
feature 0 'build' 'mkdir -p $W/build; printf "FROM localhost/bb:1\nRUN echo built >/made && id >>/made\nCMD cat /made\n" >$W/build/Containerfile; podman build -q --network=none -t localhost/built:1 $W/build >/dev/null && podman run --rm $P localhost/built:1'
