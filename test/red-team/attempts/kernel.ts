import type { Attempt, Target } from '../attempt.ts';

const REFUSED =
  /refused: (Operation not permitted|Permission denied|Function not implemented|Invalid argument|No such)/;

const call = (...args: (number | string)[]) => `perl $LIB/call ${args.join(' ')}`;

/** x86-64 has these numbers; elsewhere they name other calls, and the attempts are left out. */
const CALLS: Attempt[] = [
  {
    // docker and podman make a ring for each container: that one is nobody else's (isolation.test.ts compares).
    name: 'the key rings of the session and the user (keyctl)',
    script: `${call(250, 0, -3, 1)} | sed s/SUCCEEDED/ring/; ${call(250, 11, -4, 0, 0)} | sed 's/SUCCEEDED 0/refused: empty/'`,
    shows: /(refused|ring)[\s\S]*refused/,
  },
  {
    name: 'a key for others to find (add_key)',
    script: call(248, 'user', 'red', 'x', 1, -5),
    shows: REFUSED,
  },
  { name: 'load a program into the kernel (bpf)', script: call(321, 0, 0, 0), shows: REFUSED },
  { name: 'watch the kernel (perf_event_open)', script: call(298, 0, 0, -1, -1, 0), shows: REFUSED },
  {
    name: 'open files by their handles (open_by_handle_at)',
    script: `perl -e 'open(my $f, "<", "/"); my $h = pack("L L Q", 8, 1, 2); print syscall(304, fileno($f), $h, 0) < 0 ? "refused: $!\\n" : "SUCCEEDED\\n"'`,
    shows: /refused: (Operation not permitted|Function not implemented)/,
  },
  { name: 'another time for the machine (clock_settime)', script: call(227, 0, "''"), shows: /refused: / },
  { name: 'swap (swapon)', script: call(167, '/state/tmp/x', 0), shows: REFUSED },
];

export const kernel = (_at: Target): Attempt[] => [
  ...(process.arch === 'x64' ? CALLS : []),
  {
    name: 'mount a file system',
    script: `mkdir -p /state/tmp/m; perl -e 'my ($a, $b, $c) = ("x\\0", "/state/tmp/m\\0", "tmpfs\\0"); print syscall(${process.arch === 'x64' ? 165 : 40}, $a, $b, $c, 0, 0) < 0 ? "refused: $!\\n" : "SUCCEEDED\\n"'; mount -t tmpfs x /state/tmp/m && echo SUCCEEDED; mount -o remount,rw / && echo SUCCEEDED; mount --bind /usr /state/tmp/m && echo SUCCEEDED`,
    shows: /refused: (Operation not permitted|Function not implemented)/,
  },
  {
    name: 'unmount what hides something',
    script: `for p in /usr /work /run/claude-hooks/answers /proc /tmp; do umount $p && echo "SUCCEEDED $p"; umount -l $p && echo "SUCCEEDED $p"; done; true`,
    shows: /(not permitted|must be superuser|no mount point|not mounted|not found|permission denied)/i,
  },
  {
    name: 'new namespaces, and in them more rights',
    script: `for n in '--user --map-root-user' --mount --net --pid --uts --ipc; do unshare $n true && echo "SUCCEEDED $n"; done; true`,
    shows: /((unshare failed|uid_map): [\s\S]*){6}/,
  },
  {
    name: 'another root',
    script: `chroot /work /bin/sh && echo SUCCEEDED; perl -e 'chroot("/work") or die "refused: $!\\n"; print "SUCCEEDED"'`,
    shows: /refused: (Operation not permitted|Function not implemented)/,
  },
  {
    name: 'a device of its own: the disk, the memory',
    script: `mknod /state/tmp/disk b 254 0 && dd if=/state/tmp/disk count=1 of=/dev/null && echo SUCCEEDED; mknod /tmp/mem c 1 1 && echo SUCCEEDED; ls /dev/sd* /dev/vd* /dev/mem /dev/kmsg /dev/fuse /dev/kvm 2>/dev/null | grep . && echo SUCCEEDED`,
    shows: /mknod: .*Operation not permitted[\s\S]*mknod: .*Operation not permitted/,
  },
  {
    name: 'settings of the kernel',
    script: `for f in /proc/sys/kernel/core_pattern /proc/sys/kernel/modprobe /proc/sys/vm/drop_caches /proc/sysrq-trigger /sys/kernel/uevent_helper /sys/fs/cgroup/cgroup.procs /proc/1/oom_score_adj; do (cat $f >/state/tmp/was && cat /state/tmp/was >$f) 2>/state/tmp/why && case $f in /proc/1/*) ;; *) echo "SUCCEEDED $f" ;; esac; cat /state/tmp/why; done; echo asked`,
    shows: /(Read-only file system|Permission denied|No such file)[\s\S]*asked/,
  },
  {
    name: 'the log of the kernel, and its memory',
    script: `dmesg && echo SUCCEEDED; [ "$(head -c 1 /proc/kcore 2>/dev/null | wc -c)" = 0 ] && echo 'no memory'`,
    shows: /no memory/,
  },
  {
    name: 'keys typed into the terminal of whoever started the service (TIOCSTI)',
    script: `perl -e 'for my $t ("/dev/tty", "/dev/console", "/dev/pts/0", "/proc/1/fd/0") { open(my $f, "+<", $t) or do { print "refused: $!\\n"; next }; my $c = "x"; ioctl($f, 0x5412, $c) ? print "SUCCEEDED $t\\n" : print "refused: $!\\n" }'`,
    shows: /^(refused: .*\s){4}/,
  },
  {
    name: 'another name, another user, another group',
    script: `hostname evil && echo SUCCEEDED; perl -e '$> = 12345; print $> == 12345 ? "SUCCEEDED" : "refused: $!"'; grep CapEff /proc/self/status`,
    shows: /CapEff:\s+0{16}/,
  },
];
