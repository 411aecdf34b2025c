# 14. memoryPolicy, personality, sysctl
# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154,SC2164 # names of lib.bash; `set -e` is on

# policy JSON PATTERN: of the program's own pages numa_maps says so.
policy() {
	[[ -e /proc/self/numa_maps ]] || cannot "this kernel knows no memory nodes"
	changed ".linux.memoryPolicy = $1"
	script 'exec grep -E " (heap|stack)" /proc/self/numa_maps'
	run
	expect 0
	[[ $(cut -d ' ' -f 2- <<<"$output" | grep -oE '^(prefer \(many\):0|[^ ]+)' | sort -u) =~ ^$2$ ]] ||
		report "policy $2 expected"
	saw "$(jq -nr "$1 | .mode + \" \" + (.flags // [] | join(\" \"))")"
	unchanged
}

rule S-196 MUST - "memoryPolicy: seven modes, nodes, three flags; unknown ones are errors" \
	"modes and flags, as numa_maps shows them; no mode, an unknown mode, flag, list"
S_196() {
	policy '{"mode": "MPOL_DEFAULT"}' default
	policy '{"mode": "MPOL_BIND", "nodes": "0"}' bind:0
	policy '{"mode": "MPOL_INTERLEAVE", "nodes": "0"}' interleave:0
	policy '{"mode": "MPOL_PREFERRED", "nodes": "0"}' prefer:0
	policy '{"mode": "MPOL_PREFERRED_MANY", "nodes": "0"}' 'prefer .many.:0'
	policy '{"mode": "MPOL_LOCAL", "nodes": ""}' local
	policy '{"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]}' bind=static:0
	policy '{"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_RELATIVE_NODES"]}' bind=relative:0
	policy '{"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_NUMA_BALANCING"]}' 'bind(=balancing)?:0'
	if [[ -d /sys/kernel/mm/mempolicy/weighted_interleave ]]; then
		changed '.linux.memoryPolicy = {"mode": "MPOL_WEIGHTED_INTERLEAVE", "nodes": "0"}'
		run
		expect 0
		unchanged
		saw "weighted interleave"
	fi
	refuses '.linux.memoryPolicy = {"nodes": "0"}' linux.memoryPolicy.mode
	refuses '.linux.memoryPolicy = {"mode": "MPOL_FOO", "nodes": "0"}' linux.memoryPolicy.mode
	refuses '.linux.memoryPolicy = {"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_FOO"]}' linux.memoryPolicy.flags
	refuses '.linux.memoryPolicy = {"mode": "MPOL_BIND", "nodes": "zero"}' linux.memoryPolicy.nodes
}

rule S-197 MUST - "nodes may be absent" "MPOL_DEFAULT and MPOL_LOCAL without"
S_197() {
	policy '{"mode": "MPOL_DEFAULT"}' default
	policy '{"mode": "MPOL_LOCAL"}' local
}

rule S-198 MUST - "personality.domain: LINUX or LINUX32" "uname -m under both; BSD"
S_198() {
	shows '.linux.personality = {"domain": "LINUX32"}' 'uname -m' i686
	shows '.linux.personality = {"domain": "LINUX"}' 'uname -m' "$(uname -m)"
	refuses '.linux.personality = {"domain": "BSD"}' linux.personality.domain
}

rule S-199 MUST crun,runc "personality.flags: no value is supported, so any is an error" "a flag; []"
S_199() {
	accepts '.linux.personality = {"domain": "LINUX", "flags": []}'
	refuses '.linux.personality = {"domain": "LINUX", "flags": ["ADDR_NO_RANDOMIZE"]}' linux.personality.flags
}

rule S-200 MUST - "sysctls are set in the container" \
	"of the network and of ipc, seen inside; on the host they stay as they were"
S_200() {
	local before
	before=$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/msgmax)
	config '.linux.sysctl = {"net.ipv4.ip_unprivileged_port_start": "77", "kernel.msgmax": "7777"}'
	script 'cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/msgmax'
	prints $'77\n7777'
	[[ $(cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/msgmax) == "$before" ]] ||
		fail "the host's are changed"
}

rule S-201 INFO - "sysctls that have no namespace are refused (not in the text)" \
	"vm.swappiness; one of the network without a network namespace"
S_201() {
	refuses '.linux.sysctl = {"vm.swappiness": "60"}' linux.sysctl
	refuses '.linux.namespaces |= map(select(.type != "network")) | .mounts |= map(select(.type != "sysfs")) |
		.linux.sysctl = {"net.ipv4.ip_forward": "0"}' linux.sysctl
}

rule S-202 INFO - "in names with slashes the dots are those of an interface" \
	"net/ipv4/conf/eno2.100/forwarding"
S_202() {
	touch "$T/net"
	unshare --net="$T/net" ip link add eno2.100 type veth peer name peer0
	mounted_on_purpose
	config --arg path "$T/net" '.linux.namespaces |= map(if .type == "network" then .path = $path else . end) |
		.linux.sysctl = {"net/ipv4/conf/eno2.100/forwarding": "1"}'
	script 'cat /proc/sys/net/ipv4/conf/eno2.100/forwarding'
	prints 1
}
