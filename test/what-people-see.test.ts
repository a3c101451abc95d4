/**
 * Everything that people see of an agent on the forge, state by state, on a real forge. `npm run docs` does not write
 * docs/what-people-see.md, because a forge is needed for it: UPDATE=1 npx vitest run test/what-people-see.test.ts does,
 * and without UPDATE this test keeps the page equal to what is shown.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { REPO } from '../rehearsal/pocket-forge-trial.ts';
import { agentScope, credentialScope, placeHold } from '../src/mailbox/holds.ts';
import type { Lease } from '../src/mailbox/leases.ts';
import { failureText } from '../src/outcome/failure-texts.ts';
import { PeopleStage } from './support/people-stage.ts';
import { needs } from './support/requirements.ts';

const here = needs('git');
const FILE = join(import.meta.dirname, '../docs/what-people-see.md');
const MINUTE = 60_000;

const HEAD = `# What people see

<!-- Written by UPDATE=1 npx vitest run test/what-people-see.test.ts. The words are those of src/feedback/words.ts, src/outcome/failure-texts.ts and src/mailbox/command-holds.ts: edit those. -->

On the forge itself, with \`feedback: full\`, which is the default. Answers stand there whatever the setting is; \`reaction\`
leaves out the commit status, the status comment and the receipt for somebody who may not ask, \`none\` the reaction, too. How
it works and how it is switched: [feedback.md](feedback.md).
`;

/** What stood on the forge before, so that each step shows what is new. */
class Page {
  readonly #stage: PeopleStage;
  readonly parts: string[] = [HEAD];
  #reactions = 0;
  #statuses = new Map<string, number>();
  #comments = new Map<number, { id: number; text: string }[]>();

  constructor(stage: PeopleStage) {
    this.#stage = stage;
  }

  section(title: string, intro: string): void {
    this.parts.push(`## ${title}\n\n${intro}\n`);
  }

  /** One step: what happened, and all that is new on the forge since the step before. */
  async step(what: string, on: { item: number; sha?: string }): Promise<void> {
    await this.#stage.settled();
    const news = [...this.#newReactions(), ...this.#newStatuses(on.sha), ...this.#newComments(on.item)];
    const lines = news.length === 0 ? ['Nothing is shown.'] : news;
    this.parts.push(`${what}\n\n${lines.join('\n')}\n`);
  }

  #newReactions(): string[] {
    const all = this.#stage.reactions();
    const news = all.slice(this.#reactions);
    this.#reactions = all.length;
    const words: Record<string, string> = { eyes: '👀', '+1': '👍', confused: '😕' };
    return news.map((one) => {
      const [content, on] = one.split(' on ');
      return `- reaction ${words[content!]} on ${on!.startsWith('comment') ? 'the comment' : 'the item'}`;
    });
  }

  #newStatuses(sha: string | undefined): string[] {
    if (sha === undefined) return [];
    const all = this.#stage.statuses(sha);
    const news = all.slice(this.#statuses.get(sha) ?? 0);
    this.#statuses.set(sha, all.length);
    return news.map((one) => `- commit status \`claude-hooks/dev\` ${one}`);
  }

  #newComments(item: number): string[] {
    const before = new Map((this.#comments.get(item) ?? []).map(({ id, text }) => [id, text]));
    const all = this.#stage.commentRows(item);
    this.#comments.set(item, all);
    const quoted = (text: string) => text.replaceAll(/^/gm, '  > ').replaceAll(/ +$/gm, '');
    const isGone = [...before.keys()].some((id) => !all.some((one) => one.id === id));
    return [
      ...(isGone ? ['- the status comment is gone'] : []),
      ...all.flatMap(({ id, text }) => {
        if (before.get(id) === text) return [];
        return [`- ${before.has(id) ? 'the same comment now says' : 'comment'}\n\n${quoted(text)}`];
      }),
    ];
  }

  /** Ids differ from run to run. */
  text(): string {
    return `${this.parts
      .join('\n')
      .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, '…')
      .trimEnd()}\n`;
  }
}

test.skipIf(!here.ok)(
  here.title('the page shows what the forge shows'),
  async () => {
    const stage = await PeopleStage.open();
    const page = new Page(stage);
    const issue = 1;
    await stage.ada.createIssue(REPO, { title: 'Totals', body: 'They are wrong.', assignees: ['bo'] });

    page.section('A normal run', 'Ada assigns an issue to the agent. The run takes less than a minute.');
    await page.step('She has assigned it:', { item: issue });
    const first = await stage.lease();
    stage.now += MINUTE / 2;
    const sha = await stage.branch('dev/1', 'totals.txt');
    await stage.answer(first, 'The totals are right now, and tested.', {
      publish: 'pull-request',
      closes: issue,
      continuity: 'fresh',
      branch: {
        name: 'dev/1',
        base: 'main',
        opensPull: true,
        planned: null,
        refusePull: async () => null,
        push: async () => ({ kind: 'pushed', sha }),
      },
    });
    await stage.settle(first, { state: 'succeeded' });
    await page.step('It has answered, and opened a pull request:', { item: issue });
    const pull = stage.trial.forge.state.items.find((item) => item.pull != null)!;
    page.parts.push(
      `The description of the pull request:\n\n${pull.body
        .split('\n\n<!--')[0]!
        .split('\n')
        .map((l) => `  > ${l}`.trimEnd())
        .join('\n')}\n`,
    );

    const onPull = { itemNumber: pull.number };
    page.section(
      'A long run, on a pull request',
      'Ada comments on the pull request. The run takes longer than a minute.',
    );
    const on = { item: pull.number, sha };
    await stage.ada.comment(REPO, pull.number, 'Please round to cents.');
    await page.step('She has written:', on);
    const long = await stage.lease();
    await page.step('The run has begun:', on);
    stage.now += 2 * MINUTE;
    await tool(stage, long, 'Edit');
    await page.step('Two minutes later:', on);
    stage.now += MINUTE;
    await tool(stage, long, 'Bash');
    await page.step('A minute later:', on);
    await stage.answer(long, 'Rounded.', onPull);
    await stage.settle(long, { state: 'succeeded' });
    await page.step('It has answered:', on);

    page.section('Refused', 'Cy, who may not wake agents here, mentions the agent in a comment.');
    await stage.cy.comment(REPO, issue, '@bo please look');
    await page.step('The first time that day on that issue:', { item: issue });
    await stage.cy.comment(REPO, issue, '@bo hello?');
    await page.step('Each further time:', { item: issue });

    page.section('Parked', 'The model says that a usage limit is reached, until a quarter past ten.');
    await stage.ada.comment(REPO, pull.number, 'And the taxes?');
    await stage.settled();
    await page.step('She has written:', on);
    const parked = await stage.lease();
    const until = Date.parse('2026-01-05T10:15:00Z');
    const by = { kind: 'limit' as const };
    await placeHold(stage.database.rows, {
      scope: credentialScope(null),
      reason: 'raw words of the model',
      until,
      by,
      now: stage.now,
    });
    await stage.settle(parked, { state: 'parked', reason: 'raw words of the model', until });
    await page.step('The limit is there:', on);
    stage.now = until;
    const again = await stage.lease();
    await page.step('It is over, and the run goes on:', on);
    await stage.answer(again, 'The taxes, too.', onPull);
    await stage.settle(again, { state: 'succeeded' });
    await page.step('It has answered:', on);

    page.section('The forge or the network is away', 'Something that the run needs cannot be reached.');
    await stage.ada.comment(REPO, pull.number, 'And the names?');
    await stage.settled();
    const away = await stage.lease();
    await stage.settle(away, {
      state: 'parked',
      reason: 'connect ECONNREFUSED',
      until: stage.now + 5 * MINUTE,
    });
    await page.step('It is put off:', on);
    stage.now += 5 * MINUTE;
    const back = await stage.lease();
    await stage.answer(back, 'The names, too.', onPull);
    await stage.settle(back, { state: 'succeeded' });
    await page.step('It is there again, and the run has answered:', on);

    page.section('Interrupted', 'The service is stopped, or dies, in the middle of a run.');
    await stage.ada.comment(REPO, pull.number, 'And the dates?');
    await stage.settled();
    const cut = await stage.lease();
    await stage.settle(cut, { state: 'interrupted', reason: 'the service was stopped' });
    stage.now += 2 * MINUTE;
    await page.step('It does not run for two minutes:', on);
    const resumed = await stage.lease();
    await stage.answer(resumed, 'The dates, too.', onPull);
    await stage.settle(resumed, { state: 'succeeded' });
    await page.step('It has gone on, and answered:', on);

    page.section('Held', 'Ada writes `/claude hold until the release is out`, and a comment after it.');
    await stage.ada.comment(REPO, pull.number, '/claude hold until the release is out');
    await page.step('The command:', on);
    await stage.ada.comment(REPO, pull.number, 'And then the colours.');
    await page.step('The comment after it:', on);
    await stage.ada.comment(REPO, pull.number, '/claude resume');
    await page.step('She writes `/claude resume`:', on);
    const released = await stage.lease();
    await stage.answer(released, 'The colours, too.', onPull);
    await stage.settle(released, { state: 'succeeded' });
    await page.step('It has answered:', on);

    page.section('Budget spent', 'The budget of the agent is spent for today.');
    const midnight = Date.parse('2026-01-06T00:00:00Z');
    await placeHold(stage.database.rows, {
      scope: agentScope('dev'),
      reason: 'agent a day: $20 of $20',
      until: midnight,
      by: { kind: 'budget' },
      now: stage.now,
    });
    await stage.ada.comment(REPO, pull.number, 'And the fonts?');
    await page.step('Ada comments:', on);
    stage.now = midnight;
    const paid = await stage.lease();
    await stage.answer(paid, 'The fonts, too.', onPull);
    await stage.settle(paid, { state: 'succeeded' });
    await page.step('The next day it has answered:', on);

    page.section('Failed', 'It cannot be done, however often it is tried.');
    await stage.ada.comment(REPO, pull.number, 'And the sizes?');
    await stage.settled();
    const failing = await stage.lease();
    await stage.answer(failing, failureText({ kind: 'gave-up', cause: 'checkout', attempts: 8 }), onPull);
    await stage.settle(failing, { state: 'failed', reason: 'fatal: bad object' });
    await page.step('It has given up:', on);
    await stage.ada.comment(REPO, pull.number, '/claude explain');
    await page.step('Ada asks with `/claude explain`:', on);
    await stage.ada.comment(REPO, pull.number, '/claude retry');
    await page.step('She writes `/claude retry`:', on);
    const retried = await stage.lease();
    await page.step('The run has begun:', on);

    page.section('Cancelled', 'Ada writes `/claude cancel` while it runs.');
    await stage.ada.comment(REPO, pull.number, '/claude cancel');
    await page.step('The command:', on);
    await stage.answer(retried, failureText({ kind: 'stopped', why: 'ada cancelled it' }), onPull);
    await stage.settle(retried, { state: 'cancelled', reason: 'ada cancelled it' });
    await page.step('Within two seconds:', on);

    page.section(
      'Continuity broken',
      'The earlier session cannot be resumed, and was made anew from the record.',
    );
    await stage.ada.comment(REPO, issue, 'Is it done?');
    await stage.settled();
    const rebuilt = await stage.lease();
    await stage.answer(rebuilt, 'Yes, in the pull request.', {
      continuity: 'rebuilt',
      continuityReason: 'disk-missing',
    });
    await stage.settle(rebuilt, { state: 'succeeded' });
    await page.step('The answer:', { item: issue });

    page.section(
      'Other commands',
      'In a comment, at the start of a line, by somebody who may wake the agent.',
    );
    await stage.ada.comment(REPO, issue, '/claude cost');
    await page.step('`/claude cost`:', { item: issue });
    await stage.ada.comment(REPO, issue, '/claude fresh');
    await page.step('`/claude fresh`:', { item: issue });
    await stage.ada.comment(REPO, issue, '/claude stop it');
    await page.step('A word that is no command:', { item: issue });
    await stage.cy.comment(REPO, issue, '/claude cancel');
    await page.step('A command by Cy, who may not:', { item: issue });

    const text = page.text();
    if (process.env.UPDATE !== undefined) writeFileSync(FILE, text);
    expect(text).toBe(readFileSync(FILE, 'utf8'));
  },
  120_000,
);

async function tool(stage: PeopleStage, lease: Lease, name: string): Promise<void> {
  await stage.database.rows
    .insertInto('turns')
    .values({
      dispatch_id: lease.dispatch.id,
      conversation_id: lease.conversation.id,
      kind: 'tool',
      content: `${name} {"secret":"not shown"}`,
      uuid: null,
      at: stage.now,
    })
    .execute();
}
