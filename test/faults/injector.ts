/**
 * The fault injector: a forge and a model that stay alive, and a service in a process of its own that is armed, dies
 * and is started again. README.md says how to use it.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import { parseModelScript } from '../../rehearsal/model-script.ts';
import type { DialectName } from '../../src/database/dialect.ts';
import { asAdministrator, urlOf } from '../support/administrator.ts';
import { Stage } from '../support/service.ts';
import { DEV, OWNER, REPOSITORY, usualConfig } from '../support/service-config.ts';
import type { ServiceProcess } from '../support/service-process.ts';
import { collectFacts, type Facts, type Round } from './facts.ts';
import { commentBody, drawn, issueBody, modelScript, type Story, story, type Variant } from './story.ts';

export interface InjectorOptions {
  /** draws what is random, together with SEED */
  id: string;
  /** `sqlite`: the file in the state folder; `postgres`: a database of its own in the server of this run */
  dialect: DialectName;
  /** replaces top-level keys of claude-hooks.yaml */
  config?: Record<string, unknown>;
}

export class Injector {
  readonly stage: Stage;
  readonly story: Story;
  readonly rounds: Round[] = [];
  readonly #id: string;
  readonly #env: Record<string, string>;
  readonly #database: OwnDatabase;
  readonly #sentAgain = new Set<string>();
  #service: ServiceProcess | null = null;

  private constructor(o: {
    stage: Stage;
    id: string;
    env: Record<string, string>;
    database: OwnDatabase;
  }) {
    this.stage = o.stage;
    this.story = story(o.id);
    this.#id = o.id;
    this.#env = o.env;
    this.#database = o.database;
  }

  static async open({ id, dialect, config = {} }: InjectorOptions): Promise<Injector> {
    const database = await makeDatabase(dialect);
    const { url } = database;
    const where = {
      feedback: 'full',
      ...config,
      ...(url === null ? {} : { database: { url: '${DATABASE_URL}' } }),
    };
    const env: Record<string, string> = url === null ? {} : { DATABASE_URL: url };
    const model = modelScript();
    const stage = await Stage.open({
      model,
      configText: (at) => {
        const usual = usualConfig({ model, config: where }, at);
        Object.assign(env, usual.env);
        return { ...usual, env, ...(url === null ? {} : { database: url }) };
      },
    });
    return new Injector({ stage, id, env, database });
  }

  /** Marks the processes of this service, whichever start of it made them. */
  get instance(): string {
    return readFileSync(join(this.stage.state, 'instance'), 'utf8').trim();
  }

  get databaseUrl(): string {
    return this.#database.url ?? `sqlite:${join(this.stage.state, 'claude-hooks.db')}`;
  }

  /** Another script of the model for the next rounds. */
  rehearse(variant: Variant): void {
    this.stage.model.use(parseModelScript(modelScript(variant), 'model.yaml'));
  }

  /** Kills what runs. `fault`: CLAUDE_HOOKS_FAULT, null for none. */
  async start(fault: string | null = null): Promise<void> {
    await this.#service?.kill();
    delete this.#env.CLAUDE_HOOKS_FAULT;
    if (fault !== null) this.#env.CLAUDE_HOOKS_FAULT = fault;
    this.#service = await this.stage.spawn();
  }

  async kill(): Promise<void> {
    await this.#service!.kill();
    this.#service = null;
    this.rounds.at(-1)!.deaths++;
  }

  /** The next thing a person does: an assigned issue first, then a comment on it each time. */
  async act(): Promise<Round> {
    const n = this.rounds.length + 1;
    const person = this.stage.forge.as(OWNER);
    const round: Round = {
      n,
      from: this.stage.turns.length,
      firstHook: this.stage.forge.deliveries.length,
      deaths: 0,
      requests: [],
    };
    this.rounds.push(round);
    if (n === 1) {
      const body = issueBody(this.story);
      await person.createIssue(REPOSITORY, { title: 'Lines', body, assignees: [DEV] });
    } else {
      await person.comment(REPOSITORY, 1, commentBody(this.story, n));
    }
    return round;
  }

  /** What the forge got for the delivery that told of this act; null: no answer. */
  answerTo(round: Round): number | null {
    return this.stage.forge.deliveries[round.firstHook]!.status;
  }

  /** Until the armed fault has ended the service. */
  async died(): Promise<void> {
    let isDead = false;
    void this.#service!.ended.then(() => {
      isDead = true;
    });
    await this.stage.until('the service is dead', () => isDead);
    this.#service = null;
    this.rounds.at(-1)!.deaths++;
    // By now every delivery to the dead service has failed.
    await this.stage.forge.settled();
  }

  /**
   * What a person does at the forge after an outage: sends again what got no 202. One that did get it is sent again,
   * too: to have it twice must not matter.
   */
  async sendAgain(): Promise<void> {
    const known = [...this.stage.forge.deliveries].filter((d) => !this.#sentAgain.has(d.id));
    const accepted = known.filter((d) => d.status === 202);
    const needless = accepted[drawn(`${this.#id} again ${this.rounds.length}`, accepted.length || 1)];
    const lost = known.filter((d) => d.status !== 202);
    for (const { id } of needless === undefined ? lost : [...lost, needless]) {
      this.#sentAgain.add(id);
      await this.stage.forge.as(OWNER).redeliver(id);
    }
  }

  async settled(): Promise<void> {
    await this.stage.settled();
    const round = this.rounds.at(-1)!;
    round.requests = this.stage.turns.slice(round.from);
  }

  /** A round in which the service is killed at this point, and everything after it. */
  async dieIn(fault: string): Promise<Round> {
    await this.start(fault);
    const round = await this.act();
    await this.died();
    await this.start();
    await this.sendAgain();
    await this.settled();
    return round;
  }

  /** A round in which nothing goes wrong. */
  async live(): Promise<Round> {
    const round = await this.act();
    await this.settled();
    return round;
  }

  /** `branch`: another one once the first is merged */
  async facts(branch = 'dev/1'): Promise<Facts> {
    return await collectFacts(this, branch);
  }

  async close(): Promise<void> {
    await this.stage.close();
    await this.#database.drop();
  }
}

interface OwnDatabase {
  /** null: the one in the state folder */
  url: string | null;
  drop: () => Promise<void>;
}

async function makeDatabase(dialect: DialectName): Promise<OwnDatabase> {
  if (dialect === 'sqlite') return { url: null, drop: async () => {} };
  const server = inject('postgres');
  if ('missing' in server) throw new Error(`PostgreSQL does not run here: ${server.missing}`);
  const name = `faults_${randomUUID().replaceAll('-', '')}`;
  await asAdministrator(server.url, (c) => c.query(`create database ${name} template ${server.template}`));
  return {
    url: urlOf(server.url, name),
    drop: async () => {
      await asAdministrator(server.url, (c) => c.query(`drop database ${name} with (force)`));
    },
  };
}
