# 2. Bundle and root
# shellcheck shell=bash disable=SC2034,SC2119,SC2120,SC2154,SC2164 # names of lib.bash; `set -e` is on

rule S-014 MUST - "root.path: absolute, or relative to the bundle; root is required" \
	"both, from another directory; no root, no path"
S_014() {
	echo inside >"$BUNDLE/rootfs/marker"
	program /bin/cat /marker
	cd /
	prints inside
	config --arg path "$BUNDLE/rootfs" '.root.path = $path'
	prints inside
	refuses 'del(.root)' root
	refuses 'del(.root.path)' root
}

rule S-015 MUST - "a directory exists at root.path" "a name that is not there; a file"
S_015() {
	refuses '.root.path = "nothing"' root.path
	refuses '.root.path = "config.json"' root.path
}

rule S-016 MUST - "root.readonly: the root is read-only inside; otherwise it is not" \
	"true, false and absent: touch of a file"
S_016() {
	local touch='touch /file 2>/dev/null && echo written || echo refused'
	shows '.root.readonly = true' "$touch" refused
	shows '.root.readonly = false' "$touch" written
	shows 'del(.root.readonly)' "$touch" written
}

rule S-017 INFO - "a root filesystem behind a symbolic link (runc refuses it, the text does not)" \
	"root.path is a link to the directory"
S_017() {
	mv "$BUNDLE/rootfs" "$BUNDLE/real"
	ln -s real "$BUNDLE/rootfs"
	script 'echo ran'
	prints ran
}
