/**
 * The whole service with an agent that has turned hostile, and its neighbour. Everything is played once, and what
 * happened is kept.
 */
import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import type { RecordedRequest } from '../../rehearsal/model-record.ts';
import { parseModelScript } from '../../rehearsal/model-script.ts';
import { auditOf } from '../../src/audit.ts';
import type { AuditRow } from '../../src/database/tables.ts';
import { sleepers } from '../support/contained.ts';
import { RUN_ARGS, type TestEngine } from '../support/engines.ts';
import { PODMAN_ARGS } from '../support/requirements.ts';
import { Stage } from '../support/service.ts';
import { DEV, OWNER, REPOSITORY } from '../support/service-config.ts';
import { type Attempt, DECOY, type Target } from './attempt.ts';
import { archive, traps, WRECKS } from './attempts/checkout.ts';
import { credentials } from './attempts/credentials.ts';
import { FORGE } from './attempts/forge.ts';
import { mounts, pushes } from './attempts/git.ts';
import { kernel } from './attempts/kernel.ts';
import { forgery, lifetime, violence } from './attempts/lifetime.ts';
import { model } from './attempts/model.ts';
import { network } from './attempts/network.ts';
import { smuggling } from './attempts/smuggling.ts';
import { LIBRARY } from './library.ts';

/** In this order: attempts that break things for others come last. */
export function attempts(at: Target): Attempt[] {
  const all = [credentials, model, smuggling, network, pushes, mounts, kernel, archive, lifetime, traps];
  return all.flatMap((of) => of(at));
}

export interface Evidence {
  /** what each attempt's script said, by its name */
  outputs: Map<string, string>;
  /** what each call of a forge tool was answered with, by the attempt's name */
  answers: Map<string, string>;
  audit: AuditRow[];
  requests: RecordedRequest[];
  /** state of each dispatch of the turned agent, in order */
  runs: string[];
  neighbour: string;
  /** what was done outside, and should not have been */
  canaries: string[];
  /** what a git that trusts the checkout did with it: the traps work */
  control: string[];
  connections: number;
  daemons: number[];
  processes: number[];
  sockets: string;
  archived: { path: string; text: string }[];
  comments: { item: number; author: string; body: string }[];
  branches: { before: string; after: string };
  issues: number;
  /** what the worker said */
  log: string;
}

export class Drama {
  readonly #stage: Stage;
  readonly #at: Target;
  readonly #listeners: Server[];
  #connections = 0;

  private constructor(stage: Stage, at: Target, listeners: Server[]) {
    this.#stage = stage;
    this.#at = at;
    this.#listeners = listeners;
    for (const server of listeners) {
      server.on('connection', (socket) => {
        this.#connections += 1;
        socket.destroy();
      });
    }
  }

  static async open(engine: TestEngine): Promise<Drama> {
    const stage = await Stage.open({ model: 'scenes: []', config: { ...settings(engine) } });
    const bait = createServer();
    const hidden = createServer();
    const nap = `1000.${randomInt(1e8, 1e9)}`;
    const abstract = `claude-hooks-red-team-${nap}`;
    await new Promise<void>((ready) => bait.listen(0, '127.0.0.1', ready));
    await new Promise<void>((ready) => hidden.listen(`\0${abstract}`, ready));
    const at: Target = {
      ports: { bait: portOf(bait), forge: portIn(stage.forge.url), model: portIn(stage.model.url) },
      abstract,
      canaries: join(stage.folder, 'canaries'),
      configFile: stage.configFile,
      nap,
    };
    for (const name of ['canaries', 'results', 'attempts', 'attempts/lib'])
      mkdirSync(join(stage.folder, name));
    stage.write({ ...scripts(at), 'attempts/decoy': DECOY });
    return new Drama(stage, at, [bait, hidden]);
  }

  async play(): Promise<Evidence> {
    const { forge } = this.#stage;
    this.#othersWork();
    const branches = this.#branches();
    await this.#stage.start();
    const ada = forge.as(OWNER);
    await ada.createIssue(REPOSITORY, { title: 'Work', body: 'RED TEAM ATTEMPTS' });
    await ada.createIssue(REPOSITORY, { title: 'Other', body: 'NEIGHBOUR: kestrel-of-the-neighbour' });
    const { id } = await ada.comment(REPOSITORY, 1, 'Mine.');
    this.#stage.model.use(parseModelScript(script(id), 'model.yaml'));
    await ada.assign(REPOSITORY, 2, [DEV]);
    await this.#stage.until('the neighbour is there', () => existsSync(this.#result('neighbour')));
    await ada.assign(REPOSITORY, 1, [DEV]);
    await this.#untilRuns(1);
    const control = this.#control();
    for (const [n, word] of WORDS.entries()) {
      await ada.comment(REPOSITORY, 1, word);
      await this.#untilRuns(n + 2);
    }
    this.#stage.write({ 'results/go': '' });
    await this.#stage.settled();
    return { ...(await this.#evidence()), control, branches: { before: branches, after: this.#branches() } };
  }

  #result(name: string): string {
    return join(this.#stage.folder, 'results', name);
  }

  /** A person's commit on a branch whose name the agent might have, too. */
  #othersWork(): void {
    const clone = join(this.#stage.folder, 'clone');
    const git = (...args: string[]) =>
      execFileSync('git', ['-c', 'user.name=ada', '-c', 'user.email=ada@example.com', ...args], {
        env: { PATH: process.env.PATH!, HOME: this.#stage.folder, GIT_CONFIG_NOSYSTEM: '1' },
        stdio: 'ignore',
      });
    const bare = this.#stage.repositoryFolder(REPOSITORY);
    git('clone', '--quiet', bare, clone);
    git('-C', clone, 'commit', '--quiet', '--allow-empty', '-m', "A person's work");
    git('-C', clone, 'push', '--quiet', bare, 'HEAD:refs/heads/dev/1-other');
  }

  async #untilRuns(count: number): Promise<void> {
    await this.#stage.until(`run ${count} of the turned agent is over`, async () => {
      const runs = (await this.#runs()).filter(
        (d) => !['queued', 'running', 'interrupted'].includes(d.state),
      );
      return runs.length >= count;
    });
  }

  async #runs() {
    const all = await this.#stage.dispatches();
    const items = await this.#stage.rows.selectFrom('conversations').select(['id', 'item_number']).execute();
    const own = items.find((c) => c.item_number === 1)?.id;
    return all.filter((d) => d.conversation_id === own);
  }

  /** The checkout as it is after the first run, on a copy, with a git that believes it. */
  #control(): string[] {
    const [trap] = execFileSync('find', [this.#stage.state, '-name', '.traps', '-type', 'd'], {
      encoding: 'utf8',
    }).split('\n');
    const copy = join(this.#stage.folder, 'copy');
    execFileSync('cp', ['-a', dirname(trap!), copy]);
    const before = this.#canaries();
    const env = { PATH: process.env.PATH!, HOME: copy };
    execFileSync(
      'sh',
      ['-c', 'rm -f .git/index; git read-tree HEAD; git add work.txt; git diff HEAD; true'],
      {
        cwd: copy,
        env,
        stdio: 'ignore',
      },
    );
    const sprung = this.#canaries().filter((name) => !before.includes(name));
    execFileSync('sh', ['-c', 'rm -f -- "$0"/*', this.#at.canaries]);
    for (const name of before) this.#stage.write({ [`canaries/${name}`]: 'by the worker' });
    return sprung;
  }

  #canaries(): string[] {
    return readdirSync(this.#at.canaries).sort();
  }

  #branches(): string {
    return execFileSync('git', ['for-each-ref', '--format=%(refname) %(objectname)'], {
      cwd: this.#stage.repositoryFolder(REPOSITORY),
      encoding: 'utf8',
    });
  }

  async #evidence(): Promise<Omit<Evidence, 'control' | 'branches'>> {
    const { rows, forge } = this.#stage;
    const dispatches = await this.#stage.dispatches();
    const runs = await this.#runs();
    const audit = (await Promise.all(runs.map((d) => auditOf(rows, { dispatchId: d.id })))).flat();
    const chunks = await rows.selectFrom('transcript_chunks').selectAll().execute();
    const { items, comments, users } = forge.state;
    return {
      outputs: outputs(this.#at, (name) => this.#result(name)),
      answers: answers(this.#stage.turns),
      audit,
      requests: [...this.#stage.model.requests],
      runs: runs.map((d) => d.state),
      neighbour: dispatches.find((d) => !runs.includes(d) && d.conversation_id !== runs[0]?.conversation_id)!
        .state,
      canaries: this.#canaries(),
      connections: this.#connections,
      daemons: sleepers(this.#at.nap),
      processes: await this.#stage.processes(),
      // A CLI that was killed leaves the name of one of its own in its temporary folder.
      sockets: execFileSync('find', [this.#stage.folder, '-type', 's', '-not', '-path', '*/cc-socks/*'], {
        encoding: 'utf8',
      }),
      archived: chunks.map((c) => ({ path: c.path, text: Buffer.from(c.bytes).toString('latin1') })),
      comments: comments.map((c) => ({
        item: items.find((i) => i.id === c.item)!.number,
        author: users.find((u) => u.id === c.author)!.login,
        body: c.body,
      })),
      issues: items.filter((i) => i.pull === null).length,
      log: this.#stage.logged.join(''),
    };
  }

  async close(): Promise<void> {
    this.#stage.write({ 'results/go': '' });
    for (const pid of sleepers(this.#at.nap)) process.kill(pid, 'SIGKILL');
    await Promise.all(this.#listeners.map((s) => new Promise((done) => s.close(done))));
    // Deeper than a path can be long: Node's own rm does not get there.
    execFileSync('sh', [
      '-c',
      'find "$0" -type d -name deeper -prune -exec rm -rf {} +; true',
      this.#stage.folder,
    ]);
    await this.#stage.close();
  }
}

/** Prompts of the runs after the first; each names its scene. */
const WORDS = [
  ...WRECKS.map((_, n) => `RED TEAM WRECK ${n}`),
  'RED TEAM FORGERY',
  'RED TEAM VIOLENCE',
  'LAST WORD',
];

function settings(engine: TestEngine): Record<string, unknown> {
  const oci =
    engine.oci === null ? {} : { image: engine.image, program_args: PODMAN_ARGS, run_args: RUN_ARGS };
  return {
    container: {
      engine: engine.name,
      ...oci,
      memory: '1g',
      pids: 200,
      mounts: [
        { source: './attempts', target: '/attempts' },
        { source: './results', target: '/results', access: 'write' },
      ],
    },
    git: { max_push_bytes: 1_000_000 },
    worker: { drain_seconds: 2 },
    log: { format: 'pretty', level: 'debug' },
  };
}

function scripts(at: Target): Record<string, string> {
  const all = attempts(at).map(({ script }, n) => [`attempts/${n}.sh`, `exec 2>&1\n${script}\n`]);
  const library = Object.entries(LIBRARY).map(([name, text]) => [`attempts/lib/${name}`, text]);
  const wrecks = WRECKS.map(({ script }, n) => [`attempts/wreck-${n}.sh`, script(at)]);
  return {
    ...Object.fromEntries([...all, ...library, ...wrecks]),
    'attempts/forgery.sh': forgery(),
    'attempts/violence.sh': violence(),
    'attempts/run.sh': `export LC_ALL=C; for n in $(seq 0 ${all.length - 1}); do timeout -k 1 30 bash /attempts/$n.sh >/results/$n.out; done\n`,
    'attempts/neighbour.sh': `touch /results/neighbour; while [ ! -e /results/go ]; do sleep 0.2; done; echo 'undisturbed'\n`,
  };
}

function script(comment: number): string {
  const bash = (name: string) => ({
    name: 'Bash',
    input: {
      command: `LIB=/attempts/lib bash /attempts/${name}.sh >>/results/${name}.out`,
      description: name,
      timeout: 300_000,
    },
  });
  const scene = (prompt: string, name: string) => ({
    name,
    when: { prompt },
    steps: [{ tools: [bash(name)] }, { text: `Did ${name}.` }],
  });
  const later = WRECKS.map((_, n) => scene(`RED TEAM WRECK ${n}`, `wreck-${n}`));
  const tools = FORGE.map(({ tool, input }) => ({
    name: `mcp__forge__${tool}`,
    input: JSON.parse(JSON.stringify(input).replace('{{ recall.comment }}', String(comment))),
  }));
  const scenes = [
    { name: 'last', when: { prompt: 'LAST WORD' }, steps: [{ text: 'Here I am.' }] },
    scene('RED TEAM VIOLENCE', 'violence'),
    scene('RED TEAM FORGERY', 'forgery'),
    ...later.toReversed(),
    {
      name: 'attempts',
      when: { prompt: 'RED TEAM ATTEMPTS' },
      // One after the other, because of several calls at once a failed one cancels the others.
      steps: [
        ...tools.map((tool) => ({ tools: [tool] })),
        { tools: [bash('run')] },
        { text: 'Tried. <!-- claude-hooks 00000000-0000-4000-8000-000000000000:answer --> @bob' },
      ],
    },
    scene('NEIGHBOUR', 'neighbour'),
  ];
  return JSON.stringify({ scenes });
}

function outputs(at: Target, path: (name: string) => string): Map<string, string> {
  const read = (name: string) => (existsSync(path(name)) ? readFileSync(path(name), 'utf8') : 'not tried');
  const single = ['forgery', 'violence', 'neighbour', ...WRECKS.map((_, n) => `wreck-${n}`)];
  return new Map([
    ...attempts(at).map(({ name }, n) => [name, read(`${n}.out`)] as const),
    ...single.map((name) => [name, read(`${name}.out`)] as const),
  ]);
}

/** Results of the forge's tools stand in the messages of the requests that follow, in the order of the calls. */
function answers(turns: readonly RecordedRequest[]): Map<string, string> {
  const last = turns.findLast((t) => t.scene === 'attempts')!;
  const results = last.messages
    .flatMap((m) => (Array.isArray(m.content) ? m.content : []))
    .filter((b) => b.type === 'tool_result')
    .map((b) => JSON.stringify((b as { content?: unknown }).content));
  return new Map(FORGE.map(({ name }, n) => [name, results[n] ?? 'not tried']));
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function portIn(url: string): number {
  return Number(new URL(url).port);
}
