# containerd by root, driven by ctr.
# shellcheck shell=bash disable=SC2016,SC2154,SC1091

. ./ctr.lib

# A limit of processor shares is asked for by default: there may be no controller for it.
ctr_run() {
	ctr run --runtime io.containerd.runc.v2 --runc-binary "$runtime" --cpu-shares 0 --cgroup "$cgroup/$RANDOM$RANDOM" "$@"
}
export -f ctr_run

ctr_begin
ctr_import || exit 1
export I=localhost/bb:1 W=$work

feature 0 'run: output' 'ctr_run --rm $I a1 echo hello'
feature 7 'run: exit status' 'ctr_run --rm $I a2 sh -c "exit 7"'
feature 0 'run: environment' 'ctr_run --rm --env A=b $I a3 env | sort | grep -v HOSTNAME'
feature 0 'run: working directory' 'ctr_run --rm --cwd /etc $I a4 pwd'
feature 1 'run: a missing command' 'ctr_run --rm $I a6 nosuch'
feature 1 'run: a directory' 'ctr_run --rm $I a7 /etc'
feature 0 'run: mounts' 'ctr_run --rm $I a8 cut -d" " -f2-4 /proc/mounts | grep -v "^/ " | sort'
feature 0 'run: process state' 'ctr_run --rm $I a9 grep -E "^(Uid|Gid|Groups|NoNewPrivs|Seccomp|Cap|Sig(Blk|Ign))" /proc/self/status'
feature 0 'run: seccomp' 'ctr_run --rm --seccomp $I a10 grep -E "^(NoNewPrivs|Seccomp):" /proc/self/status'
feature 0 'run: privileged' 'ctr_run --rm --privileged $I a11 grep -E "^(Seccomp|Cap...):" /proc/self/status'
feature 0 'run: read-only root' 'ctr_run --rm --read-only $I a12 touch /x 2>&1; true'
feature 0 'run: bind mount' 'mkdir -p $W/b; echo x >$W/b/f; ctr_run --rm --mount type=bind,src=$W/b,dst=/b,options=rbind:ro $I a13 sh -c "exec 2>&1; cat /b/f; touch /b/g"; test ! -e $W/b/g'
feature 0 'run: network of the host' 'ctr_run --rm --net-host $I a14 readlink /proc/self/ns/net >$W/o; readlink /proc/self/ns/net | diff - $W/o'
feature 0 'run: user namespace' 'ctr_run --rm --uidmap 0:100000:65536 --gidmap 0:100000:65536 $I a15 sh -c "id; cat /proc/self/uid_map"'
feature 0 'run: below a terminal' 'in_terminal "ctr_run --rm -t $I a16 tty"'

ctr_run -d "$I" c1 sh -c 'trap "exit 3" TERM; while :; do sleep 0.1; done' >/dev/null 2>&1
feature 0 'task list' 'ctr tasks ls | sed -E "s/ +/ /g; s/ [0-9]+ / PID /"'
feature 0 'task exec' 'ctr tasks exec --exec-id e1 c1 sh -c "echo in; id"'
feature 9 'task exec: exit status' 'ctr tasks exec --exec-id e2 c1 sh -c "exit 9"'
feature 1 'task exec: a missing command' 'ctr tasks exec --exec-id e3 c1 nosuch'
feature 0 'task exec: user and directory' 'ctr tasks exec --exec-id e4 --user 1000:1000 --cwd /etc c1 sh -c "id; pwd"'
feature 0 'task exec: below a terminal' 'in_terminal "ctr tasks exec -t --exec-id e5 c1 sh -c \"tty | tr -d 0-9\""'
feature 0 'task ps' 'ctr tasks ps c1 | tail -n +2 | wc -l'
feature 0 'pause and resume' 'ctr tasks pause c1; ctr tasks ls | grep -o PAUSED; ctr tasks resume c1; ctr tasks ls | grep -o RUNNING'
feature 0 'metrics' 'ctr tasks metrics c1 | grep -c -i -E "^(memory|pids|cpu)"'
feature 1 'checkpoint is refused' 'ctr tasks checkpoint --image-path $W/cp c1 >/dev/null 2>&1'
feature 0 'kill: TERM' 'ctr tasks kill c1; until_true 10 sh -c "ctr tasks ls | grep -q STOPPED"; ctr tasks ls | grep -o STOPPED; ctr tasks rm c1; ctr containers rm c1'
ctr_run -d "$I" c2 sh -c 'trap "" TERM; while :; do sleep 0.1; done' >/dev/null 2>&1
feature 0 'kill: KILL' 'ctr tasks kill -s KILL c2; until_true 10 sh -c "ctr tasks ls | grep -q STOPPED"; ctr tasks rm c2; ctr containers rm c2'
ctr_run -d "$I" c3 sleep 100 >/dev/null 2>&1
feature 0 'rm -f of a running task' 'ctr tasks rm -f c3; ctr containers rm c3; ctr containers ls -q | wc -l'
