/** A log as a page of the documentation prints it: what differs between two plays of a story has one form. */
const ID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;
/** Measured: another in each play, unless they are 0. */
const NUMBERS: Record<string, string> = {
  seconds: '12.3',
  input: '812',
  output: '240',
  cacheRead: '50376',
  cacheWrite: '2210',
  usd: '0.0272',
  history: '9',
};

export function pictured(
  log: string,
  at: { folder: string; forge: string; service: string; health: string },
): string {
  const ids = new Map<string, string>();
  const numbered = (id: string) => {
    const known =
      ids.get(id) ??
      `${String(ids.size + 1)
        .padStart(2, '0')
        .repeat(4)}-…`;
    ids.set(id, known);
    return known;
  };
  return log
    .replaceAll(at.folder, '/srv/claude-hooks')
    .replaceAll(at.forge, 'https://forge.example.org')
    .replaceAll(at.health, 'http://127.0.0.1:9464')
    .replaceAll(at.service, 'http://127.0.0.1:8787')
    .replace(/(database migrated: [\w-]+).*/, '$1, …')
    .replace(ID, numbered)
    .replace(TIME, '2026-11-28T09:00:00Z')
    .replace(/\bversion=\S+/, 'version=0.1.0')
    .replace(/\b([a-zA-Z]+)=(\d[\d.e-]*)(?= |$)/gm, (whole, name: string, value: string) =>
      NUMBERS[name] === undefined || Number(value) === 0 ? whole : `${name}=${NUMBERS[name]}`,
    );
}

/** The lines without what depends on their order. */
export function comparable(page: string): string[] {
  return page
    .replace(/[0-9]{8}-…/g, 'id')
    .split('\n')
    .sort();
}

export function pageOf(log: string): string {
  return `# The log of a story

<!-- Written and checked by test/story-log.test.ts: the service really says this. -->

One issue, from its assignment to a run that fails. \`log.format: pretty\`; on anything but a terminal the same fields come as
one JSON object a line. Times, ids and measured numbers are made equal here.

What to follow: \`item\` is the same for all that happens on an issue or pull request; \`delivery\` goes into \`claude-hooks
explain\`, \`conversation\` and \`dispatch\` into \`claude-hooks conversations\`, \`session\` into \`sessions diagnose\`.

| line | says |
|---|---|
| \`claude-hooks listens\` | what runs: release, addresses, forges, agents with their models, engine, and what an earlier service left |
| \`delivery …\` | who did what on which item, and what was decided: \`routed\` (whom it \`wakes\`, by which \`flow\`), \`refused\`, \`unwanted\`, \`duplicate\`, \`ignored\`, \`failed\`, \`postponed\`; our own echoes only at \`debug\` |
| \`dispatch runs\` | a run begins: why (\`event\`, \`sender\`, \`flow\`, \`skill\`), how it continues (\`continuity\`, \`history\` messages), with which model, where |
| \`dispatch …\` | how it ended: seconds, requests, US dollars at list prices, tokens, and the \`reason\` where it did not succeed |
| \`… parked\` | it waits \`until\` then for a \`cause\`, and goes on by itself |

\`\`\`text
${log.trimEnd()}
\`\`\`

Here ada assigns an issue and is answered; eve, who may only read, is refused; ada's next comment meets a limit of the model,
waits, and is answered when the limit is over; her last one the model will not take.
`;
}
