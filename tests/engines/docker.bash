# dockerd by root, with a containerd of its own, and docker-compose.
# shellcheck shell=bash disable=SC2016,SC2154,SC2086

docker_begin() {
	export DOCKER_HOST=unix://$work/docker.sock DOCKER_CONFIG=$work/config
	mkdir -p "$work"/{root,exec,config}
	cat >"$work/daemon.json" <<X
{ "data-root": "$work/root", "exec-root": "$work/exec", "pidfile": "$work/docker.pid",
  "hosts": ["$DOCKER_HOST"], "storage-driver": "overlay2", "oom-score-adjust": 0,
  "exec-opts": ["native.cgroupdriver=cgroupfs"], "cgroup-parent": "$cgroup",
  "runtimes": {"peer": {"path": "$runtime"}}, "default-runtime": "peer" }
X
	dockerd --config-file "$work/daemon.json" >"$work/dockerd.log" 2>&1 &
	until_true 30 docker version || {
		tail -20 "$work/dockerd.log"
		exit 1
	}
}

docker_import() {
	make_root "$work/image"
	tar -C "$work/image" -c . |
		docker import -c 'CMD ["/bin/sh"]' -c 'ENV PATH=/bin' - bb:1 >/dev/null
}

# Another client may come first in PATH.
docker() {
	/usr/bin/docker "$@"
}
export -f docker

docker_begin
docker_import || exit 1
export I=bb:1 P="--network=none" W=$work

# ---- run
feature 0 'run: output' 'docker run --rm $P $I echo hello'
feature 7 'run: exit status' 'docker run --rm $P $I sh -c "exit 7"'
feature 137 'run: killed by a signal' 'docker run --rm $P --pid=host $I sh -c "kill -9 \$\$"'
feature 0 'run: standard error' 'docker run --rm $P $I sh -c "echo out; echo err >&2" 2>&1 >/dev/null'
feature 0 'run -i: standard input' 'echo abc | docker run --rm -i $P $I cat'
feature 0 'run -t: a terminal' 'docker run --rm -t $P $I tty'
feature 0 'run -it: below a terminal' 'in_terminal "docker run --rm -it $P $I sh -c \"tty | tr -d 0-9; test -t 1 && echo yes\""'
feature 0 'run -d and wait' 'docker run -d $P --name d1 $I sh -c "sleep 0.3; exit 5" >/dev/null; docker wait d1; docker rm d1'
feature 0 'run: environment' 'docker run --rm $P -e A=b -e C= $I env | sort | grep -v HOSTNAME'
feature 0 'run: working directory is made' 'docker run --rm $P -w /var/new $I pwd'
feature 0 'run: hostname' 'docker run --rm $P --hostname abc $I hostname'
feature 0 'run: user by name' 'docker run --rm $P -u app $I id'
feature 0 'run: user by number, group added' 'docker run --rm $P -u 1234:77 --group-add 2000 $I id'
feature 0 'run: entrypoint' 'docker run --rm $P --entrypoint /bin/echo $I from entrypoint'
feature 127 'run: a missing command' 'docker run --rm $P $I nosuch'
feature 127 'run: a missing path' 'docker run --rm $P $I /no/such'
feature 126 'run: a file that is not executable' 'docker run --rm $P $I /etc/data'
feature 126 'run: a directory' 'docker run --rm $P $I /etc'
feature 0 'run: mounts' 'docker run --rm $P $I cut -d" " -f2-4 /proc/mounts | grep -v -E "^/( |etc/)" | sort'
feature 0 'run: masked and read-only paths' 'docker run --rm $P $I sh -c "exec 2>&1; wc -c </proc/keys; ls /proc/acpi /sys/firmware | wc -l; echo x >/proc/sys/kernel/domainname; true" 2>&1'
feature 0 'run: process state' 'docker run --rm $P $I grep -E "^(Uid|Gid|Groups|NoNewPrivs|Seccomp|Cap|Sig(Blk|Ign))" /proc/self/status'
feature 0 'run: devices' 'docker run --rm $P $I sh -c "cd /dev; ls -ln | sed \"s/ [A-Z][a-z][a-z] .*:[0-9][0-9] / /\" | grep -v ^total"'
feature 0 'run: open descriptors' 'docker run --rm $P $I ls -l /proc/self/fd 2>/dev/null | grep -c " -> "'

# ---- file systems
feature 0 'read-only root' 'docker run --rm $P --read-only --tmpfs /tmp $I sh -c "exec 2>&1; touch /x; touch /tmp/y && echo tmp"'
feature 0 'tmpfs' 'docker run --rm $P --tmpfs /t:size=1m,mode=1770 $I sh -c "ls -ld /t | cut -c1-10; df -k /t | tail -1 | tr -s \" \" | cut -d\" \" -f2"'
feature 0 'bind mount' 'mkdir -p $W/b; echo x >$W/b/f; docker run --rm $P -v $W/b:/b $I sh -c "cat /b/f; echo y >/b/g"; cat $W/b/g'
feature 0 'bind mount, read-only' 'mkdir -p $W/b; docker run --rm $P -v $W/b:/b:ro $I touch /b/z 2>&1; test ! -e $W/b/z'
feature 0 'named volume' 'docker volume create v1 >/dev/null; docker run --rm $P -v v1:/v $I sh -c "echo kept >/v/f"; docker run --rm $P -v v1:/v $I cat /v/f; docker volume rm v1'
feature 0 'shm size' 'docker run --rm $P --shm-size 2m $I df -k /dev/shm | tail -1 | tr -s " " | cut -d" " -f2'

# ---- privileges
feature 0 'capabilities dropped' 'docker run --rm $P --cap-drop all $I grep Cap /proc/self/status'
feature 0 'capabilities added' 'docker run --rm $P --cap-add net_admin --cap-add sys_ptrace $I grep Cap /proc/self/status'
feature 0 'no new privileges' 'docker run --rm $P --security-opt no-new-privileges $I grep NoNewPrivs /proc/self/status'
feature 0 'seccomp: a file' 'echo "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"mkdir\",\"mkdirat\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":99}]}" >$W/s.json; docker run --rm $P --security-opt seccomp=$W/s.json $I mkdir /tmp/d 2>&1; true'
feature 0 'seccomp: unconfined' 'docker run --rm $P --security-opt seccomp=unconfined $I grep Seccomp: /proc/self/status'
feature 0 'ulimit' 'docker run --rm $P --ulimit nofile=100:200 $I sh -c "ulimit -n; ulimit -Hn"'
feature 0 'sysctl' 'docker run --rm $P --sysctl net.ipv4.ip_forward=1 --sysctl kernel.msgmax=9000 $I cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax'
feature 0 'oom score' 'docker run --rm $P --oom-score-adj 100 $I cat /proc/self/oom_score_adj'
feature 0 'device' 'docker run --rm $P --device /dev/fuse:/dev/f:r $I sh -c "exec 2>&1; ls -l /dev/f | cut -c1-10; echo x >/dev/f" 2>&1; true'
feature 0 'device rule' 'docker run --rm $P --cap-add mknod --device-cgroup-rule "c 10:229 rwm" $I sh -c "mknod /tmp/d c 10 229; : </tmp/d && echo opened" 2>&1; true'
feature 0 'init' 'docker run --rm $P --init $I sh -c "tr \"\\0\" \" \" </proc/1/cmdline | cut -d\" \" -f2-"'

# ---- namespaces
feature 0 'pid: host' 'docker run --rm $P --pid host $I sh -c "test \$\$ != 1 && echo host"'
feature 0 'ipc, uts: host' 'docker run --rm $P --ipc host --uts host $I sh -c "readlink /proc/self/ns/ipc; readlink /proc/self/ns/uts" >$W/o; readlink /proc/self/ns/ipc /proc/self/ns/uts | diff - $W/o'
feature 0 'cgroup namespace: host' 'docker run --rm $P --cgroupns host $I sh -c "grep -c $cgroup /proc/self/cgroup"'
feature 0 'pid, network of another container' 'docker run -d $P --name n1 $I sleep 100 >/dev/null; docker run --rm --pid container:n1 --network container:n1 $I sh -c "ps | grep -c \"[s]leep 100\""; docker rm -f n1 >/dev/null'

# ---- the life of a container
docker run -d $P --name c1 $I sh -c 'trap "echo got TERM; exit 3" TERM; echo up; while :; do sleep 0.1; done' >/dev/null 2>&1
feature 0 'exec' 'docker exec c1 sh -c "echo in; readlink /proc/self/ns/pid >/tmp/a; readlink /proc/1/ns/pid | diff - /tmp/a"'
feature 9 'exec: exit status' 'docker exec c1 sh -c "exit 9"'
feature 0 'exec -i' 'echo abc | docker exec -i c1 cat'
feature 0 'exec -t' 'docker exec -t c1 tty'
feature 0 'exec -it: below a terminal' 'in_terminal "docker exec -it c1 sh -c \"tty | tr -d 0-9; test -t 1 && echo yes\""'
feature 0 'exec -u -w -e' 'docker exec -u app -w /etc -e X=y c1 sh -c "id; pwd; echo \$X"'
feature 0 'exec -d' 'docker exec -d c1 touch /tmp/made; until_true 5 docker exec c1 test -e /tmp/made'
feature 0 'exec: process state' 'docker exec c1 grep -E "^(Uid|Gid|Groups|NoNewPrivs|Seccomp|Cap)" /proc/self/status'
feature 126 'exec: a missing command' 'docker exec c1 nosuch'
feature 126 'exec: a directory' 'docker exec c1 /etc'
feature 0 'logs' 'docker logs c1'
feature 0 'top' 'docker top c1 -o pid,args | sed -E "s/^ *[0-9]+/PID/" | grep -o -E "PID +(sh -c|COMMAND)"'
feature 0 'stats' 'docker stats --no-stream --format "{{.Name}}" c1'
feature 0 'inspect' 'docker inspect -f "{{.State.Status}} {{.State.ExitCode}} {{.HostConfig.Runtime}}" c1'
feature 0 'pause and unpause' 'docker pause c1; docker inspect -f "{{.State.Status}}" c1; docker unpause c1; docker inspect -f "{{.State.Status}}" c1'
feature 0 'update: restart policy' 'docker update --restart no c1'
feature 0 'kill: a signal' 'docker kill -s USR2 c1; docker inspect -f "{{.State.Status}}" c1'
feature 0 'stop: the program ends by itself' 'docker stop -t 10 c1; docker wait c1; docker logs c1 | tail -1'
feature 0 'start again, and restart' 'docker start c1; docker restart -t 5 c1; docker inspect -f "{{.State.Status}}" c1'
feature 0 'cp in and out' 'echo x >$W/cp; docker cp $W/cp c1:/tmp/cp 2>/dev/null; docker exec c1 cat /tmp/cp; docker cp c1:/etc/data $W/out 2>/dev/null; cat $W/out'
feature 0 'diff' 'docker exec c1 touch /tmp/diff; docker diff c1 | grep tmp/diff'
feature 0 'export' 'docker export c1 | tar t | grep -x etc/data'
feature 0 'commit' 'docker commit c1 new:1 >/dev/null; docker run --rm $P new:1 ls /tmp/diff; docker rmi new:1 >/dev/null'
feature 0 'rename' 'docker rename c1 c1b; docker rename c1b c1; docker inspect -f "{{.Name}}" c1'
feature 0 'rm -f' 'docker rm -f c1; docker ps -aq | wc -l'
feature 0 'stop: after the grace time' 'docker run -d $P --name c2 $I sh -c "trap \"\" TERM; while :; do sleep 0.1; done" >/dev/null; docker stop -t 1 c2; docker wait c2; docker rm c2'
feature 0 'create and start' 'docker create $P --name c3 $I echo later >/dev/null; docker start -a c3; docker rm c3'
feature 0 'attach' 'docker run -d $P --name c6 $I sh -c "until test -e /tmp/go; do sleep 0.1; done; echo attached; exit 4" >/dev/null; docker attach --no-stdin c6 & sleep 1; docker exec c6 touch /tmp/go; wait $!; docker wait c6; docker rm c6'
feature 0 'restart policy' 'docker run -d $P --name c7 --restart on-failure:2 $I sh -c "exit 1" >/dev/null; until_true 20 sh -c "docker inspect -f {{.State.Status}}{{.RestartCount}} c7 | grep -q exited2"; docker inspect -f "{{.RestartCount}}" c7; docker rm -f c7'
feature 0 'health check' 'docker run -d $P --name c8 --health-cmd "test -e /etc/data" --health-interval 1s $I sleep 100 >/dev/null; until_true 20 sh -c "docker inspect -f {{.State.Health.Status}} c8 | grep -qx healthy"; docker inspect -f "{{.State.Health.Status}}" c8; docker rm -f c8'

# ---- network
feature 0 'network: none' 'docker run --rm $P $I ip -o link | cut -d: -f2 | cut -d@ -f1'
feature 0 'network: host' 'docker run --rm --network=host $I readlink /proc/self/ns/net >$W/o; readlink /proc/self/ns/net | diff - $W/o'
feature 0 'network: the default bridge' 'docker run --rm $I ip -4 -o addr show eth0 | tr -s " " | cut -d" " -f2-4'
feature 0 'network: one of its own, a published port' 'docker network create n1 >/dev/null; docker run -d --network n1 --name web -p 127.0.0.1:8081:80 $I httpd -f -p 80 -h /etc >/dev/null; until_true 10 busybox wget -qO- http://127.0.0.1:8081/data; busybox wget -qO- http://127.0.0.1:8081/data'
feature 0 'network: names' 'docker run --rm --network n1 $I wget -qO- http://web/data'
feature 0 'network: connected later' 'docker run -d --name later $I sleep 100 >/dev/null; docker network connect n1 later; docker exec later wget -qO- http://web/data; docker network disconnect n1 later; docker rm -f later web; docker network rm n1'

# ---- images
feature 0 'build' 'mkdir -p $W/build; printf "FROM bb:1\nRUN echo built >/made && id >>/made\nWORKDIR /etc\nCMD cat /made\n" >$W/build/Dockerfile; docker build -q --network=none -t built:1 $W/build >/dev/null && docker run --rm $P built:1'
feature 0 'compose' 'mkdir -p $W/compose; cd $W/compose; printf "version: \"3\"\nservices:\n  web:\n    image: bb:1\n    command: httpd -f -p 80 -h /etc\n  one:\n    image: bb:1\n    command: sh -c \"for i in 1 2 3 4 5; do wget -qO- http://web/data && break; sleep 0.5; done; sleep 100\"\n    depends_on: [web]\n" >docker-compose.yml; docker-compose up -d --scale one=2 >/dev/null 2>&1; until_true 15 sh -c "test \$(docker-compose logs --no-color one 2>/dev/null | grep -c data) = 2"; docker-compose logs --no-color one 2>/dev/null | grep data | sort; docker-compose down -t 1 2>&1 | grep -c done'
