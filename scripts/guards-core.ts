import type { Guard } from './guards.ts';

/** From the signature of a delivery to the effect on the forge, and every crash between them. */
export const CORE_GUARDS: Guard[] = [
  {
    name: 'signature',
    keeps: 'a stranger’s request from being stored',
    off: [
      {
        file: 'src/webhook/signature.ts',
        find: "if (signer === null) throw refused('wrong', forge);\n      return { scope: signers[signer]!.scope };",
        replace: 'return { scope: signer === null ? null : signers[signer]!.scope };',
      },
    ],
    tests: { files: ['src/webhook.test.ts'] },
  },
  {
    name: 'delivery id',
    keeps: 'the same delivery from being stored twice',
    off: [
      {
        file: 'src/database/migrations/0001-initial-schema.ts',
        find: "    .addUniqueConstraint('deliveries_forge_delivery', ['forge', 'forge_delivery_id'])\n",
        replace: '',
      },
      {
        file: 'src/inbox.ts',
        find: "    .onConflict((c) => c.columns(['forge', 'forge_delivery_id']).doNothing())\n",
        replace: '',
      },
    ],
    tests: { files: ['src/inbox.test.ts'] },
  },
  {
    name: 'semantic key',
    keeps: 'the same event under a new delivery id from waking an agent again',
    off: [
      {
        file: 'src/dispatcher/decide.ts',
        find: 'if (first !== null) return',
        replace: 'if (first === "never") return',
      },
    ],
    tests: { files: ['src/dispatcher.test.ts'] },
  },
  {
    name: 'routing transaction',
    keeps: 'a delivery from being half decided',
    off: [
      {
        file: 'src/dispatcher.ts',
        find: 'await deps.database.transaction(async (tx) => {',
        replace:
          'await (async (work: (tx: Rows) => Promise<Outcome>) => await work(deps.database.rows))(async (tx) => {',
      },
    ],
    tests: { files: ['src/dispatcher.test.ts'], named: 'SQLite' },
  },
  {
    name: 'one running dispatch (index)',
    keeps: 'two runs of one conversation, whatever the code does',
    off: [
      {
        file: 'src/database/migrations/0001-initial-schema.ts',
        find: "    .createIndex('dispatches_one_running')\n    .unique()\n",
        replace: "    .createIndex('dispatches_one_running')\n",
      },
    ],
    tests: { files: ['src/mailbox/leases.test.ts'] },
  },
  {
    name: 'one waiting dispatch (index)',
    keeps: 'two dispatches to come for one conversation',
    off: [
      {
        file: 'src/database/migrations/0001-initial-schema.ts',
        find: "    .createIndex('dispatches_one_waiting')\n    .unique()\n",
        replace: "    .createIndex('dispatches_one_waiting')\n",
      },
    ],
    tests: { files: ['src/mailbox'] },
  },
  {
    name: 'lease token',
    keeps: 'a worker that lost its lease from writing',
    off: [
      {
        file: 'src/mailbox/leases.ts',
        find: 'export async function assertLease(tx: Rows, lease: Lease): Promise<void> {\n',
        replace:
          'export async function assertLease(tx: Rows, lease: Lease): Promise<void> {\n  if (lease.token > 0) return;\n',
      },
    ],
    tests: { files: ['src/mailbox'] },
  },
  {
    name: 'park',
    keeps: 'runs from being started against a limit',
    off: [
      {
        file: 'src/mailbox/leases.ts',
        find: '!parks.some((park) => holds(park, modelOf(agent)))',
        replace: 'true',
      },
    ],
    tests: { files: ['src/mailbox'] },
  },
  {
    name: 'state lock',
    keeps: 'two services on one state folder',
    off: [{ file: 'src/state-lock.ts', find: "    db.exec('BEGIN EXCLUSIVE');\n", replace: '' }],
    tests: { files: ['src/state-lock.test.ts'] },
  },
  {
    name: 'kernel lock',
    keeps: 'two CLIs on one session',
    off: [
      {
        file: 'src/container/client.ts',
        find: 'if (flock === null || lockFile === null) return [];',
        replace: 'if (flock !== "never") return [];',
      },
    ],
    tests: { files: ['src/container/conformance.test.ts'], named: 'a lock that is held' },
  },
  {
    name: 'orphan reaping',
    keeps: 'the CLI of a dead service from going on beside the new one',
    off: [{ file: 'src/container/process.ts', find: '  await endAll(() => tree.running());\n', replace: '' }],
    tests: { files: ['src/container/process.test.ts'] },
  },
  {
    name: 'verification',
    keeps: 'a session whose transcript was never written from being called resumable',
    off: [
      {
        file: 'src/agent-runner/conclude.ts',
        find: 'if (copy.transcript === null || !holds(copy.transcript, head)) return null;',
        replace:
          'if (copy.transcript === null || !holds(copy.transcript, head)) return { sessionId: plan.session.id, head, size: 0, cliVersion: null };',
      },
    ],
    tests: { files: ['src/agent-runner.test.ts'], named: 'read-only' },
  },
  {
    name: 'transcript archive',
    keeps: 'a wiped CLI folder from costing the history',
    off: [
      {
        file: 'src/agent-runner/archiver.ts',
        find: 'if (!o.archive) return',
        replace: 'if (o.flushMs > 0) return',
      },
      {
        file: 'src/agent-runner/conclude.ts',
        find: 'if (deps.sessions.archive) await completeArchive',
        replace: 'if (deps.now() < 0) await completeArchive',
      },
    ],
    tests: { files: ['src/agent-runner.test.ts'], named: 'restored from the archive' },
  },
  {
    name: 'rebuild from the record',
    keeps: 'a lost transcript from meaning a blind fresh start',
    off: [
      {
        file: 'src/sessions/plan.ts',
        find: 'return all.filter((e) => e.dispatchId !== request.dispatchId || e.actions.length > 0);',
        replace: 'return all.filter(() => false);',
      },
    ],
    tests: { files: ['src/agent-runner.test.ts'], named: 'without the archive' },
  },
  {
    name: 'cut of an unanswered prompt',
    keeps: 'a prompt from reaching the model twice',
    off: [
      {
        file: 'src/sessions/plan.ts',
        find: 'resumeAt: endBeforeUnanswered(transcript, session.head),',
        replace: 'resumeAt: null,',
      },
    ],
    tests: { files: ['src/agent-runner.test.ts'], named: 'the prompt is not sent twice' },
  },
  {
    name: 'environment from nothing',
    keeps: 'a variable of the worker from reaching the agent',
    off: [
      {
        file: 'src/agent-runner/environment.ts',
        find: '  const env = {\n',
        replace: '  const env = {\n    ...(process.env as Record<string, string>),\n',
      },
    ],
    tests: { files: ['src/agent-runner.test.ts'], named: 'a variable of the worker' },
  },
  {
    name: 'record before the tool',
    keeps: 'a tool call from being made that nobody will know of',
    off: [
      {
        file: 'src/agent-runner/run-cli.ts',
        find: "return decided('deny', `The service could not record",
        replace: "return decided('allow', `The service could not record",
      },
    ],
    tests: { files: ['src/agent-runner.test.ts'], named: 'cannot be recorded' },
  },
  {
    name: 'effect looked for before it is repeated',
    keeps: 'a comment from being posted twice after a crash',
    off: [
      {
        file: 'src/outcome/effects.ts',
        find: 'row.attempts > 1 ? await effect.find() : null',
        replace: 'row.attempts > 99 ? await effect.find() : null',
      },
    ],
    tests: { files: ['src/outcome/effects.test.ts'] },
  },
  {
    name: 'effect done once',
    keeps: 'a recorded effect from being done again',
    off: [
      {
        file: 'src/outcome/effects.ts',
        find: "if (row.state === 'done') return",
        replace: 'if (row.attempts < 0) return',
      },
    ],
    tests: { files: ['src/outcome/effects.test.ts'] },
  },
  {
    name: 'own events',
    keeps: 'an agent from being woken by itself',
    off: [
      {
        file: 'src/flows/route.ts',
        find: "return isOwn(request, agent) ? 'own-event' : agent;",
        replace: 'return agent;',
      },
    ],
    tests: { files: ['src/flows'] },
  },
  {
    name: 'late messages bound',
    keeps: 'a tool left in the background from pinning a slot',
    off: [
      {
        file: 'src/agent-runner/run-cli.ts',
        find: '          void run.container.stop();\n        }, run.lateMessagesMs);',
        replace: '        }, run.lateMessagesMs);',
      },
    ],
    tests: { files: ['test/service.test.ts'], named: 'left in the background' },
  },
  {
    name: 'late messages carried, read comments known',
    keeps: 'a comment that one run has read from waking a second',
    off: [
      {
        file: 'src/worker/dispatch.ts',
        find: 'carryLate: () => carryLate(deps.database, lease, deps.now()),',
        replace: 'carryLate: async () => lease,',
      },
      {
        file: 'src/worker/stale.ts',
        find: "if (event.name === 'comment.created') {",
        replace: "if (event.name === 'comment.created' && known.seen === null) {",
      },
    ],
    tests: { files: ['test/service.test.ts'], named: 'read by one run only' },
  },
  {
    name: 'adopted answer',
    keeps: 'a finished, paid turn from being run again after a crash',
    off: [
      {
        file: 'src/agent-runner.ts',
        find: "plan.tail.kind !== 'answered') return null;",
        replace: "plan.tail.kind !== 'nothing') return null;",
      },
    ],
    tests: { files: ['src/agent-runner.test.ts'], named: 'is adopted' },
  },
  {
    name: 'heard answer',
    keeps: 'what a CLI says after its service has died from being published',
    off: [
      {
        file: 'src/sessions/plan.ts',
        find: "return heard ? tail : { kind: 'mid-turn' };",
        replace: 'return heard ? tail : tail;',
      },
    ],
    tests: { files: ['src/agent-runner.test.ts'], named: 'never heard' },
  },
  {
    name: 'adopted answer (whole service)',
    keeps: 'a finished, paid turn from being run again after a kill',
    off: [
      {
        file: 'src/agent-runner.ts',
        find: 'if (adopted !== null) return adopted;',
        replace: "if (adopted?.kind === 'refused') return adopted;",
      },
    ],
    tests: { files: ['test/faults/kill-sqlite.test.ts'], named: 'run.ended#1' },
  },
  {
    name: 'orphan reaping (whole service)',
    keeps: 'a tool of the service that was killed from running on beside the next one',
    off: [
      {
        file: 'src/wiring/take-over.ts',
        find: 'await runner.engine.reapOrphans(runner.instance)',
        replace: '[] as string[]',
      },
    ],
    tests: { files: ['test/faults/crash.test.ts'], named: 'while a tool runs' },
  },
  {
    name: 'effect looked for (whole service)',
    keeps: 'an answer from being posted twice after a kill',
    off: [
      {
        file: 'src/outcome/effects.ts',
        find: 'row.attempts > 1 ? await effect.find() : null',
        replace: 'row.attempts > 99 ? await effect.find() : null',
      },
    ],
    tests: { files: ['test/faults/kill-sqlite.test.ts'], named: 'effect.performed#3' },
  },
  {
    name: 'push that was cut off',
    keeps: 'commits from being left without a pull request after a kill',
    off: [
      {
        file: 'src/outcome.ts',
        find: "return isKnown ? withNews(pushed) : { kind: 'pushed', sha: pushed.sha };",
        replace: 'return isKnown ? pushed : pushed;',
      },
    ],
    tests: { files: ['test/faults/merged.test.ts'] },
  },
  {
    name: 'pull request that was cut off',
    keeps: 'an effect from staying planned for ever',
    off: [
      {
        file: 'src/outcome.ts',
        find: 'existing === null || begun',
        replace: 'existing === null && !begun',
      },
    ],
    tests: { files: ['test/faults/kill-sqlite.test.ts'], named: 'effect.performed#2' },
  },
  {
    name: 'cut of an unanswered prompt (whole service)',
    keeps: 'a prompt that a kill left unanswered from standing twice in the history',
    off: [
      {
        file: 'src/sessions/plan.ts',
        find: 'resumeAt: endBeforeUnanswered(transcript, session.head),',
        replace: 'resumeAt: null,',
      },
    ],
    tests: { files: ['test/faults/crash.test.ts'], named: 'before the first reply' },
  },
  {
    name: 'longer copy of a transcript',
    keeps: 'a state folder from a backup from hiding what happened since',
    off: [
      {
        file: 'src/sessions/evidence.ts',
        find: "if (head !== null && !holds(transcript, head)) return 'head-missing';",
        replace: '',
      },
    ],
    tests: { files: ['test/faults/backup.test.ts'], named: 'sqlite' },
  },
  {
    name: 'one stop for each run',
    keeps: 'the end of one attempt from ending the container of the next',
    off: [
      {
        file: 'src/agent-runner/run-cli.ts',
        find: 'stopping ??= container.stop(',
        replace: 'stopping = container.stop(',
      },
    ],
    tests: { files: ['src/agent-runner/run-cli.test.ts'] },
  },
];
