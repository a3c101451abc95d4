/** One conversation in one engine with a planted fact, and functions that break what it needs. */
import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainedProcess, ContainerEngine, RunningContainer } from '../../src/container/container.ts';
import { forks } from '../faults/transcript-tree.ts';
import type { TestConversation, Turn, TurnOptions } from '../support/conversation.ts';
import type { TestEngine } from '../support/engines.ts';
import type { KeptTurn } from '../support/kept-turn.ts';

/** One for all stages of a process, because they begin with the same first turn. */
const SECRET = `vault-${randomInt(1e6)}`;

export class Stage {
  readonly c: TestConversation;
  readonly test: TestEngine;
  /** stand in prompts alone */
  readonly facts: string[] = [];
  /** stands in the output of a tool: the transcript has it, our record does not */
  readonly secret = SECRET;
  /** false after a rebuild: the output of the tool is gone for good */
  wholeSoFar = true;
  /** an answer has repeated it, so the record has it, too */
  secretIsTold = false;
  /** what the last run was started with */
  container: RunningContainer | null = null;
  child: ContainedProcess | null = null;
  readonly #closers: (() => void)[] = [];

  readonly #kept: KeptTurn;

  private constructor(test: TestEngine, c: TestConversation, kept: KeptTurn) {
    this.test = test;
    this.c = c;
    this.#kept = kept;
  }

  static async open(test: TestEngine, kept: KeptTurn): Promise<Stage> {
    const stage = new Stage(test, await kept.open(), kept);
    writeFileSync(join(stage.c.cwd, 'secret.txt'), `tool secret ${stage.secret}\n`);
    return stage;
  }

  async close(): Promise<void> {
    for (const undo of this.#closers.reverse()) undo();
    await this.test.engine.reapOrphans(this.c.folder);
    await this.c.close();
  }

  /** Runs at the end of the test, also when it failed. */
  later(undo: () => void): void {
    this.#closers.push(undo);
  }

  /** The first turn: a fact in the prompt, a secret in the output of a tool. */
  async plant(options: TurnOptions = {}): Promise<Turn> {
    return await this.#turn('PLANT: the code word is', options);
  }

  /** As after `plant` in the right layout, which one conversation of this file has really gone through. */
  async planted(archive: boolean): Promise<Turn> {
    return await this.#kept.after(this.c, archive ? 'archived' : 'unarchived', () => this.plant({ archive }));
  }

  async ask(options: TurnOptions = {}): Promise<Turn> {
    return await this.#turn('ASK: what do you know? Remember also', options);
  }

  /** Every prompt brings a fact of its own. From the next turn on the conversation must know it. */
  async #turn(prompt: string, options: TurnOptions): Promise<Turn> {
    return await this.c.turn(`${prompt} ${this.newFact()}`, this.options(options));
  }

  newFact(): string {
    return `amber-${randomInt(1e9)}`;
  }

  /** From now on the conversation must not forget what this prompt brought. */
  learn(turn: Turn): void {
    const prompt = turn.requests.at(-1)!.prompt;
    this.facts.push(prompt.match(/amber-\d+/g)!.at(-1)!);
    this.secretIsTold ||= turn.outcome.kind === 'answered' && turn.outcome.answer.includes(this.secret);
  }

  options(options: TurnOptions = {}): TurnOptions {
    const settings = { image: this.test.image, ...options.settings };
    return { ...options, settings, engine: this.#watched(options.engine ?? this.test.engine) };
  }

  #watched(engine: ContainerEngine): ContainerEngine {
    return {
      ...engine,
      start: async (spec) => {
        const container = await engine.start(spec);
        this.container = container;
        return {
          stop: () => container.stop(),
          spawn: (s) => {
            this.child = container.spawn(s);
            return this.child;
          },
        };
      },
    };
  }

  /** Ends of two branches in the transcript of the session as it is now. */
  async forks(): Promise<(string | null)[]> {
    return forks(this.c.transcriptText(await this.c.session()).split('\n'));
  }
}
