import { type Attempt, SECRETS, type Target } from '../attempt.ts';
import { FIND_CLI } from './lifetime.ts';

export const credentials = (_at: Target): Attempt[] => [
  {
    name: 'the environment of the CLI and its tools',
    script: `echo "looked at $(env | wc -l)"; env | grep -E '${SECRETS}' && echo SUCCEEDED`,
    shows: /looked at [1-9]\d/,
  },
  {
    name: 'the environment of the first process',
    script: `echo "looked at $(tr '\\0' '\\n' </proc/1/environ | wc -l)"; tr '\\0' '\\n' </proc/1/environ | grep -E '${SECRETS}' && echo SUCCEEDED`,
    shows: /looked at [1-9]/,
  },
  {
    name: 'the environment and the arguments of every process',
    script: `n=0; for p in /proc/[0-9]*; do n=$((n + 1)); tr '\\0' '\\n' <$p/environ; tr '\\0' '\\n' <$p/cmdline; done >/tmp/seen; echo "looked at $n"; grep -aE '${SECRETS}' /tmp/seen && echo SUCCEEDED; [ $n -lt 40 ] || echo SUCCEEDED this is the whole machine`,
    shows: /looked at [2-9]/,
  },
  {
    name: 'every file that can be read',
    // Of /usr only what changed with this installation: it is the machine's own, and large.
    script: `{ grep -rlaE '${SECRETS}' / --exclude-dir=proc --exclude-dir=sys --exclude-dir=usr --exclude-dir=results --exclude-dir=dev --exclude=claude 2>/dev/null
find /usr -newer /attempts/decoy -type f -not -name claude 2>/dev/null | xargs -r grep -laE '${SECRETS}'
} | sort -u >/tmp/found; cat /tmp/found; grep -v '^/attempts/decoy$' /tmp/found && echo SUCCEEDED`,
    shows: /^\/attempts\/decoy$/m,
  },
  {
    name: "the CLI's own credentials file",
    script: `cat "$CLAUDE_CONFIG_DIR/.credentials.json" "$HOME/.claude/.credentials.json"`,
    shows: /\.credentials\.json: No such file/,
  },
  {
    name: 'what git knows of credentials',
    script: `git config --list --show-origin | grep -iE 'credential|extraheader|://[^ ]*@' && echo SUCCEEDED
printf 'protocol=http\\nhost=127.0.0.1\\n\\n' | GIT_TERMINAL_PROMPT=0 git credential fill; cat ~/.netrc ~/.git-credentials`,
    shows: /could not read Username[\s\S]*\.netrc: No such file/,
  },
  {
    name: 'the address of the forge in the mirror',
    script: `cat /run/claude-hooks/origin.git/config && grep -E 'token|@' /run/claude-hooks/origin.git/config && echo SUCCEEDED`,
    shows: /\[core\]/,
  },
  {
    name: "keys and homes of this machine's users",
    script: `for f in /etc/shadow /root/.ssh /home/*/.ssh /root/.claude.json /root/.netrc /etc/ssh/ssh_host_rsa_key /var/lib; do [ -e $f ] && [ -n "$(ls -A $f)" ] && echo "SUCCEEDED $f"; done; ls /root/.ssh`,
    shows: /No such file|Permission denied/,
  },
  {
    name: 'folders beside the CLI folder: other conversations, the database',
    script: `ls -la "$CLAUDE_CONFIG_DIR/.." /; find / \\( -path /proc -o -path /usr -o -path /sys -o -path /dev \\) -prune -o \\( -name 'claude-hooks.db*' -o -path '*/state/instance' \\) -print | grep . && echo SUCCEEDED; [ "$(ls "$CLAUDE_CONFIG_DIR/.." | tr '\\n' ' ')" = 'cli home tmp ' ] && echo alone`,
    shows: /^alone$/m,
  },
  {
    name: 'the memory of the CLI',
    script: `${FIND_CLI}; perl -e 'my $pid = shift; open(my $maps, "<", "/proc/$pid/maps") or die "maps: $!"; open(my $mem, "<:raw", "/proc/$pid/mem") or die "mem: $!"; my $all = 0; while (<$maps>) { my ($from, $to) = /^(\\w+)-(\\w+) rw/ or next; ($from, $to) = (hex $from, hex $to); next if $to - $from > 32e6 or $all > 3e8; sysseek $mem, $from, 0; my $got; $all += sysread $mem, $got, $to - $from; print "SUCCEEDED $&\\n" if $got =~ /${SECRETS}/ } print "read $all\\n"' $cli`,
    shows: /read [1-9]\d{6}/,
  },
];
