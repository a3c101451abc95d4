import type { Attempt, Target } from '../attempt.ts';

const UNREACHABLE = /refused: (Network is unreachable|Connection refused)/;

const tcp = (address: string, port: number) => `perl $LIB/tcp ${address} ${port}`;

export const network = (at: Target): Attempt[] => [
  {
    name: "a listener on this machine's loopback",
    script: tcp('127.0.0.1', at.ports.bait),
    shows: UNREACHABLE,
  },
  { name: 'the forge by its port', script: tcp('127.0.0.1', at.ports.forge), shows: UNREACHABLE },
  { name: 'the model by its port', script: tcp('127.0.0.1', at.ports.model), shows: UNREACHABLE },
  { name: 'the metadata of a cloud', script: tcp('169.254.169.254', 80), shows: UNREACHABLE },
  { name: 'a resolver of names', script: 'perl $LIB/udp 9.9.9.9 53', shows: UNREACHABLE },
  {
    name: 'a name, asked of the machine',
    script: `getent hosts example.com && echo SUCCEEDED; perl -MSocket -e 'print defined inet_aton("example.com") ? "SUCCEEDED" : "unknown"'`,
    shows: /unknown/,
  },
  {
    name: 'another machine, over IPv6 too',
    script: `${tcp('1.1.1.1', 443)}; perl -MSocket -e 'socket(my $s, AF_INET6, SOCK_STREAM, 0) or die "refused: $!\\n"; connect($s, pack_sockaddr_in6(443, pack("H*", "26064700470000000000000000001111"))) or die "refused: $!\\n"; print "SUCCEEDED"'`,
    shows: /(refused: [\s\S]*){2}/,
  },
  {
    name: 'an abstract socket of this machine',
    script: `perl -MSocket -e 'socket(my $s, AF_UNIX, SOCK_STREAM, 0); connect($s, pack("S a*", AF_UNIX, "\\0${at.abstract}")) or die "refused: $!\\n"; print "SUCCEEDED"'`,
    shows: /refused: Connection refused/,
  },
  {
    name: 'the socket of podman, docker, dbus or systemd',
    script: `for s in /run/podman/podman.sock /run/docker.sock /var/run/docker.sock /run/dbus/system_bus_socket /run/systemd/private /run/containerd/containerd.sock; do perl $LIB/http $s </dev/null; done`,
    shows: /^(connect: No such file or directory\s+){6}$/m,
  },
  {
    name: 'raw packets',
    script: `perl -MSocket -e 'socket(my $s, 17, SOCK_RAW, 768) or die "refused: $!\\n"; print "SUCCEEDED"'; perl -MSocket -e 'socket(my $s, AF_INET, SOCK_RAW, 1) or die "refused: $!\\n"; print "SUCCEEDED"'`,
    shows:
      /(refused: (Operation not permitted|Address family not supported by protocol|Function not implemented)\s+){2}/,
  },
  {
    name: 'the hypervisor, or a listener of this machine, over vsock',
    script: `for cid in 1 2; do perl -e 'alarm 5; socket(my $s, 40, 1, 0) or die "refused: $!\\n"; connect($s, pack("S S L L x4", 40, 0, 1024, $ARGV[0])) or die "refused: $!\\n"; print "SUCCEEDED"' $cid; done`,
    shows:
      /(refused: (Address family not supported|Operation not permitted|Function not implemented)[\s\S]*){2}/,
  },
];
