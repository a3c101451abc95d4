/** The guards, how each is switched off, and the tests that must turn red then. Read by scripts/prove.ts. */
import { BROKER_GUARDS } from './guards-broker.ts';
import { GATEWAY_GUARDS } from './guards-gateway.ts';
import { LAYOUT_GUARDS } from './guards-layouts.ts';
import { RED_TEAM_GUARDS } from './guards-red-team.ts';
import { SMOKE_GUARDS } from './guards-smoke.ts';
import { TRUST_GUARDS } from './guards-trust.ts';

export interface Guard {
  name: string;
  /** what it keeps from happening */
  keeps: string;
  /** each text must stand in its file exactly once */
  off: { file: string; find: string; replace: string }[];
  tests: { files: string[]; named?: string };
}

export const GUARDS: Guard[] = [
  {
    name: 'signature',
    keeps: 'a stranger’s request from being stored',
    off: [
      {
        file: 'src/webhook.ts',
        find: "if (check === 'valid') return;",
        replace: 'if (check !== null) return;',
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
        file: 'src/dispatcher.ts',
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
        find: 'await deps.database.transaction(async (tx) => {\n      claimed',
        replace:
          'await (async (work: (tx: Rows) => Promise<boolean>) => await work(deps.database.rows))(async (tx) => {\n      claimed',
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
    off: [{ file: 'src/mailbox/leases.ts', find: '(await isParked(tx, request.now))', replace: 'false' }],
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
        find: "permissionDecision: 'deny',",
        replace: "permissionDecision: 'allow',",
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
        find: "return isKnown ? pushed : { ...pushed, kind: 'pushed' };",
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
  ...BROKER_GUARDS,
  ...GATEWAY_GUARDS,
  ...LAYOUT_GUARDS,
  ...RED_TEAM_GUARDS,
  ...SMOKE_GUARDS,
  ...TRUST_GUARDS,
  {
    name: 'container: orphan reaping (docker, podman)',
    keeps: 'a container of a dead service from going on beside the new one',
    off: [
      {
        file: 'src/container/oci.ts',
        find: '  const found = await client.remove(labels);',
        replace: '  const found: string[] = [];',
      },
      {
        file: 'src/container/oci.ts',
        find: '  const late = await client.remove(labels);',
        replace: '  const late: string[] = [];',
      },
      {
        file: 'src/container/oci.ts',
        find: 'const tree = new ProcessTree((mark) => mark.instance === instance);',
        replace: 'const tree = new ProcessTree(() => false);',
      },
    ],
    tests: { files: ['src/container/conformance.test.ts'], named: 'podman .*an orphan is ended' },
  },
  {
    name: 'container: orphan reaping (bubblewrap)',
    keeps: 'a sandbox of a dead service from going on beside the new one',
    off: [
      {
        file: 'src/container/bubblewrap.ts',
        find: '  await endAll(() => tree.running(), isNoSupervisor);\n',
        replace: '',
      },
    ],
    tests: { files: ['src/container/conformance.test.ts'], named: 'bubblewrap .*an orphan is ended' },
  },
  {
    name: 'container: name taken under the lock (docker, podman)',
    keeps: 'a container whose client died from running beside the next one',
    off: [
      {
        file: 'src/container/oci.ts',
        find: "const remove = this.#client.argv(['rm', '-f', name])",
        replace: "const remove = ['true', name]",
      },
    ],
    tests: { files: ['src/container/conformance.test.ts'], named: 'podman .*the process we started dying' },
  },
  {
    name: 'container: tree (bubblewrap)',
    keeps: 'a tool of a stopped dispatch from going on',
    off: [
      {
        file: 'src/container/bubblewrap.ts',
        find: '    await endAll(\n      () => tree.running(),',
        replace: '    await endAll(\n      async () => [],',
      },
      {
        file: 'src/container/bubblewrap.ts',
        find: "    for (const child of running) child.kill('SIGTERM');\n",
        replace: '',
      },
    ],
    tests: { files: ['src/container/conformance.test.ts'], named: 'bubblewrap .*stop ends the whole tree' },
  },
  {
    name: 'container: last lines (bubblewrap)',
    keeps: 'a stopped CLI from losing the end of its transcript',
    off: [
      {
        file: 'src/container/bubblewrap.ts',
        find: '  return send(pid, signal);\n}',
        replace: '  return send(child.pid!, signal);\n}',
      },
    ],
    tests: { files: ['src/container/conformance.test.ts'], named: 'bubblewrap .*stop lets the command' },
  },
  {
    name: 'container: kill past the client (docker, podman)',
    keeps: 'a killed run from going on in its container',
    off: [
      {
        file: 'src/container/oci.ts',
        find: "    void ask(this.#client.argv(['kill', '--signal', signal.slice(3), name]), env)",
        replace: "    void ask(['/bin/false'], {})",
      },
    ],
    tests: { files: ['src/container/conformance.test.ts'], named: 'podman .*passes SIGKILL' },
  },
  {
    name: 'container: environment (all engines)',
    keeps: 'a variable of the worker from reaching the agent',
    off: [
      {
        file: 'src/container/client.ts',
        find: 'env: spec.env,',
        replace: 'env: { ...process.env, ...spec.env },',
      },
    ],
    tests: { files: ['src/container/conformance.test.ts'], named: 'exactly the environment' },
  },
  {
    name: 'container: values outside argument lists (docker, podman)',
    keeps: 'a value of the environment from being seen by every user of the machine',
    off: [
      {
        file: 'src/container/oci-arguments.ts',
        find: "['-e', `${VARIABLE_PREFIX}${n}`]",
        replace: "['-e', `${VARIABLE_PREFIX}${n}=${spawn.env[n]}`]",
      },
    ],
    tests: { files: ['src/container/conformance.test.ts'], named: 'podman .*no value' },
  },
  {
    name: 'container: no network (docker, podman)',
    keeps: 'an agent from reaching any network address',
    off: [
      {
        file: 'src/container/oci-arguments.ts',
        find: "'--network',\n    spec.network,",
        replace: "'--network',\n    'host',",
      },
    ],
    tests: { files: ['src/container/isolation.test.ts'], named: 'podman, isolated .*there is no network' },
  },
  {
    name: 'container: no network (bubblewrap)',
    keeps: 'an agent from reaching any network address',
    off: [
      {
        file: 'src/container/bubblewrap-arguments.ts',
        find: "spec.network === 'host' ? ['--share-net'] : []",
        replace: "spec.network !== null ? ['--share-net'] : []",
      },
    ],
    tests: {
      files: ['src/container/isolation.test.ts'],
      named: 'bubblewrap, isolated .*there is no network',
    },
  },
  {
    name: 'container: read-only mounts (docker, podman)',
    keeps: 'an agent from writing what it was given to read',
    off: [
      {
        file: 'src/container/oci-arguments.ts',
        find: "...(access === 'read' ? ['readonly'] : [])",
        replace: "...(access === null ? ['readonly'] : [])",
      },
    ],
    tests: {
      files: ['src/container/isolation.test.ts'],
      named: 'podman, isolated .*what is mounted to read',
    },
  },
  {
    name: 'container: read-only mounts (bubblewrap)',
    keeps: 'an agent from writing what it was given to read',
    off: [
      {
        file: 'src/container/bubblewrap-arguments.ts',
        find: "m.access === 'read' ? '--ro-bind' : '--bind'",
        replace: "m.access === null ? '--ro-bind' : '--bind'",
      },
    ],
    tests: {
      files: ['src/container/isolation.test.ts'],
      named: 'bubblewrap, isolated .*what is mounted to read',
    },
  },
  {
    name: 'container: no capabilities (docker, podman)',
    keeps: 'root inside from being root of anything',
    off: [
      {
        file: 'src/container/oci-arguments.ts',
        find: "'--cap-drop',\n    'ALL',",
        replace: "'--cap-add',\n    'ALL',",
      },
    ],
    tests: { files: ['src/container/isolation.test.ts'], named: 'podman, isolated .*there is no privilege' },
  },
  {
    name: 'container: no capabilities (bubblewrap)',
    keeps: 'root inside from being root of anything',
    off: [
      {
        file: 'src/container/bubblewrap-arguments.ts',
        find: "'--cap-drop', 'ALL'",
        replace: "'--cap-add', 'ALL'",
      },
    ],
    tests: {
      files: ['src/container/isolation.test.ts'],
      named: 'bubblewrap, isolated .*there is no privilege',
    },
  },
  {
    name: 'container: limits (docker, podman)',
    keeps: 'one dispatch from taking the whole machine',
    off: [{ file: 'src/container/oci-arguments.ts', find: '    ...limitArguments(spec),\n', replace: '' }],
    tests: { files: ['src/container/isolation.test.ts'], named: 'podman, isolated .*(more|share)' },
  },
  {
    name: 'container: limits (bubblewrap)',
    keeps: 'one dispatch from taking the whole machine',
    off: [
      {
        file: 'src/container/bubblewrap.ts',
        find: 'if (this.#groups === null) return [];',
        replace: 'if (this.#groups !== undefined) return [];',
      },
    ],
    tests: { files: ['src/container/isolation.test.ts'], named: 'bubblewrap, isolated .*(more|share)' },
  },
  {
    name: 'container: lock descriptor (bubblewrap)',
    keeps: 'an agent from unlocking its conversation',
    off: [
      {
        file: 'src/container/client.ts',
        find: "how === 'exec' ? '-F' : '-o'",
        replace: "how === 'exec' ? '-F' : '-x'",
      },
    ],
    tests: {
      files: ['src/container/isolation.test.ts'],
      named: 'bubblewrap, isolated .*the lock is not inherited',
    },
  },
  {
    name: 'container: system calls (bubblewrap)',
    keeps: 'an agent from the key ring that its sandbox inherits',
    off: [
      {
        file: 'src/container/seccomp.ts',
        find: 'const REFUSE = 0x00050000 | 1;',
        replace: 'const REFUSE = ALLOW;',
      },
    ],
    tests: { files: ['src/container/isolation.test.ts'], named: 'bubblewrap, isolated .*key ring' },
  },
  {
    name: 'container: links on the way to a mount',
    keeps: 'an agent from leading the engine out of the checkout',
    off: [
      {
        file: 'src/container/check-spec.ts',
        find: 'if (found.isSymbolicLink())',
        replace: 'if (found.isSocket())',
      },
    ],
    tests: { files: ['src/container/isolation.test.ts'], named: 'a link that the agent left' },
  },
  {
    name: 'container: mount names (docker, podman)',
    keeps: 'a name from being read as an option of a mount',
    off: [{ file: 'src/container/oci-arguments.ts', find: `field.replaceAll('"', '""')`, replace: 'field' }],
    tests: { files: ['src/container/isolation.test.ts'], named: 'podman .*a folder may be called' },
  },
  {
    name: 'container: bare process only by name',
    keeps: 'agents from running with the rights of the service unasked',
    off: [
      {
        file: 'src/container/choose.ts',
        find: '  throw nothingWorks(choice, tried);',
        replace:
          "  if (tried.length > 0) return await chooseEngine({ ...choice, engine: 'process' });\n  throw nothingWorks(choice, tried);",
      },
    ],
    tests: { files: ['src/container/choose.test.ts'], named: 'without an engine' },
  },
  {
    name: 'relay: branches',
    keeps: 'an agent from pushing to a branch that is not its own',
    off: [
      {
        file: 'src/broker/git-policy.ts',
        find: 'if (!isOwn(policy, branch)) {',
        replace: "if (branch === '') {",
      },
    ],
    tests: { files: ['src/broker/git-policy.test.ts'] },
  },
  {
    name: 'relay: force',
    keeps: 'a forced push from losing what others have pushed since',
    off: [
      {
        file: 'src/broker/git-policy.ts',
        find: 'if (facts.remoteSha === facts.seen) return null;',
        replace: "if (facts.branch !== '') return null;",
      },
    ],
    tests: { files: ['src/broker/git-policy.test.ts'] },
  },
  {
    name: 'relay: workflow files',
    keeps: 'workflow files from being pushed during the run',
    off: [
      {
        file: 'src/broker/git-policy.ts',
        find: 'const workflow = policy.workflowFiles ?',
        replace: "const workflow = policy.base !== '' ?",
      },
    ],
    tests: { files: ['src/broker/git-door.test.ts'], named: '.github/workflows/ci.yml' },
  },
  {
    name: 'relay: push after the run',
    keeps: 'what the door refused from being sent after the run',
    off: [
      {
        file: 'src/workdir/push.ts',
        find: 'if (check === undefined) return null;',
        replace: 'if (check !== null) return null;',
      },
    ],
    tests: { files: ['src/broker/git-door.test.ts'], named: '.github/workflows/ci.yml' },
  },
  {
    name: 'relay: committer',
    keeps: 'commits in the name of another from reaching the forge',
    off: [
      {
        file: 'src/broker/git-policy.ts',
        find: 'refuseCommitters(policy, facts)\n  );',
        replace: 'null\n  );',
      },
    ],
    tests: { files: ['src/broker/git-policy.test.ts'] },
  },
  {
    name: 'relay: links in the outbox',
    keeps: 'the worker from reading a file that an agent links to',
    off: [
      {
        file: 'src/broker/git-outbox.ts',
        find: 'constants.O_RDONLY | constants.O_NOFOLLOW |',
        replace: 'constants.O_RDONLY |',
      },
    ],
    tests: { files: ['src/broker/git-door-hostile.test.ts'], named: 'no plain files' },
  },
  {
    name: 'relay: FIFO in the outbox',
    keeps: 'the worker from waiting for ever at a pipe of an agent',
    off: [
      {
        file: 'src/broker/git-outbox.ts',
        find: ' | constants.O_NONBLOCK',
        replace: '',
      },
    ],
    tests: { files: ['src/broker/git-door-hostile.test.ts'], named: 'no plain files' },
  },
  {
    name: 'relay: fsck',
    keeps: 'objects that git would not make from reaching the mirror',
    off: [
      {
        file: 'src/workdir/receive.ts',
        find: "'--strict', '--fix-thin'",
        replace: "'--fix-thin'",
      },
    ],
    tests: { files: ['src/broker/git-door-hostile.test.ts'], named: 'packs of garbage' },
  },
  {
    name: 'relay: kept before it is sent',
    keeps: 'an accepted push from being lost with the worker',
    off: [
      {
        file: 'src/workdir/receive.ts',
        find: 'keep ? `+${sha}:${keptRef(r.checkout.conversation)}` : sha',
        replace: 'keep ? sha : sha',
      },
    ],
    tests: { files: ['src/broker/git-door-hostile.test.ts'], named: 'a worker killed' },
  },
  {
    name: 'checkout: hard links',
    keeps: "an agent from writing into the mirror's packs",
    off: [
      {
        file: 'src/workdir/checkout.ts',
        find: "'--local', '--no-hardlinks'",
        replace: "'--local'",
      },
    ],
    tests: { files: ['src/workdir.test.ts'], named: 'shares no inode' },
  },
  {
    name: 'checkout: links below .git',
    keeps: 'the worker from writing refs through a link',
    off: [
      {
        file: 'src/workdir/control.ts',
        find: 'if (!entry.isDirectory()) return entry.name;',
        replace: 'if (!entry.isDirectory()) continue;',
      },
    ],
    tests: { files: ['src/broker/git-door-hostile.test.ts'], named: 'links or pipes' },
  },
  {
    name: 'checkout: configuration from the base',
    keeps: 'a pull request from instructing the agent that reviews it',
    off: [
      {
        file: 'src/workdir/prepare.ts',
        find: 'if (spec.configurationFromBase) {',
        replace: "if (spec.conversation === '') {",
      },
    ],
    tests: { files: ['src/workdir/configuration.test.ts'] },
  },
];
