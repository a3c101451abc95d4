/**
 * The import law as data: which room may import which. A room is `src/<room>.ts` with the folder `src/<room>/`.
 * docs/law.md shows this table; test/law.test.ts holds the two together.
 */

export interface Room {
  /** rooms it may import, besides itself and the words; `all-above` = every room listed before it */
  imports: readonly string[] | 'all-above';
  /** one clause for docs/law.md */
  owns: string;
}

/** Importable from every room. They know nothing of the rest, and of each other only what is listed here. */
export const WORDS: Readonly<Record<string, readonly string[]>> = {
  vocabulary: [],
  errors: [],
  faults: [],
  logins: [],
  mutex: [],
  'wake-loop': [],
  'text-limits': [],
  mentions: ['text-limits'],
  security: ['mentions', 'text-limits'],
  'terminal-text': ['security', 'text-limits'],
  voices: ['vocabulary'],
  'item-key': ['vocabulary'],
  log: ['security'],
  'plain-time': [],
};

/** Ground first. A room imports only rooms above its own line, so the table itself has no cycle. */
export const ROOMS: Readonly<Record<string, Room>> = {
  program: {
    imports: [],
    owns: 'a program of this machine, run to its end: what it says has a bound, and the error is ours',
  },
  database: { imports: [], owns: 'connections, transactions, migrations, SQLite and PostgreSQL differences' },
  pictures: { imports: [], owns: 'pictures of others, checked, decoded and written anew' },
  'state-lock': { imports: [], owns: 'one service per state folder, and other locks of the kernel' },
  forges: { imports: [], owns: 'all that is known of each kind of forge: kits, and the ports to call it' },
  config: { imports: ['forges'], owns: 'the option tables, agents, flows and skills as read from files' },
  network: { imports: ['config'], owns: 'how HTTP leaves this machine: proxies, authorities' },
  audit: { imports: ['database'], owns: 'what agents tried at our doors, and what became of it' },
  init: {
    imports: ['forges', 'config', 'network'],
    owns: 'an installation from nothing: accounts, tokens, members, labels, hooks, configuration; and its undoing',
  },
  inbox: { imports: ['database'], owns: 'deliveries, and the events they tell' },
  mailbox: { imports: ['database'], owns: 'conversations, messages, dispatches, leases, holds' },
  budgets: {
    imports: ['database', 'config', 'mailbox'],
    owns: 'how much may be spent, and when no run begins',
  },
  'own-events': {
    imports: ['database', 'inbox', 'mailbox'],
    owns: 'what reaches a conversation without a forge: what people say by command, timers that are due',
  },
  sessions: {
    imports: ['database'],
    owns: 'the session chain, the transcript archive, the ladder, the record',
  },
  flows: { imports: ['config'], owns: 'which agent an event wakes, and with which prompt; pure' },
  workdir: { imports: ['program', 'state-lock', 'forges'], owns: 'mirrors, checkouts, pushes' },
  steering: { imports: [], owns: 'files that steer later runs: which they are, kept and put back' },
  container: { imports: [], owns: 'where the CLI runs' },
  layers: {
    imports: ['program', 'state-lock', 'database', 'config', 'workdir', 'steering', 'container'],
    owns: 'what set-up commands made: built once, read-only, and what a conversation writes above it',
  },
  packages: {
    imports: ['config', 'network', 'database', 'audit', 'container'],
    owns: "the agents' way to package registries: policy, cache, ecosystems",
  },
  gateway: {
    imports: ['database', 'audit', 'container'],
    owns: "the agents' way to the model: credential, ledger, caps",
  },
  egress: {
    imports: ['config', 'network', 'database', 'audit', 'container'],
    owns: 'the network by name: a CONNECT proxy for each dispatch',
  },
  trust: {
    imports: ['database', 'config', 'audit', 'forges'],
    owns: 'who may wake an agent, and who our accounts are, as the forge answers it',
  },
  team: {
    imports: ['config', 'database', 'mailbox', 'forges', 'trust'],
    owns: 'what a pull request of an agent needs next: a table, its facts, and the order of rebases',
  },
  court: {
    imports: ['config', 'database', 'mailbox', 'forges', 'trust'],
    owns: 'whether a conversation runs in a circle',
  },
  dependencies: {
    imports: ['config', 'database', 'mailbox', 'own-events', 'forges'],
    owns: 'what an issue waits for before work on it begins, and what its branch stands on',
  },
  outcome: {
    imports: ['database', 'inbox', 'mailbox', 'forges'],
    owns: 'what becomes of an answer: effects, once each',
  },
  'agent-runner': {
    imports: ['database', 'sessions', 'steering', 'container', 'gateway'],
    owns: 'one run: `runWithSessionResume` and the Agent SDK',
  },
  broker: {
    imports: [
      'program',
      'database',
      'audit',
      'forges',
      'workdir',
      'steering',
      'outcome',
      'agent-runner',
      'pictures',
    ],
    owns: "the agents' way to the forge: tools, relayed pushes, policy",
  },
  'mcp-door': {
    imports: ['config', 'audit', 'pictures', 'agent-runner'],
    owns: "the agents' way to MCP servers of the operator: connections, secrets, limits",
  },
  webhook: {
    imports: ['config', 'database', 'inbox', 'forges'],
    owns: 'the HTTP edge: verify, accept, answer',
  },
  router: {
    imports: ['config', 'database', 'inbox', 'mailbox', 'forges', 'flows', 'trust', 'team'],
    owns: 'deliveries to messages and dispatches, one transaction each',
  },
  reconciler: {
    imports: ['config', 'database', 'inbox', 'mailbox', 'forges', 'trust'],
    owns: 'what no webhook told: looks at the forges, and rules for what no event tells',
  },
  dispatch: {
    imports: [
      'config',
      'database',
      'mailbox',
      'budgets',
      'sessions',
      'forges',
      'flows',
      'workdir',
      'steering',
      'container',
      'outcome',
      'agent-runner',
      'gateway',
      'egress',
      'packages',
      'audit',
      'trust',
      'team',
      'court',
      'dependencies',
      'broker',
      'layers',
      'pictures',
      'mcp-door',
    ],
    owns: 'one dispatch, from its lease to its settlement: gather, screen, converse, publish, settle',
  },
  worker: {
    imports: ['database', 'mailbox', 'dispatch'],
    owns: 'the loop: what is due is leased, and the lease renewed while its dispatch runs',
  },
  attach: {
    imports: ['database', 'mailbox', 'audit', 'sessions', 'agent-runner', 'dispatch'],
    owns: "a person at a conversation's own session: the lease, the terminal, and what is handed back",
  },
  feedback: {
    imports: ['config', 'database', 'mailbox', 'forges', 'trust', 'outcome'],
    owns: 'what people see on the forge while work goes on: reactions, commit status, status comment',
  },
  views: {
    imports: ['database', 'inbox', 'mailbox', 'sessions', 'flows', 'layers', 'gateway', 'router'],
    owns: 'what is in the rows, as JSON: lists by pages, one conversation, one delivery and why, one session’s diagnosis',
  },
  replay: {
    imports: ['forges', 'config', 'database', 'inbox', 'router'],
    owns: 'a stored delivery, or a file, routed again',
  },
  metrics: { imports: ['database'], owns: 'counters and gauges for Prometheus' },
  server: {
    imports: ['forges', 'config', 'database', 'webhook', 'metrics'],
    owns: 'the HTTP application; errors become answers in one place',
  },
  checks: {
    imports: [
      'database',
      'config',
      'network',
      'mailbox',
      'sessions',
      'forges',
      'trust',
      'workdir',
      'container',
      'packages',
      'gateway',
      'egress',
      'agent-runner',
      'mcp-door',
      'state-lock',
    ],
    owns: 'what is wrong with this installation, looked at (doctor) and tried (smoke): evidence and remedy',
  },
  wiring: { imports: 'all-above', owns: 'order of start and stop' },
  demo: {
    imports: ['config', 'database', 'container'],
    owns: 'the service on the pocket forge and the scripted model',
  },
  cli: { imports: 'all-above', owns: 'commands, and their words for people (`cli/print/`)' },
};

/**
 * Folders beside `src/` that are shipped with it: stand-ins the product is tried on. `imports` names all of src that
 * such a folder may import, words included; `reachedBy` the rooms that may import it.
 */
export const BESIDE: Readonly<
  Record<string, { imports: readonly string[]; reachedBy: readonly string[]; owns: string }>
> = {
  rehearsal: {
    imports: ['errors', 'mentions', 'program'],
    reachedBy: ['checks/smoke', 'checks/probe', 'demo', 'cli'],
    owns: 'the scripted model and the pocket forge',
  },
};

/** The rooms a room may import, written out. */
export function importsOf(room: string): readonly string[] {
  const { imports } = ROOMS[room]!;
  if (imports !== 'all-above') return imports;
  const rooms = Object.keys(ROOMS);
  return rooms.slice(0, rooms.indexOf(room));
}

/** Packages that only some rooms may import, because what they do belongs there. Matched by prefix of the path. */
export const PACKAGES: Readonly<Record<string, { only: readonly string[]; because: string }>> = {
  '@anthropic-ai/claude-agent-sdk': {
    only: ['agent-runner/run-cli.ts', 'agent-runner/forge-server.ts', 'agent-runner/tool-server.ts'],
    because: 'the SDK changes often; three files translate it into words of ours',
  },
  '@modelcontextprotocol/sdk': {
    only: ['mcp-door', 'agent-runner/tool-server.ts'],
    because: 'servers of others are spoken with in one room, and shown to the CLI in one file',
  },
  sharp: { only: ['pictures'], because: 'decoders run in a process of their own, behind one room' },
  kysely: {
    only: ['database', 'inbox', 'mailbox', 'sessions'],
    because: 'only rooms that own rows write SQL by hand; the others use Rows',
  },
  pg: { only: ['database'], because: 'dialects stay in one place' },
  sqlite: {
    only: ['database', 'state-lock'],
    because:
      'one connection and BEGIN IMMEDIATE are decided there; the lock is a transaction that never ends',
  },
  '@marcbachmann/cel-js': { only: ['config'], because: 'conditions are compiled once, at load' },
  liquidjs: {
    only: ['config', 'rehearsal'],
    because: 'skills are compiled once, at load; the scripted model has templates of its own',
  },
  execa: {
    only: ['program.ts'],
    because: 'it makes an error message of all that a program wrote, at a second for each megabyte',
  },
  pino: { only: ['log'], because: 'every line passes the redactor' },
  'prom-client': { only: ['metrics'], because: 'names and labels of series stay in one place' },
  'smol-toml': { only: ['packages'], because: 'lock files are read in one room' },
  htmlparser2: { only: ['packages'], because: 'pages of package indexes are read in one room' },
  yauzl: { only: ['packages'], because: 'Go modules are hashed in one room' },
  undici: { only: ['network'], because: 'what leaves this machine asks one room for its proxy' },
  commander: { only: ['cli'], because: 'arguments are read in one place' },
};

/** Rooms that may read `process.env`; everybody else, the configuration too, is handed values. */
export const ENVIRONMENT_READERS: readonly string[] = ['cli'];

/** Lines of a file in src/, or in a folder beside it, that is no test. */
export const LONGEST_FILE = 400;
