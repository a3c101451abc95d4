import type { Attempt, Target } from '../attempt.ts';

const SOCKET = '/run/claude-hooks/model.sock';
const BODY = '{"model":"claude-sonnet-5-5","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}';

function ask(head: string, body = ''): string {
  const length = body === '' ? '' : `content-length: ${body.length}\n`;
  return `perl $LIB/http ${SOCKET} <<'END'\n${head}\n${length}connection: close\n\n${body}\nEND\n`;
}

const refused = (status: number) => new RegExp(`HTTP/1\\.1 ${status} `);

export const model = (at: Target): Attempt[] => [
  {
    name: 'list the models through the gateway',
    script: ask('GET /v1/models HTTP/1.1\nhost: localhost'),
    shows: refused(404),
    audit: { door: 'model', action: /^GET \/v1\/models$/ },
  },
  {
    name: 'upload a file through the gateway',
    script: ask('POST /v1/files HTTP/1.1\nhost: localhost', BODY),
    shows: refused(404),
    audit: { door: 'model', action: /^POST \/v1\/files$/ },
  },
  {
    name: 'use the gateway as a proxy, by an absolute address',
    script: ask(`POST http://127.0.0.1:${at.ports.bait}/v1/messages HTTP/1.1\nhost: localhost`, BODY),
    shows: refused(403),
    audit: { door: 'model', action: /^POST http:\/\/127/ },
  },
  {
    name: 'have the gateway ask another host',
    script: ask(`POST /v1/messages HTTP/1.1\nhost: 127.0.0.1.example.com:${at.ports.bait}`, BODY),
    shows: refused(403),
    audit: { door: 'model', action: /^POST \/v1\/messages$/ },
  },
  {
    name: 'open a tunnel through the gateway',
    script: ask(`CONNECT 127.0.0.1:${at.ports.bait} HTTP/1.1\nhost: localhost`),
    shows: refused(403),
    audit: { door: 'model', action: /^CONNECT / },
  },
  {
    name: 'upgrade a connection of the gateway',
    script: ask('GET /v1/messages HTTP/1.1\nhost: localhost\nupgrade: websocket\nconnection: upgrade'),
    shows: refused(403),
    audit: { door: 'model', action: /^GET \/v1\/messages$/ },
  },
  {
    name: 'another path behind dots, slashes and escapes',
    script: [
      '/v1/messages/../models',
      '//v1/messages',
      '/v1/messages%2f..%2fmodels',
      '/v1/messages?a=/v1/models',
    ]
      .map((path) => ask(`POST ${path} HTTP/1.1\nhost: localhost`, BODY))
      .join(''),
    shows: /(HTTP\/1\.1 404 [\s\S]*){4}/,
    audit: { door: 'model', action: /^POST \/v1\/messages\/\.\.\/models$/ },
  },
  {
    name: 'a second request hidden in the first',
    script: `perl $LIB/http ${SOCKET} <<'END'\nPOST /v1/messages HTTP/1.1\nhost: localhost\ncontent-length: 4\ntransfer-encoding: chunked\n\n0\n\nGET /v1/models HTTP/1.1\nhost: localhost\n\n\nEND\n`,
    shows: refused(400),
    audit: { door: 'model', action: /no HTTP/ },
  },
  {
    // That upstream got ours and not this is checked at the model, in suite.ts.
    name: 'choose the credential, or have it shown',
    script: ask(
      'POST /v1/messages HTTP/1.1\nhost: localhost\ncontent-type: application/json\nx-api-key: sk-ant-of-the-attacker-XXXX\nauthorization: Bearer attacker-XXXX\nconnection: x-api-key\nx-forwarded-host: 127.0.0.1\nexpect: 100-continue\ntrailer: x-api-key',
      BODY,
    ),
    shows: /HTTP\/1\.1 (200|400) /,
  },
  {
    name: 'the socket of another dispatch',
    // In cc-socks the CLI has one of its own. With stat: a mounted socket stands in its folder as a plain file.
    script: `find / \\( -path /proc -o -path /sys -o -path /usr -o -name cc-socks \\) -prune -o -not -type d -print0 2>/dev/null | xargs -0 stat -c '%F %n' 2>/dev/null | sed -n 's/^socket //p' | tee /tmp/sockets; [ "$(cat /tmp/sockets)" = ${SOCKET} ] && echo 'only mine'; named=$(sed 1d /proc/net/unix | grep -o '[^ ]*[@/].*' | grep -v '/cc-socks/' | sort -u | wc -l); [ $named -le 1 ] || echo SUCCEEDED another socket`,
    shows: /^only mine$/m,
  },
];
