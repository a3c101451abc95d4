/**
 * Every recording of a running server gives what its table expects: a delivery its event or the named reason why there
 * is none, an answer of the API what the client reads in it. A file without a line fails, and a line without a file.
 */
import { afterEach, describe, expect, test } from 'vitest';
import type { Json } from '../../../test/fixtures/bodies.ts';
import { EXPECTED as FORGEJO } from '../../../test/fixtures/forgejo-16/expected.ts';
import { EXPECTED as GITEA } from '../../../test/fixtures/gitea-1.26/expected.ts';
import {
  type Expected,
  parseRecorded,
  type RecordedKind,
  recorded,
  recordedNames,
  summaryOf,
} from '../../../test/fixtures/recorded.ts';
import { forge, repository, stopForges } from '../../../test/fixtures/scripted-forge.ts';
import { deletionKey } from '../new-event.ts';

const TABLES: Record<RecordedKind, Record<string, Expected>> = { forgejo: FORGEJO, gitea: GITEA };

afterEach(stopForges);

describe.each(['forgejo', 'gitea'] as const)('recordings of %s', (kind) => {
  const table = Object.entries(TABLES[kind]);
  const deliveries = table.filter(([, expected]) => !('answer' in expected));

  test('each has its line, and each line its file', () => {
    expect(Object.keys(TABLES[kind]).sort()).toEqual(recordedNames(kind).sort());
  });

  test.each(deliveries)('%s', (name, expected) => {
    expect(summaryOf(parseRecorded(kind, name))).toEqual(expected);
  });

  test('no two of them pass for the same happening', () => {
    const keys = deliveries.flatMap(([name]) => {
      const outcome = parseRecorded(kind, name);
      return outcome.kind === 'event' ? [outcome.event.semanticKey] : [];
    });
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe('answers of the API', () => {
  const answers = Object.entries(FORGEJO).filter(([, expected]) => 'answer' in expected);

  test.each(answers)('%s', async (name, expected) => {
    expect({ answer: await readAnswer(name) }).toEqual(expected);
  });
});

async function readAnswer(name: string): Promise<string> {
  const answer = recorded('forgejo', name);
  if (name.startsWith('api-actions')) return await readRuns(answer);
  return name.startsWith('api-pull') ? await readPull(answer) : await readReviews(answer);
}

async function readRuns(list: Json): Promise<string> {
  const { client } = await forge(() => ({ json: { workflow_runs: list } }));
  const found = await client.listRuns(repository, { headSha: null, limit: 3 });
  if (found.kind !== 'runs') throw new Error(found.why);
  return found.runs.map((run) => `${run.id} ${run.status} at ${run.headSha.slice(0, 7)}`).join(', ');
}

async function readPull(answer: Json): Promise<string> {
  const { client } = await forge(({ path }) => ({
    json: path.includes('/issues/') ? { ...answer, pull_request: {} } : answer,
  }));
  const { state, title, pull } = await client.getItem(repository, answer.number);
  if (pull === null) throw new Error('no pull request');
  const { headRef, headSha, headRepository, merged, fork } = pull;
  const more = [merged ? ', merged' : '', fork ? ', fork' : ''].join('');
  return `${state}: ${title}; ${headRef}@${headSha.slice(0, 7)} of ${headRepository ?? 'nobody'}${more}`;
}

/** `list` has the reviews, every other key the comments of one. */
async function readReviews({ list, ...rest }: Json): Promise<string> {
  const comments = Object.values(rest).flat();
  const { client } = await forge(({ path }) => {
    const id = /\/reviews\/(\d+)\/comments/.exec(path)?.[1];
    if (id === undefined) return { json: list };
    return { json: comments.filter((c) => c.pull_request_review_id === Number(id)) };
  });
  const reviews = await client.listReviews(repository, 2);
  return reviews
    .map(({ id, author, verdict, inline }) => {
      const said = inline.map((c) => `${c.author.login} on ${c.line ?? `old ${c.oldLine}`}`);
      return `${[`${id} ${verdict} by ${author.login}`, ...said].join(', ')}`;
    })
    .join('; ');
}

test('a recorded comment that was deleted is found from its creation', () => {
  const of = (name: string) => {
    const outcome = parseRecorded('gitea', name);
    if (outcome.kind !== 'event') throw new Error('no event');
    return outcome.event;
  };
  const created = of('0021-issue_comment-created');
  expect(deletionKey(created)).toBe(of('0023-issue_comment-deleted').semanticKey);
});
