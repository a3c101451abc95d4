/** The broker's tools on a pocket forge: bo is the agent's account, ada owns the repository, cy only reads. */
import { randomUUID } from 'node:crypto';
import { REPO, type Trial } from '../../rehearsal/pocket-forge-trial.ts';
import type { AgentTool } from '../../src/agent-runner/run.ts';
import { type AuditEntry, auditOf, recordAudit } from '../../src/audit.ts';
import type { BrokerDeps, BrokerScope, RunMarks } from '../../src/broker/scope.ts';
import { FORGE_TOOL_NAMES, forgeTools } from '../../src/broker.ts';
import type { Database } from '../../src/database/database.ts';
import type { Forge } from '../../src/forges/forge.ts';
import { createGiteaFamilyClient } from '../../src/forges/gitea/client.ts';
import { resolveConversation } from '../../src/mailbox/conversations.ts';
import { type OutgoingForge, outgoingForge } from '../../src/outcome/outgoing-forge.ts';

export interface BrokerStage {
  /** the conversation's issue */
  number: number;
  dispatchId: string;
  conversationId: string;
  forge: Forge;
  /** what the tools write through, as the worker makes it */
  outgoing: OutgoingForge;
  /** every tool, `merge` too */
  tools(scope?: Partial<BrokerScope>, deps?: DepsChange): AgentTool[];
  /** a run of the same dispatch, with these differences: what a worker makes at each attempt */
  run(scope?: Partial<BrokerScope>, deps?: DepsChange): BrokerRun;
  /** makes the dispatch's row, as of a run whose checkout was at this commit when it began */
  began(sha: string | null): Promise<void>;
  audit(): Promise<{ action: string; decision: string; reason: string | null; detail: unknown }[]>;
  effects(): Promise<{ key: string; kind: string; state: string; attempts: number }[]>;
}

/** A forge given here is written through as the worker does it. */
type DepsChange = Partial<Omit<BrokerDeps, 'forge'>> & { forge?: Forge };

export interface BrokerRun {
  names: string[];
  call(name: string, input: unknown, toolUseId?: string): Promise<{ text: string; isError: boolean }>;
}

export function newId(): string {
  return `toolu_${randomUUID().replaceAll('-', '').slice(0, 24)}`;
}

export function clientOf(trial: Trial, login: string): Forge {
  return createGiteaFamilyClient({ name: 'home', url: trial.forge.url, token: `${login}-token` });
}

/** Marks without a session: these people are strangers. `dispatch/converse/marks-walk.test.ts` has the real ones. */
export function testMarks(strangers: readonly string[], restricted: string | null = null): RunMarks {
  let restriction = restricted;
  return {
    restriction: () => restriction,
    async show(_source, spoken) {
      const stranger = spoken.find(({ author }) => author.id === null || strangers.includes(author.login));
      if (stranger !== undefined) restriction ??= `it has read text by ${stranger.author.login}`;
    },
  };
}

export async function brokerStage(trial: Trial, database: Database): Promise<BrokerStage> {
  const { number } = await trial.forge.as('ada').createIssue(REPO, { title: 'Totals', body: 'Wrong.' });
  const forge = clientOf(trial, 'bo');
  const repository = { id: String(trial.forge.state.repositories[0]!.id), fullName: REPO };
  const item = await forge.getItem(repository, number);
  const conversation = await database.transaction(
    async (tx) => await resolveConversation(tx, { forge: 'home', repository, agent: 'dev', item, now: 1 }),
  );
  const dispatchId = randomUUID();
  const items = async () => {
    const joined = await database.rows
      .selectFrom('conversation_items')
      .select('number')
      .where('conversation_id', '=', conversation.id)
      .orderBy('number')
      .execute();
    return joined.map((row) => row.number);
  };
  const scope: BrokerScope = {
    key: { dispatchId, conversationId: conversation.id },
    agent: 'dev',
    login: 'bo',
    repository,
    items,
    branch: { name: `dev/${number}`, base: 'main' },
    disclosure: '',
    refusePull: async () => null,
    tools: null,
    scope: 'item',
    maxWrites: 50,
    mergeBy: () => 'boss',
  };
  const about = { dispatchId, conversationId: conversation.id, agent: 'dev', now: 5 };
  const speaking = (through: Forge, marks: RunMarks): OutgoingForge =>
    outgoingForge(through, () => ({ own: number, keywords: [], strict: marks.restriction() !== null }));
  const outgoing = speaking(forge, testMarks([]));
  const deps: BrokerDeps = {
    checkout: '/nonexistent',
    database,
    forge: outgoing,
    now: () => 5,
    setTimer: async ({ dueAt }) => ({ kind: 'set', dueAt }),
    assertMine: async () => {},
    marks: testMarks([]),
    strangers: async () => [],
    writers: true,
    audit: async (entry) => await recordAudit(database.rows, { ...about, ...entry } satisfies AuditEntry),
  };
  const changed = (change: DepsChange): BrokerDeps => {
    const marks = change.marks ?? testMarks([]);
    return { ...deps, ...change, marks, forge: speaking(change.forge ?? forge, marks) };
  };
  return {
    number,
    dispatchId,
    conversationId: conversation.id,
    forge,
    outgoing,
    tools: (scopeChange = {}, depsChange = {}) =>
      forgeTools({ ...scope, tools: FORGE_TOOL_NAMES, ...scopeChange }, changed(depsChange)),
    run(scopeChange = {}, depsChange = {}) {
      const tools = forgeTools({ ...scope, ...scopeChange }, changed(depsChange));
      return {
        names: tools.map(({ name }) => name),
        async call(name, input, toolUseId = newId()) {
          const tool = tools.find((one) => one.name === name);
          if (tool === undefined) throw new Error(`There is no tool ${name}. Offer it in the scope.`);
          return await tool.call(input, { toolUseId });
        },
      };
    },
    async began(sha) {
      await database.rows
        .insertInto('dispatches')
        .values({
          ...{
            id: dispatchId,
            conversation_id: conversation.id,
            agent: 'dev',
            state: 'running',
            priority: 50,
          },
          ...{ created_at: 1, due_at: 1, attempt: 1, carried: '[]', commit_sha: sha },
        })
        .execute();
    },
    async audit() {
      const rows = await auditOf(database.rows, { dispatchId });
      return rows.map(({ action, decision, reason, detail }) => ({
        action,
        decision,
        reason,
        detail: JSON.parse(detail) as unknown,
      }));
    },
    async effects() {
      return await database.rows
        .selectFrom('effects')
        .select(['key', 'kind', 'state', 'attempts'])
        .where('dispatch_id', '=', dispatchId)
        .orderBy('seq')
        .execute();
    },
  };
}
