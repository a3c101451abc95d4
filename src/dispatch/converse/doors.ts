/** Two ways out of one run's container, both held by the worker: forge tools and the git door. The third is the gateway. */
import type { AgentTool } from '../../agent-runner/run.ts';
import { recordAudit } from '../../audit.ts';
import type { PushPolicy } from '../../broker/git-policy.ts';
import type { BrokerDeps, RunMarks } from '../../broker/scope.ts';
import { cloneAddress } from '../../forges/clone-address.ts';
import { assertLease, requireLease } from '../../mailbox/leases.ts';
import { recordPush } from '../../mailbox/pushes.ts';
import { setTimer, type TimerLimits } from '../../mailbox/timers.ts';
import { mergeBy } from '../../team/settings.ts';
import type { ForgeUser, RepositoryRef } from '../../vocabulary.ts';
import type { Remote } from '../../workdir.ts';
import { closingOf, type DispatchDeps } from '../dispatch.ts';
import { itemsOf } from '../gather/conversation-items.ts';
import { presentName } from '../present-name.ts';
import { whyNoPull } from '../publish/unwanted-pull.ts';
import type { Prepared } from '../screen/context.ts';
import { untrustedAuthors } from '../screen/senders.ts';
import { forgeWithoutTexts } from '../screen/set-aside.ts';

export interface Doors {
  tools: AgentTool[];
  close(): Promise<void>;
}

export async function openDoors(dispatch: Prepared, deps: DispatchDeps, run: Opening): Promise<Doors> {
  const { agent, lease, forge, key, place } = dispatch;
  const { marks } = run;
  const audit: BrokerAudit = async (entry) => {
    const sha = entry.door === 'git' && entry.decision === 'allowed' ? entry.detail.sha : undefined;
    if (typeof sha === 'string') {
      await recordPush(deps.database.rows, { conversation: lease.conversation, sha, now: deps.now() });
    }
    await recordAudit(deps.database.rows, { ...entry, ...key, agent: agent.name, now: deps.now() });
  };
  // Loaded with the first run, so that a service at rest needs less memory.
  const [{ openGitDoor }, { forgeTools }] = await Promise.all([
    import('../../broker/git-door.ts'),
    import('../../broker.ts'),
  ]);
  let asked = false;
  const located = locating(dispatch);
  const git = await openGitDoor({
    workdir: deps.workdir,
    checkout: place.checkout,
    remote: async () => {
      // At the start the configuration is as fresh as the dispatch; reading it costs about 20 ms.
      if (asked) deps.refreshConfig();
      asked = true;
      return await remoteNow(dispatch, deps);
    },
    policy: gitPolicy(dispatch, deps, () => marks.restriction()),
    signingKeyFile: deps.config().git.signingKeyFile,
    audit,
    log: deps.log,
    assertMine: () => requireLease(deps.database.rows, lease),
  });
  const tools = forgeTools(
    {
      key,
      agent: agent.name,
      login: forge.account.login,
      get repository() {
        return located.repository();
      },
      items: () => itemsOf(deps.database.rows, lease),
      branch: place.branch,
      refusePull: () => whyNoPull(dispatch, deps),
      disclosure: deps.config().disclosure,
      tools: agent.forge.tools,
      scope: agent.forge.scope,
      maxWrites: agent.forge.maxWrites,
      mergeBy: () => mergeBy(deps.config(), forge.config, located.repository().fullName),
    },
    {
      checkout: place.checkout.path,
      database: deps.database,
      now: deps.now,
      setTimer: (wish) =>
        setTimer(deps.database, lease, { ...wish, limits: timerLimits(deps), now: deps.now() }),
      assertMine: (tx) => assertLease(tx, lease),
      forge: forgeWithoutTexts(
        forge.write(() => marks.restriction() !== null),
        run.aside,
      ),
      marks,
      strangers: (authors) => strangersAmong(authors, dispatch, deps),
      writers: dispatch.context.vouching.writers,
      audit,
    },
  );
  return {
    tools: tools.map((tool) => ({ ...tool, call: located.first(tool.call) })),
    close: () => git.close(),
  };
}

function timerLimits({ config }: DispatchDeps): TimerLimits {
  const { most, shortestSeconds, longestDays } = config().mailbox.timers;
  return { most, shortestMs: shortestSeconds * 1000, longestMs: longestDays * 86_400_000 };
}

interface Opening {
  marks: RunMarks;
  /** texts that the model would not take: no tool shows them either */
  aside: ReadonlySet<string>;
}

const SAME_NAME_MS = 5000;

/** Tools use the repository's present name: it may be renamed while the run lasts. */
function locating({ forge, ...known }: Prepared) {
  let repository: RepositoryRef = known.repository;
  let askedAt = performance.now();
  return {
    repository: () => repository,
    first:
      (call: AgentTool['call']): AgentTool['call'] =>
      async (...args) => {
        if (performance.now() - askedAt > SAME_NAME_MS) {
          repository = await presentName(forge.read, repository);
          askedAt = performance.now();
        }
        return await call(...args);
      },
  };
}

async function strangersAmong(
  authors: readonly ForgeUser[],
  { forge, repository }: Prepared,
  { trust }: DispatchDeps,
): Promise<string[]> {
  const untrusted = await untrustedAuthors(authors, { forgeConfig: forge.config, trust, repository });
  return authors.filter((author) => untrusted.has(author.id)).map((author) => author.login);
}

type BrokerAudit = BrokerDeps['audit'];

/** With the token that the configuration has now, and the name that the repository has: both may change in a run. */
export async function remoteNow({ forge, agent, repository }: Prepared, deps: DispatchDeps): Promise<Remote> {
  const now = deps.config().forges[forge.config.name];
  const address = now?.cloneUrl ?? forge.config.cloneUrl;
  const token = now?.accounts[agent.name]?.token ?? forge.account.token;
  const { fullName } = await presentName(forge.read, repository);
  // guard: clone: configured address, part 2
  return { url: cloneAddress(address, fullName), token };
}

/** What the agent may push, in the run and after it. */
export function gitPolicy(
  { agent, item, lease, forge, repository, place }: Prepared,
  deps: DispatchDeps,
  marked: PushPolicy['marked'],
): PushPolicy {
  const { git } = deps.config();
  const { branch, identity } = place;
  return {
    closed: branch === null ? CLOSED : null,
    branch: branch?.name ?? `${agent.branchPrefix}/${item.number}`,
    base: branch?.base ?? repository.defaultBranch,
    prefix: branch?.prefix ?? agent.branchPrefix,
    item: item.number,
    defaultBranch: repository.defaultBranch,
    protection: {
      add: git.protectedFiles,
      allow: git.unprotectedFiles,
      workflowFiles: agent.workflowFiles,
    },
    closing: closingOf(lease, forge.config),
    marked,
    identity,
    maxBytes: git.maxPushBytes,
    maxLfsBytes: git.maxLfsBytes,
  };
}

const CLOSED = {
  what: 'Nothing is published from this conversation: the agent has no branch here.',
  todo: 'Say in your answer what should be changed.',
};
