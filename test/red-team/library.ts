/** Programs for the scripts, for what a shell cannot do: perl-base is in every Debian, and on this machine. */

export const LIBRARY: Record<string, string> = {
  /** http <socket>: sends what it reads, prints what comes back */
  http: `use strict; use Socket; alarm 10;
socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die "socket: $!\\n";
connect($s, pack_sockaddr_un($ARGV[0])) or die "connect: $!\\n";
local $/; my $ask = <STDIN>; $ask =~ s/\\r?\\n/\\r\\n/g;
syswrite $s, $ask; my $got;
while (sysread $s, $got, 65536) { print $got }
`,
  /** tcp <address> <port> */
  tcp: `use strict; use Socket; alarm 5;
socket(my $s, AF_INET, SOCK_STREAM, 0) or die "socket: $!\\n";
connect($s, pack_sockaddr_in($ARGV[1], inet_aton($ARGV[0]))) or die "refused: $!\\n";
print "SUCCEEDED connected\\n";
`,
  /** udp <address> <port> */
  udp: `use strict; use Socket; alarm 5;
socket(my $s, AF_INET, SOCK_DGRAM, 0) or die "socket: $!\\n";
defined send($s, "hello", 0, pack_sockaddr_in($ARGV[1], inet_aton($ARGV[0]))) or die "refused: $!\\n";
print "SUCCEEDED sent\\n";
`,
  /** call <number> <arguments>: a system call; arguments of digits are numbers */
  call: `use strict; alarm 5;
my ($number, @args) = map { /^-?\\d+$/ ? 0 + $_ : "$_\\0" } @ARGV;
my $got = syscall($number, @args);
print $got == -1 ? "refused: $!\\n" : "SUCCEEDED $got\\n";
`,
  /** say <pid>: writes what it reads to the standard output of that process */
  say: `use strict; alarm 10;
local $/; my $lines = <STDIN>; my $out;
unless (open $out, ">>", "/proc/$ARGV[0]/fd/1") {
  my $process = syscall(434, 0 + $ARGV[0], 0);
  my $fd = syscall(438, $process, 1, 0);
  die "refused: $!\\n" if $fd < 0;
  open $out, ">>&=", $fd or die "refused: $!\\n";
}
syswrite $out, $lines; print "said\\n";
`,
};
