/** Checks that names exist: the agents and skills that flows name, and the agents of forge accounts. */
import type { AgentConfig, Flow } from './config.ts';
import type { Loading } from './loading.ts';
import { nearest, suggestion } from './nearest.ts';

export interface Named {
  /**
   * names of all agents and skills that have a file, valid or not: a broken file is reported once, for its own problem
   */
  agents: ReadonlySet<string>;
  skills: ReadonlySet<string>;
}

export function checkFlowReferences(flows: readonly Flow[], named: Named, loading: Loading): void {
  for (const flow of flows) {
    for (const kind of ['agent', 'skill'] as const) {
      const known = kind === 'agent' ? named.agents : named.skills;
      if (known.has(flow[kind])) continue;
      loading.problems.push({
        file: flow.file,
        path: `${flow.name}.${kind}`,
        value: JSON.stringify(flow[kind]),
        problem: `there is no ${kind} of that name`,
        remedy: `Add ${kind}s/${flow[kind]}.md or correct the name. ${suggestion(flow[kind], known)}`.trim(),
      });
    }
  }
}

interface Files {
  agents: ReadonlyMap<string, { file: string }>;
  skills: ReadonlyMap<string, { file: string }>;
  flows: readonly Flow[];
}

/** Warns of the operator's agents and skills that no flow names. Most often the name is misspelt. */
export function checkUnused({ agents, skills, flows }: Files, loading: Loading): void {
  for (const [kind, all] of [
    ['agent', agents],
    ['skill', skills],
  ] as const) {
    const named = new Set(flows.map((flow) => flow[kind]));
    const own = [...all].filter(([name, { file }]) => !named.has(name) && !file.startsWith(loading.shipped));
    for (const [name, { file }] of own) {
      const near = nearest(name, named);
      const meant = near === null ? '' : ` Did you mean "${near}"? Then rename the file.`;
      loading.warnings.push(
        `${file}: no flow names the ${kind} ${name}, so it does nothing.${meant} Add a flow with ${kind}: ${name}, or remove the file.`,
      );
    }
  }
}

export interface Accounts {
  file: string;
  /** by forge name */
  forges: Readonly<Record<string, { accounts: Readonly<Record<string, { login: string }>> }>>;
  flows: readonly Flow[];
}

export function checkAccounts({ file, forges, flows }: Accounts, named: Named, loading: Loading): void {
  const woken = new Set(flows.filter((flow) => flow.enabled).map((flow) => flow.agent));
  for (const [name, { accounts }] of Object.entries(forges)) {
    for (const agent of Object.keys(accounts)) {
      if (named.agents.has(agent)) continue;
      loading.problems.push({
        file,
        path: `forges.${name}.accounts.${agent}`,
        value: null,
        problem: 'there is no agent of that name',
        remedy: `Add agents/${agent}.md or correct the name. ${suggestion(agent, named.agents)}`.trim(),
      });
    }
    for (const agent of woken) {
      if (accounts[agent]) continue;
      loading.warnings.push(
        `${file}: forges.${name}.accounts: agent ${agent} has no account here, so it does not act on this forge. Add accounts.${agent} with login and token.`,
      );
    }
    warnOfSharedLogins(`${file}: forges.${name}.accounts`, accounts, loading);
  }
}

function warnOfSharedLogins(
  where: string,
  accounts: Readonly<Record<string, { login: string }>>,
  loading: Loading,
): void {
  const owners = Object.groupBy(Object.entries(accounts), ([, account]) => account.login.toLowerCase());
  for (const [login, sharing] of Object.entries(owners)) {
    if (sharing === undefined || sharing.length < 2) continue;
    const agents = sharing.map(([agent]) => agent).join(' and ');
    loading.warnings.push(
      `${where}: ${agents} share the login ${login}, so neither sees what the other does. Give each its own account.`,
    );
  }
}

/** Servers that an agent's file names and claude-hooks.yaml does not. */
export function checkMcpServers(
  agents: ReadonlyMap<string, Pick<AgentConfig, 'file' | 'mcpServers'>>,
  known: readonly string[],
  { problems }: Pick<Loading, 'problems'>,
): void {
  for (const { file, mcpServers } of agents.values()) {
    for (const name of mcpServers.filter((one) => !known.includes(one))) {
      problems.push({
        file,
        path: 'mcp_servers',
        value: JSON.stringify(name),
        problem: 'there is no MCP server of that name',
        remedy:
          `Add mcp_servers.${name} to claude-hooks.yaml, or correct the name. ${suggestion(name, known)}`.trim(),
      });
    }
  }
}
