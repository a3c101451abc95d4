import type { Guard } from './guard.ts';

/** From the signature of a delivery to the effect on the forge, and every crash between them. */
export const CORE_GUARDS: Guard[] = [
  {
    name: 'signature',
    keeps: 'a stranger’s request from being stored',
    off: [
      {
        mark: 'signature',
        lines: 2,
        becomes: 'return { scope: signer === null ? null : signers[signer]!.scope };',
      },
    ],
    tests: { files: ['src/webhook.test.ts'] },
  },
  {
    name: 'delivery id',
    keeps: 'the same delivery from being stored twice',
    off: [
      { mark: 'delivery id, part 1', becomes: '' },
      { mark: 'delivery id, part 2', becomes: '' },
    ],
    tests: { files: ['src/inbox.test.ts'] },
  },
  {
    name: 'semantic key',
    keeps: 'the same event under a new delivery id from waking an agent again',
    off: [
      { mark: 'semantic key, part 1', lines: 1, becomes: "if (standing.first?.event === 'never') {" },
      { mark: 'semantic key, part 2', becomes: '' },
      { mark: 'semantic key, part 3', becomes: '' },
    ],
    tests: { files: ['src/router.test.ts'] },
  },
  {
    name: 'kind of an item: conversations',
    keeps: 'issue 5 and pull request 5 of one repository from being one conversation',
    off: [{ mark: 'kind of an item: conversations', becomes: '' }],
    tests: { files: ['src/mailbox/conversations.test.ts'] },
  },
  {
    name: 'kind of an item: a number that may be either',
    keeps: 'a number of two items from naming the first that fits',
    off: [
      {
        mark: 'kind of an item: a number that may be either',
        becomes: 'const both = issues.find(() => false);',
      },
    ],
    tests: { files: ['src/views/references.test.ts'] },
  },
  {
    name: 'kind of an item: what earlier releases kept',
    keeps: 'what a run of an earlier release had seen from being told again as new',
    off: [
      {
        mark: 'kind of an item: what earlier releases kept',
        becomes: 'return seen[printItem(item)] ?? null;',
      },
    ],
    tests: { files: ['src/dispatch/seen-items.test.ts'] },
  },
  {
    name: 'routing transaction',
    keeps: 'a delivery from being half decided',
    off: [
      {
        mark: 'routing transaction',
        lines: 1,
        becomes:
          'return await (async (write: (tx: Rows) => Promise<Writing>) => await write(deps.database.rows))(async (tx) => {',
      },
    ],
    tests: { files: ['src/router.test.ts'], named: 'SQLite' },
  },
  {
    name: 'routing: what it rests on',
    keeps: 'a decision from being written after a run or another process has changed what it rests on',
    off: [{ mark: 'routing: what it rests on', becomes: "return standing.isUndecided ? 'same' : 'taken';" }],
    tests: { files: ['src/router/once.test.ts'], named: 'a conversation took' },
  },
  {
    name: 'one running dispatch (index)',
    keeps: 'two runs of one conversation, whatever the code does',
    off: [
      { mark: 'one running dispatch (index)', lines: 2, becomes: ".createIndex('dispatches_one_running')" },
    ],
    tests: { files: ['src/mailbox/leases.test.ts'] },
  },
  {
    name: 'one waiting dispatch (index)',
    keeps: 'two dispatches to come for one conversation',
    off: [
      { mark: 'one waiting dispatch (index)', lines: 2, becomes: ".createIndex('dispatches_one_waiting')" },
    ],
    tests: { files: ['src/mailbox'] },
  },
  {
    name: 'lease token',
    keeps: 'a worker that lost its lease from writing',
    off: [
      {
        mark: 'lease token',
        lines: 5,
        becomes:
          'export async function assertLease(tx: Rows, lease: Lease, changes: Updateable<Tables["conversations"]> = {}): Promise<void> {\n  if (lease.token > 0 && Object.keys(changes).length === 0) return;',
      },
    ],
    tests: { files: ['src/mailbox'] },
  },
  {
    name: "lease token: the dispatch's own row",
    keeps: 'an earlier run of the same worker from writing to the row of the attempt that replaced it',
    off: [
      {
        mark: "lease token: the dispatch's own row",
        becomes: ".where('attempt', '<=', attempt + 1)",
      },
    ],
    tests: { files: ['src/mailbox/leases.test.ts'], named: 'the same worker has it again' },
  },
  {
    name: 'hold',
    keeps: 'runs from being started against a limit',
    off: [{ mark: 'hold', becomes: '' }],
    tests: { files: ['src/mailbox'] },
  },
  {
    name: 'only a person lifts a pause',
    keeps: 'the service from lifting what a person or the court has held',
    off: [
      {
        mark: 'only a person lifts a pause',
        lines: 1,
        becomes:
          'function mayLift(by: HoldBy, hold: Pick<Hold, "by_kind">): boolean { if (by.kind !== "person" || hold.by_kind !== "person") return true;',
      },
    ],
    tests: { files: ['src/mailbox/holds.test.ts'], named: 'lifted by a person only' },
  },
  {
    name: 'state lock',
    keeps: 'two services on one state folder',
    off: [{ mark: 'state lock', becomes: '' }],
    tests: { files: ['src/state-lock.test.ts'] },
  },
  {
    name: 'kernel lock',
    keeps: 'two CLIs on one session',
    off: [{ mark: 'kernel lock', becomes: 'if (flock !== "never") return [];' }],
    tests: { files: ['src/container/conformance.test.ts'], named: 'a lock that is held' },
  },
  {
    name: 'orphan reaping',
    keeps: 'the CLI of a dead service from going on beside the new one',
    off: [{ mark: 'orphan reaping', becomes: '' }],
    tests: { files: ['src/container/process.test.ts'] },
  },
  {
    name: 'verification',
    keeps: 'a session whose transcript was never written from being called resumable',
    off: [
      {
        mark: 'verification',
        becomes:
          'if (copy.transcript === null || !holds(copy.transcript, head)) return { sessionId: plan.session.id, head, size: 0, cliVersion: null };',
      },
    ],
    tests: { files: ['src/agent-runner.test.ts'], named: 'read-only' },
  },
  {
    name: 'transcript archive',
    keeps: 'a wiped CLI folder from costing the history',
    off: [
      { mark: 'transcript archive, part 1', becomes: 'if (o.flushMs > 0) return { stop: async () => {} };' },
      {
        mark: 'transcript archive, part 2',
        becomes: 'if (deps.now() < 0) await completeArchive(deps.database, plan.session, copy.bytes!);',
      },
    ],
    tests: { files: ['src/agent-runner.test.ts'], named: 'restored from the archive' },
  },
  {
    name: 'rebuild from the record',
    keeps: 'a lost transcript from meaning a blind fresh start',
    off: [{ mark: 'rebuild from the record', becomes: 'return all.filter(() => false);' }],
    tests: { files: ['src/agent-runner.test.ts'], named: 'without the archive' },
  },
  {
    name: 'cut of an unanswered prompt',
    keeps: 'a prompt from reaching the model twice',
    off: [{ mark: 'cut of an unanswered prompt', becomes: 'resumeAt: null,' }],
    tests: { files: ['src/agent-runner.test.ts'], named: 'the prompt is not sent twice' },
  },
  {
    name: 'environment from nothing',
    keeps: 'a variable of the worker from reaching the agent',
    off: [
      {
        mark: 'environment from nothing',
        lines: 1,
        becomes: 'const env = {\n  ...(process.env as Record<string, string>),',
      },
    ],
    tests: { files: ['src/agent-runner.test.ts'], named: 'a variable of the worker' },
  },
  {
    name: 'record before the tool',
    keeps: 'a tool call from being made that nobody will know of',
    off: [
      {
        mark: 'record before the tool',
        becomes:
          "return decided('allow', `The service could not record this call, so it was not made: ${String(error)}`);",
      },
    ],
    tests: { files: ['src/agent-runner.test.ts'], named: 'cannot be recorded' },
  },
  {
    name: 'effect looked for before it is repeated',
    keeps: 'a comment from being posted twice after a crash',
    off: [
      {
        mark: 'effect looked for before it is repeated',
        becomes: 'const earlier = row.attempts > 99 ? await effect.find() : null;',
      },
    ],
    tests: { files: ['src/outcome/effects.test.ts'] },
  },
  {
    name: 'effect done once',
    keeps: 'a recorded effect from being done again',
    off: [
      {
        mark: 'effect done once',
        becomes: "if (row.attempts < 0) return { kind: 'done', result: JSON.parse(row.result!) as R };",
      },
    ],
    tests: { files: ['src/outcome/effects.test.ts'] },
  },
  {
    name: 'own events',
    keeps: 'an agent from being woken by itself',
    off: [{ mark: 'own events', becomes: 'return agent;' }],
    tests: { files: ['src/flows'] },
  },
  {
    name: 'late messages bound',
    keeps: 'a CLI that does not end from pinning a slot',
    off: [{ mark: 'late messages bound', lines: 1, becomes: '' }],
    tests: { files: ['src/agent-runner/run-cli.test.ts'], named: 'does not end' },
  },
  {
    name: 'late messages carried, read comments known',
    keeps: 'a comment that one run has read from waking a second',
    off: [
      {
        mark: 'late messages carried, read comments known, part 1',
        becomes: 'const lease = dispatch.lease;',
      },
      {
        mark: 'late messages carried, read comments known, part 2',
        lines: 1,
        becomes: "if (event.name === 'comment.created' && known.seen === null) {",
      },
    ],
    tests: { files: ['test/service.test.ts'], named: 'read by one run only' },
  },
  {
    name: 'adopted answer',
    keeps: 'a finished, paid turn from being run again after a crash',
    off: [
      {
        mark: 'adopted answer',
        becomes:
          "if (!dispatch.retried || plan.start !== 'resume' || plan.tail.kind !== 'nothing') return null;",
      },
    ],
    tests: { files: ['src/agent-runner.test.ts'], named: 'is adopted' },
  },
  {
    name: 'heard answer',
    keeps: 'what a CLI says after its service has died from being published',
    off: [{ mark: 'heard answer', becomes: 'return heard ? tail : tail;' }],
    tests: { files: ['src/agent-runner.test.ts'], named: 'never heard' },
  },
  {
    name: 'adopted answer (whole service)',
    keeps: 'a finished, paid turn from being run again after a kill',
    off: [
      { mark: 'adopted answer (whole service)', becomes: "if (adopted?.kind === 'refused') return adopted;" },
    ],
    tests: { files: ['test/faults/kill-sqlite.test.ts'], fault: 'sqlite/first/kill@run.ended#1' },
  },
  {
    name: 'orphan reaping (whole service)',
    keeps: 'a tool of the service that was killed from running on beside the next one',
    off: [{ mark: 'orphan reaping (whole service)', becomes: 'const orphans = [] as string[];' }],
    tests: { files: ['test/faults/crash.test.ts'], named: 'while a tool runs' },
  },
  {
    name: 'effect looked for (whole service)',
    keeps: 'an answer from being posted twice after a kill',
    off: [
      {
        mark: 'effect looked for (whole service)',
        becomes: 'const earlier = row.attempts > 99 ? await effect.find() : null;',
      },
    ],
    tests: { files: ['test/faults/kill-sqlite.test.ts'], fault: 'sqlite/first/kill@effect.performed#3' },
  },
  {
    name: 'push that was cut off',
    keeps: 'commits from being left without a pull request after a kill',
    off: [{ mark: 'push that was cut off', becomes: 'return isKnown ? pushed : pushed;' }],
    tests: { files: ['test/faults/merged.test.ts'] },
  },
  {
    name: 'pull request that was cut off',
    keeps: 'an effect from staying planned for ever',
    off: [{ mark: 'pull request that was cut off', lines: 1, becomes: 'existing === null && !begun' }],
    tests: { files: ['test/faults/kill-sqlite.test.ts'], fault: 'sqlite/first/kill@effect.performed#2' },
  },
  {
    name: 'cut of an unanswered prompt (whole service)',
    keeps: 'a prompt that a kill left unanswered from standing twice in the history',
    off: [{ mark: 'cut of an unanswered prompt (whole service)', becomes: 'resumeAt: null,' }],
    tests: { files: ['test/faults/crash.test.ts'], named: 'before the first reply' },
  },
  {
    name: 'longer copy of a transcript',
    keeps: 'a state folder from a backup from hiding what happened since',
    off: [{ mark: 'longer copy of a transcript', becomes: '' }],
    tests: { files: ['test/faults/backup.test.ts'], named: 'sqlite' },
  },
  {
    name: 'one stop for each run',
    keeps: 'the end of one attempt from ending the container of the next',
    off: [
      {
        mark: 'one stop for each run',
        becomes: 'stopping = container.stop(signal.aborted ? ABORT_GRACE_MS : undefined);',
      },
    ],
    tests: { files: ['src/agent-runner/run-cli.test.ts'] },
  },
];
