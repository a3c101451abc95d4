/**
 * What a pull request of an agent needs next. Rows are tried from the top, and the first whose conditions all hold decides.
 * Pure: whoever asks has gathered the facts, and carries out the act.
 */
import type { PullAct } from '../vocabulary.ts';
import type { PullFacts } from './facts.ts';

export interface Row {
  name: string;
  /** all must hold; an empty list always holds */
  when: readonly Condition[];
  act: PullAct;
  /** a sentence for people */
  says: (facts: PullFacts) => string;
}

type Condition = readonly [text: string, holds: (facts: PullFacts) => boolean];

export interface PullDecision {
  row: string;
  act: PullAct;
  why: string;
}

const OVER: Condition = ['it is closed or merged', ({ state }) => state !== 'open'];
const STRANGE: Condition = ['no agent opened it', ({ author }) => author === null];
const KEPT_OFF: Condition = ['a label keeps agents off', ({ optOut }) => optOut !== null];
const DRAFT: Condition = ['it is a draft', ({ draft }) => draft];
const VETO: Condition = ['a person asks for changes', ({ veto }) => veto !== null];
const VETO_AT_HEAD: Condition = ['at this head', ({ veto }) => veto?.atHead === true];
const VETO_TRUSTED: Condition = ['and may give work', ({ veto }) => veto?.trusted === true];
const AT_CAP: Condition = ['the rounds are used up', (f) => f.rounds >= f.mostRounds];
const RED: Condition = ['CI failed', ({ ci }) => ci === 'failure'];
const RUNNING: Condition = ['CI has not ended', ({ ci }) => ci === 'pending'];
const NO_CI: Condition = ['there is no CI', ({ ci }) => ci === 'none'];
const TO_CHANGE: Condition = verdictIs('changes_requested', 'a reviewer asks for changes');
const APPROVED: Condition = verdictIs('approved', 'it is approved');
const UNCLEAR: Condition = verdictIs('commented', 'it was reviewed without a verdict');
const UNREVIEWED: Condition = verdictIs('none', 'this head was not reviewed');
const NOT_APPROVED: Condition = ['it is not approved', ({ verdict }) => verdict.is !== 'approved'];
const CONFLICT: Condition = ['it conflicts', ({ mergeable }) => mergeable === 'no'];
const UNSURE: Condition = ['the forge is not sure', ({ mergeable }) => mergeable === 'unknown'];
const LATER: Condition = ['another one comes first', ({ after }) => after !== null];
const FORBIDDEN: Condition = ['a rule forbids it', ({ rule }) => rule !== null];
const BY_PEOPLE: Condition = ['people merge', ({ merge }) => merge === 'people'];

function verdictIs(is: PullFacts['verdict']['is'], text: string): Condition {
  return [text, ({ verdict }) => verdict.is === is];
}

export const TABLE: readonly Row[] = [
  { name: 'over', when: [OVER], act: 'nothing', says: ({ state }) => `It is ${state}.` },
  {
    name: 'not-ours',
    when: [STRANGE],
    act: 'nothing',
    says: () => 'No agent opened it: agents act on it when they are asked.',
  },
  {
    name: 'kept-off',
    when: [KEPT_OFF],
    act: 'nothing',
    says: ({ optOut }) => `It has the label ${optOut}: no agent is woken there. Take the label off.`,
  },
  {
    name: 'draft',
    when: [DRAFT],
    act: 'wait',
    says: () => 'It is a draft. Take the mark of a draft off its title when it is ready.',
  },
  {
    name: 'veto-of-a-stranger',
    when: [VETO, ['who may not give work', ({ veto }) => veto?.trusted === false]],
    act: 'wait',
    says: ({ veto }) =>
      `${veto?.login} asks for changes and may not give agents work. Take it up in a review of your own, or dismiss it.`,
  },
  {
    name: 'veto-at-head',
    when: [VETO, VETO_TRUSTED, VETO_AT_HEAD],
    act: 'address-review',
    says: ({ veto, author }) => `${veto?.login} asks for changes, and ${author} makes them.`,
  },
  {
    name: 'ci-failed',
    when: [
      RED,
      ['the rounds are not used up', (f) => f.rounds < f.mostRounds || f.verdict.is === 'approved'],
    ],
    act: 'fix-ci',
    says: ({ author }) => `CI failed at the head, and ${author} mends it.`,
  },
  {
    name: 'veto',
    // guard: team: a veto stands
    when: [VETO],
    act: 'wait',
    says: ({ veto }) =>
      `The request for changes by ${veto?.login} stands, and nobody else can lift it. Review it again, or dismiss it.`,
  },
  {
    name: 'cap',
    // guard: team: the cap of rounds
    when: [AT_CAP, NOT_APPROVED],
    act: 'ask-person',
    says: ({ rounds }) =>
      `Changes were asked for ${rounds} times and it is still not approved. Decide what is left: review it, or merge it.`,
  },
  {
    name: 'changes-requested',
    when: [TO_CHANGE],
    act: 'address-review',
    says: ({ verdict, author }) => `${verdict.by} asks for changes, and ${author} makes them.`,
  },
  {
    name: 'ci-running',
    // guard: team: pending is no verdict
    when: [RUNNING],
    act: 'wait',
    says: () => 'CI has not ended at the head, and that is no verdict.',
  },
  {
    name: 'unclear-review',
    when: [UNCLEAR],
    act: 'ask-person',
    says: ({ verdict }) => `${verdict.by} reviewed this head and gave no verdict. Review it, or ask again.`,
  },
  {
    name: 'unreviewed-without-ci',
    when: [UNREVIEWED, NO_CI],
    act: 'wait',
    says: () => 'No CI reports here, so nothing tells when it is ready. Ask a reviewer on the forge.',
  },
  {
    name: 'unreviewed',
    when: [UNREVIEWED],
    act: 'review',
    says: () => 'CI passes, and nobody has reviewed this head.',
  },
  {
    name: 'merge-unsure',
    when: [APPROVED, UNSURE],
    act: 'wait',
    says: () => 'The forge does not say yet whether it can be merged. It is asked again in a moment.',
  },
  {
    name: 'rebase-later',
    // guard: team: one rebase at a time
    when: [APPROVED, CONFLICT, LATER],
    act: 'wait',
    says: ({ after }) => `It conflicts with its base, and is rebased once #${after} is merged or closed.`,
  },
  {
    name: 'rebase',
    when: [APPROVED, CONFLICT],
    act: 'rebase',
    says: ({ author }) => `It conflicts with its base, and ${author} rebases it.`,
  },
  {
    name: 'forbidden',
    when: [APPROVED, FORBIDDEN],
    act: 'leave-to-people',
    says: ({ rule }) => `It is approved, and ${rule}. A person has to merge it.`,
  },
  {
    name: 'people-merge',
    when: [APPROVED, BY_PEOPLE],
    act: 'leave-to-people',
    says: ({ verdict }) => `${verdict.by} approved this head. People merge here (team.merge).`,
  },
  {
    name: 'merge',
    when: [],
    act: 'merge',
    says: ({ verdict, ci }) =>
      `${verdict.by} approved this head, ${ci === 'none' ? 'there is no CI' : 'CI passes'}, and it can be merged.`,
  },
];

export function decidePull(facts: PullFacts): PullDecision {
  const row = TABLE.find(({ when }) => when.every(([, holds]) => holds(facts)))!;
  return { row: row.name, act: row.act, why: row.says(facts) };
}

/**
 * What makes one act the same as another, so that it is told once: null = each event that asks for it is told. A rebase and a
 * merge depend on the base as well.
 */
export function onceKey({ act }: PullDecision, { headSha, baseSha, verdict }: PullFacts): string | null {
  switch (act) {
    case 'review':
      return `review:${headSha}`;
    case 'rebase':
      return `rebase:${headSha}:${baseSha}`;
    case 'merge':
      return `merge:${headSha}:${baseSha}:${verdict.by}`;
    case 'leave-to-people':
    case 'ask-person':
      return `${act}:${headSha}:${verdict.by}`;
    default:
      return null;
  }
}

/** The row that decided, and the facts it saw: less than ten lines. */
export function explainPull(decision: PullDecision, facts: PullFacts): string[] {
  const { verdict, veto } = facts;
  const row = TABLE.find(({ name }) => name === decision.row);
  const held =
    row === undefined || row.when.length === 0 ? 'no row above' : row.when.map(([text]) => text).join(', ');
  const of = verdict.by === '' ? '' : ` by ${verdict.by}`;
  return [
    `#${facts.number}: ${decision.act}, by the row ${decision.row} (${held})`,
    decision.why,
    `head ${facts.headSha.slice(0, 10)}, base ${facts.baseSha.slice(0, 10)}, ${facts.state}${facts.draft ? ', draft' : ''}`,
    `CI ${facts.ci}, mergeable ${facts.mergeable}, verdict at the head: ${verdict.is}${of}`,
    `rounds ${facts.rounds} of ${facts.mostRounds}, veto: ${veto === null ? 'none' : `${veto.login}${veto.atHead ? ' at the head' : ''}`}`,
    `author ${facts.author ?? 'none of ours'}, merged by ${facts.merge}, rule: ${facts.rule ?? 'none known'}`,
  ];
}
