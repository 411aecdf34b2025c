# podman by root, with conmon, netavark and aardvark-dns: everything that a tutorial shows.
# shellcheck shell=bash disable=SC2016,SC2154,SC1091,SC2086

. ./podman.lib

podman_import() {
	make_root "$work/image"
	tar -C "$work/image" -c . |
		podman import -q -c 'CMD ["/bin/sh"]' -c 'ENV PATH=/bin' - localhost/bb:1 >/dev/null
}

podman_configure "$work"
podman_import || exit 1
export I=localhost/bb:1 P="--cgroup-parent=$cgroup --network=none" W=$work name

# ---- run
feature 0 'run: output' 'podman run --rm $P $I echo hello'
feature 7 'run: exit status' 'podman run --rm $P $I sh -c "exit 7"'
feature 137 'run: killed by a signal' 'podman run --rm $P --pid=host $I sh -c "kill -9 \$\$"'
feature 0 'run: standard error' 'podman run --rm $P $I sh -c "echo out; echo err >&2" 2>&1 >/dev/null'
feature 0 'run -i: standard input' 'echo abc | podman run --rm -i $P $I cat'
feature 0 'run -t: a terminal' 'podman run --rm -t $P $I sh -c "tty; test -t 0 && stty size | wc -w"'
feature 0 'run -it: below a terminal' 'in_terminal "podman run --rm -it $P $I sh -c \"tty | tr -d 0-9; test -t 1 && echo yes\""'
feature 0 'run -d and wait' 'podman run -d $P --name d1 $I sh -c "sleep 0.3; exit 5" >/dev/null; podman wait d1; podman rm d1'
feature 0 'run: environment' 'podman run --rm $P -e A=b -e C= $I env | sort | grep -v HOSTNAME'
feature 0 'run: working directory' 'podman run --rm $P -w /etc $I pwd'
feature 0 'run: hostname' 'podman run --rm $P --hostname abc $I hostname'
feature 0 'run: user by name' 'podman run --rm $P -u app $I id'
feature 0 'run: user by number, group added' 'podman run --rm $P -u 1234:77 --group-add 2000 $I id'
feature 0 'run: entrypoint' 'podman run --rm $P --entrypoint /bin/echo $I from entrypoint'
feature 0 'run: command line' 'podman run --rm $P $I sh -c "tr \"\\0\" \" \" </proc/1/cmdline"'
feature 127 'run: a missing command' 'podman run --rm $P $I nosuch'
feature 127 'run: a missing path' 'podman run --rm $P $I /no/such'
feature 126 'run: a file that is not executable' 'podman run --rm $P $I /etc/data'
feature 126 'run: a directory' 'podman run --rm $P $I /etc'
feature 126 'run: an unknown format' 'podman run --rm $P $I /bin/garbage >/dev/null 2>&1 ; r=$?; test $r = 126 -o $r = 1 && exit 126'
feature 125 'run: an unknown image' 'podman run --rm --pull=never $P nosuch:1 true'
feature 0 'run: process 1 and its namespace' 'podman run --rm $P $I sh -c "echo \$\$; set -- /proc/[0-9]*; echo \$#"'
feature 0 'run: open descriptors' 'podman run --rm $P $I ls -l /proc/self/fd 2>/dev/null | grep -c " -> "'
feature 0 'run: no cgroup' 'podman run --rm --network=none --cgroups=disabled $I echo hello'
feature 0 'run: mounts' 'podman run --rm $P $I cut -d" " -f2-4 /proc/mounts | grep -v -E "^/( |etc/|run/)" | sort'
feature 0 'run: masked and read-only paths' 'podman run --rm $P $I sh -c "exec 2>&1; wc -c </proc/keys; ls /proc/acpi /sys/firmware | wc -l; echo x >/proc/sys/kernel/domainname; true" 2>&1'
feature 0 'run: process state' 'podman run --rm $P $I grep -E "^(Uid|Gid|Groups|NoNewPrivs|Seccomp|Cap|Sig(Blk|Ign))" /proc/self/status'
feature 0 'run: devices' 'podman run --rm $P $I sh -c "cd /dev; ls -ln | sed \"s/ [A-Z][a-z][a-z] .*:[0-9][0-9] / /\" | grep -v ^total"'

# ---- file systems
feature 0 'read-only root' 'podman run --rm $P --read-only $I sh -c "exec 2>&1; touch /x; touch /tmp/y && echo tmp"'
feature 0 'tmpfs' 'podman run --rm $P --tmpfs /t:size=1m,mode=1770 $I sh -c "ls -ld /t | cut -c1-10; df -k /t | tail -1 | tr -s \" \" | cut -d\" \" -f2"'
feature 0 'tmpfs keeps what the image has there' 'podman run --rm $P --tmpfs /etc $I cat /etc/data'
feature 0 'bind mount' 'mkdir -p $W/b; echo x >$W/b/f; podman run --rm $P -v $W/b:/b $I sh -c "cat /b/f; echo y >/b/g"; cat $W/b/g'
feature 0 'bind mount, read-only' 'mkdir -p $W/b; podman run --rm $P -v $W/b:/b:ro $I touch /b/z 2>&1; test ! -e $W/b/z'
feature 0 'named volume' 'podman volume create v1 >/dev/null; podman run --rm $P -v v1:/v $I sh -c "echo kept >/v/f"; podman run --rm $P -v v1:/v $I cat /v/f; podman volume rm v1'
feature 0 'shm size' 'podman run --rm $P --shm-size 2m $I df -k /dev/shm | tail -1 | tr -s " " | cut -d" " -f2'

# ---- privileges
feature 0 'capabilities dropped' 'podman run --rm $P --cap-drop all $I grep Cap /proc/self/status'
feature 0 'capabilities added' 'podman run --rm $P --cap-add net_admin,sys_ptrace $I grep Cap /proc/self/status'
feature 0 'capabilities of a user' 'podman run --rm $P -u app --cap-add net_admin $I grep Cap /proc/self/status'
feature 0 'no new privileges' 'podman run --rm $P --security-opt no-new-privileges $I grep NoNewPrivs /proc/self/status'
feature 0 'seccomp: a file' 'echo "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"mkdir\",\"mkdirat\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":99}]}" >$W/s.json; podman run --rm $P --security-opt seccomp=$W/s.json $I mkdir /tmp/d 2>&1; true'
feature 0 'seccomp: unconfined' 'podman run --rm $P --security-opt seccomp=unconfined $I grep Seccomp: /proc/self/status'
feature 0 'privileged' 'podman run --rm $P --privileged $I sh -c "grep Cap /proc/self/status; grep Seccomp: /proc/self/status"'
feature 0 'ulimit' 'podman run --rm $P --ulimit nofile=100:200 --ulimit nproc=500:500 $I sh -c "ulimit -n; ulimit -Hn"'
feature 0 'sysctl' 'podman run --rm --cgroup-parent=$cgroup --network=none --sysctl net.ipv4.ip_forward=1 --sysctl kernel.msgmax=9000 $I sh -c "cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax"'
feature 0 'oom score' 'podman run --rm $P --oom-score-adj 100 $I cat /proc/self/oom_score_adj'
feature 0 'device' 'podman run --rm $P --device /dev/fuse:/dev/f:r $I sh -c "exec 2>&1; ls -l /dev/f | cut -c1-10; echo x >/dev/f" 2>&1; true'
feature 0 'devices that are not given' 'podman run --rm $P --cap-add mknod $I sh -c "mknod /tmp/d b 7 0; cat /tmp/d" 2>&1; true'
feature 0 'device rule' 'podman run --rm $P --cap-add mknod --device-cgroup-rule "c 10:229 rwm" $I sh -c "mknod /tmp/d c 10 229; : </tmp/d && echo opened" 2>&1; true'
feature 0 'user namespace' 'podman run --rm $P --uidmap 0:100000:5000 --gidmap 0:200000:5000 $I sh -c "id; cat /proc/self/uid_map /proc/self/gid_map; touch /tmp/x; ls -ln /tmp/x | tr -s \" \" | cut -d\" \" -f3-4"'
feature 0 'init' 'podman run --rm $P --init $I sh -c "tr \"\\0\" \" \" </proc/1/cmdline | cut -d\" \" -f2-"'
feature 0 'rlimits and umask' 'podman run --rm $P --umask 0077 $I sh -c "umask"'

# ---- namespaces
feature 0 'pid: host' 'podman run --rm $P --pid host $I sh -c "test \$\$ != 1 && echo host"'
feature 0 'ipc, uts: host' 'podman run --rm $P --ipc host --uts host $I sh -c "readlink /proc/self/ns/ipc; readlink /proc/self/ns/uts" >$W/o; readlink /proc/self/ns/ipc /proc/self/ns/uts | diff - $W/o'
feature 0 'cgroup namespace: host' 'podman run --rm $P --cgroupns host $I sh -c "grep -c libpod /proc/self/cgroup"'
feature 0 'pid, ipc, network of another container' 'podman run -d $P --name n1 $I sleep 100 >/dev/null; podman run --rm --cgroup-parent=$cgroup --pid container:n1 --ipc container:n1 --network container:n1 $I sh -c "ps | grep -c \"[s]leep 100\""; podman rm -f -t 0 n1 >/dev/null'

# ---- the life of a container
podman run -d $P --name c1 $I sh -c 'trap "echo got TERM; exit 3" TERM; echo up; while :; do sleep 0.1; done' >/dev/null 2>&1
feature 0 'exec' 'podman exec c1 sh -c "echo in; readlink /proc/self/ns/pid >/tmp/a; readlink /proc/1/ns/pid | diff - /tmp/a"'
feature 9 'exec: exit status' 'podman exec c1 sh -c "exit 9"'
feature 0 'exec -i' 'echo abc | podman exec -i c1 cat'
feature 0 'exec -t' 'podman exec -t c1 tty'
feature 0 'exec -it: below a terminal' 'in_terminal "podman exec -it c1 sh -c \"tty | tr -d 0-9; test -t 1 && echo yes\""'
feature 0 'exec -u -w -e' 'podman exec -u app -w /etc -e X=y c1 sh -c "id; pwd; echo \$X"'
feature 0 'exec -d' 'podman exec -d c1 touch /tmp/made; until_true 5 podman exec c1 test -e /tmp/made'
feature 0 'exec: process state' 'podman exec c1 grep -E "^(Uid|Gid|Groups|NoNewPrivs|Seccomp|Cap)" /proc/self/status'
feature 0 'exec: privileged' 'podman exec --privileged c1 grep Cap /proc/self/status'
feature 0 'exec: cgroup' 'podman exec c1 cat /proc/self/cgroup'
feature 127 'exec: a missing command' 'podman exec c1 nosuch'
feature 126 'exec: a directory' 'podman exec c1 /etc'
feature 0 'logs' 'podman logs c1'
feature 0 'top' 'podman top c1 user args | head -2'
feature 0 'stats' 'podman stats --no-stream --format "{{.Name}}" c1 2>/dev/null'
feature 0 'inspect' 'podman inspect -f "{{.State.Status}} {{.State.ExitCode}} {{.OCIRuntime}} {{.State.Pid}}" c1 | sed -E "s/ $name [0-9]+/ NAME PID/"'
feature 0 'pause and unpause' 'podman pause c1 >/dev/null; podman inspect -f "{{.State.Status}}" c1; podman unpause c1 >/dev/null; podman inspect -f "{{.State.Status}}" c1'
feature 0 'kill: a signal' 'podman exec -d c1 true; podman kill -s USR2 c1 >/dev/null 2>&1; podman inspect -f "{{.State.Status}}" c1'
feature 0 'stop: the program ends by itself' 'podman stop -t 10 c1; podman wait c1; podman logs c1 | tail -1'
feature 0 'start again, and restart' 'podman start c1; podman restart -t 5 c1; podman inspect -f "{{.State.Status}}" c1'
feature 0 'cp in and out' 'echo x >$W/cp; podman cp $W/cp c1:/tmp/cp; podman exec c1 cat /tmp/cp; podman cp c1:/etc/data $W/out; cat $W/out'
feature 0 'diff' 'podman exec c1 touch /tmp/diff; podman diff c1 | grep tmp/diff'
feature 0 'export' 'podman export c1 | tar t | grep -x etc/data'
feature 0 'commit' 'podman commit -q c1 localhost/new:1 >/dev/null; podman run --rm $P localhost/new:1 ls /tmp/diff; podman rmi localhost/new:1 >/dev/null'
feature 0 'rm -f' 'podman rm -f -t 0 c1; podman ps -aq | wc -l'
feature 0 'stop: after the grace time' 'podman run -d $P --name c2 $I sh -c "trap \"\" TERM; while :; do sleep 0.1; done" >/dev/null; podman stop -t 1 c2 2>/dev/null; podman wait c2; podman rm c2'
feature 0 'create and start' 'podman create $P --name c3 $I echo later >/dev/null; podman start -a c3; podman rm c3'
feature 0 'init, then start' 'podman create $P --name c4 $I echo later >/dev/null; podman init c4; podman inspect -f "{{.State.Status}}" c4; podman start c4; podman wait c4; podman rm c4'
feature 0 'init, then remove' 'podman create $P --name c5 $I sleep 100 >/dev/null; podman init c5; podman rm -f -t 0 c5'
feature 0 'attach' 'podman run -d $P --name c6 $I sh -c "until test -e /tmp/go; do sleep 0.1; done; echo attached; exit 4" >/dev/null; podman attach --no-stdin c6 & sleep 1; podman exec c6 touch /tmp/go; wait $!; podman wait c6; podman rm c6'
feature 0 'healthcheck' 'podman run -d $P --name c7 --health-cmd "test -e /tmp/ok" --health-interval disable $I sleep 100 >/dev/null; podman healthcheck run c7; echo $?; podman exec c7 touch /tmp/ok; podman healthcheck run c7; echo $?; podman rm -f -t 0 c7'
feature 0 'checkpoint is refused' 'podman run -d $P --name c9 $I sleep 100 >/dev/null; podman container checkpoint c9 2>&1 | grep -c -i -E "does not support|not support|criu"; podman rm -f -t 0 c9'
feature 0 'the runtime in podman info' 'podman info -f "{{.Host.OCIRuntime.Name}}" | sed "s/$name/NAME/"'

# ---- network
feature 0 'network: none' 'podman run --rm $P $I ip -o link | cut -d: -f2 | cut -d@ -f1'
feature 0 'network: host' 'podman run --rm --cgroup-parent=$cgroup --network=host $I readlink /proc/self/ns/net >$W/o; readlink /proc/self/ns/net | diff - $W/o'
feature 0 'network: bridge and a published port' 'podman network create n1 >/dev/null; podman run -d --cgroup-parent=$cgroup --network n1 --name web -p 127.0.0.1:8081:80 $I httpd -f -p 80 -h /etc >/dev/null; until_true 10 busybox wget -qO- http://127.0.0.1:8081/data; busybox wget -qO- http://127.0.0.1:8081/data'
feature 0 'network: names' 'podman run --rm --cgroup-parent=$cgroup --network n1 $I sh -c "for i in 1 2 3 4 5 6 7 8 9; do wget -qO- http://web/data && exit 0; sleep 0.3; done; exit 1"; podman rm -f -t 0 web; podman network rm n1'
feature 0 'pod' 'podman pod create --infra=false p1 >/dev/null 2>&1; podman run --rm $P --pod p1 $I echo in pod; podman pod rm -f p1 >/dev/null'

# ---- images
feature 0 'build' 'mkdir -p $W/build; printf "FROM localhost/bb:1\nRUN echo built >/made && id >>/made\nWORKDIR /etc\nCMD cat /made\n" >$W/build/Containerfile; podman build -q --cgroup-parent=$cgroup-build --network=none -t localhost/built:1 $W/build >/dev/null && podman run --rm $P localhost/built:1'
feature 0 'buildah' 'export BUILDAH_RUNTIME=$runtime; c=$(buildah from --pull-never $I); buildah run --isolation oci --runtime $runtime --network=none $c sh -c "echo from buildah; id"; buildah rm $c >/dev/null'
